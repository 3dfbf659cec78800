"""The step by which every DAG that asks people ends its work: opening the reviews that wait."""

from __future__ import annotations

import logging
from dataclasses import asdict
from typing import Any

from airflow.sdk.exceptions import AirflowFailException

from custom_labels.operators.inputs import require_inputs
from custom_labels.operators.project import ProjectContext, values
from custom_labels.operators.review_opening import Opening, ReviewOpener
from custom_labels.review.base import ReviewBackendNotReady
from custom_labels.storage.review_requests import WaitingReviews

log = logging.getLogger(__name__)


@values
def open_reviews(project: str) -> dict[str, Any]:
    """Open the reviews that wait, audits and the most doubtful first, within the day's budget.

    :return: ``opened`` reviews, ``known`` ones that had been opened before, those that are ``waiting``, and the
        ``trouble`` in a sentence.
    """
    place = ProjectContext(project)
    # Pulled, not handed in: as an argument it would be an upstream that never fails, and this task would run in vain.
    settings = place.context["ti"].xcom_pull(task_ids="load_settings")
    require_inputs("open_reviews", {"load_settings": settings})
    opening = _open(place, settings)
    log.info("%s reviews opened, %s wait. %s", opening.opened, opening.waiting, opening.trouble)
    return asdict(opening)


def _open(place: ProjectContext, settings: dict[str, Any]) -> Opening:
    from custom_labels.review.backends import make_backend

    if place.project.review is None:
        return Opening(waiting=WaitingReviews(place.store).count())
    opener = ReviewOpener(
        place.store,
        make_backend(place.project, place.store),
        f"{place.owner}/{place.context['ti'].task_id}",
        budget=settings["daily_review_budget"],
        audits_only=not settings["enable_a2i_workflow"],
    )
    try:
        return opener.run()
    except ReviewBackendNotReady as error:
        raise AirflowFailException(str(error)) from error
