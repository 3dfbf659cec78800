"""The task that makes what a project's reviews need at Label Studio."""

from __future__ import annotations

import logging

from airflow.sdk.exceptions import AirflowFailException

from custom_labels.core.context import ProjectContext
from custom_labels.core.steps import step
from custom_labels.datasets.label_names import choices
from custom_labels.review.backends.base import ReviewBackendNotReady
from custom_labels.review.backends.label_studio.backend import LabelStudioBackend
from custom_labels.review.backends.label_studio.setup import set_up

log = logging.getLogger(__name__)


@step
def set_up_label_studio(ctx: ProjectContext, reviewers: int) -> dict[str, str]:
    """Make the projects at Label Studio with their storages, or adopt them; labels that are new are added.

    :param reviewers: people who are asked about an image at first.
    :return: the projects' addresses by what they ask.
    """
    live = ctx.registry.live()
    labels, _ = choices(live.labels if live else ())
    try:
        made = set_up(LabelStudioBackend(ctx.project, ctx.store), reviewers, labels)
    except ReviewBackendNotReady as error:
        raise AirflowFailException(str(error)) from error
    log.info("Projects of '%s' at Label Studio: %s.", ctx.project.name, made)
    return made
