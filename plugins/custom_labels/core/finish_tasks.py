"""How a run ended: on the record, as a note on the run, and as a message.

To record and notify never changes what happened: where S3 or SNS refuse it, the run stays as good as it was.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from custom_labels.core.codec import to_json
from custom_labels.core.context import ProjectContext
from custom_labels.core.metrics import count_run
from custom_labels.core.notifications import amend, publish
from custom_labels.core.outcome import Outcome, RunOutcome
from custom_labels.core.run_settings import RunSettings
from custom_labels.errors import CustomLabelsError

log = logging.getLogger(__name__)


def finish_run(
    ctx: ProjectContext, settings: RunSettings, outcome: Outcome, detail: str, facts: Mapping[str, Any] | None = None
) -> RunOutcome:
    """Say how a run ended: the last thing that the last step of a DAG does.

    A dry run leaves no record. A second try of the step says the same again.

    :param detail: one sentence: why.
    :param facts: named values below the sentence, in order.
    :return: what was said.
    """
    log.info("%s: %s", outcome, detail)
    ended = RunOutcome(outcome, ctx.project.name, detail, ctx.run_name, facts or {})
    ctx.note(ended.note)
    if not ctx.param("dry_run"):
        _record(ctx, ended)
    if outcome in settings.notify_outcomes and ctx.project.sns_topic_arn:
        _publish(ctx, ended, ctx.project.sns_topic_arn)
    count_run(ctx, outcome)
    return ended


def _publish(ctx: ProjectContext, ended: RunOutcome, topic: str) -> None:
    """Send the message; where SNS refuses it, the record and the note say so."""
    try:
        publish(ctx, ended, topic)
    except (ClientError, BotoCoreError) as error:
        trouble = (
            f"SNS did not take the message for '{topic}': {error}. Check 'sns_topic_arn' in the project's YAML file "
            "and the permission sns:Publish"
        )
        log.exception("%s", trouble)
        ctx.note(ended.but(trouble))
        amend(ctx, ended.run, trouble)


def _record(ctx: ProjectContext, ended: RunOutcome) -> None:
    try:
        ctx.registry.record_run(to_json(ended))
    except (CustomLabelsError, ClientError, BotoCoreError):
        if not ctx.run.is_last_try:
            raise
        log.exception("'%s' of '%s' could not be recorded.", ended.outcome, ended.run)
