"""The last steps of every DAG: how a run ended, on the record, on the run and in a message.

To record and notify never changes what happened: where S3 or SNS refuse it, the run stays as good as it was.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

from airflow.sdk import TriggerRule
from airflow.sdk.exceptions import AirflowSkipException
from botocore.exceptions import BotoCoreError, ClientError

from custom_labels.core.codec import from_json, to_json
from custom_labels.core.context import ProjectContext, step, values
from custom_labels.core.listener import NOTE_KEY
from custom_labels.core.notifications import amend
from custom_labels.core.outcome import Outcome, RunOutcome
from custom_labels.core.settings import Project
from custom_labels.errors import CustomLabelsError

log = logging.getLogger(__name__)


def outcome(ctx: ProjectContext, name: str, detail: str, facts: dict[str, Any] | None = None) -> dict[str, Any]:
    """Word how a run ended; one of a DAG's last tasks returns it, for :func:`report_and_notify`.

    :param name: a key of :data:`custom_labels.core.outcome.TITLES`.
    :param detail: one sentence: why.
    :param facts: named values below the sentence, in order.
    """
    log.info("%s: %s", name, detail)
    return to_json(RunOutcome(Outcome[name.upper()], ctx.project.name, detail, ctx.run_name, facts or {}))


@values
def report(project: str, ends: list[dict[str, Any] | None]) -> dict[str, Any]:
    """Record the run's outcome and hand it to the SNS task, or skip that where nobody asked for it."""
    ctx = ProjectContext(project)
    fields = next((end for end in ends if end), None)
    if fields is None:
        raise AirflowSkipException("No task returned how the run ended: the one that does was marked by hand.")
    ended = from_json(RunOutcome, fields)
    if not ctx.param("dry_run"):
        try:
            ctx.registry.record_run(to_json(ended))
        except (CustomLabelsError, ClientError, BotoCoreError):
            if not _is_last_try(ctx):
                raise
            log.exception("'%s' of '%s' could not be recorded.", ended.outcome, ended.run)
    ctx.context["ti"].xcom_push(key=NOTE_KEY, value=ended.note)
    topic = ctx.topic_for(ended.outcome)
    if not topic:
        raise AirflowSkipException(f"No SNS message for '{ended.outcome}': no topic, or not in notify_outcomes.")
    return {"topic": topic, "outcome": to_json(ended)}


@step
def notify(project: str, reported: dict[str, Any] | None) -> None:
    """Send the run's outcome to SNS; where that is refused, the run and its record say so, and stay what they are."""
    from airflow.providers.amazon.aws.hooks.sns import SnsHook

    if reported is None:
        raise AirflowSkipException("Task 'report' was marked by hand: it left no message to send.")
    ctx = ProjectContext(project)
    ended = from_json(RunOutcome, reported["outcome"])
    hook = SnsHook(aws_conn_id=ctx.project.aws_conn_id, region_name=ctx.project.region_name)
    try:
        hook.publish_to_target(target_arn=reported["topic"], subject=ended.subject, message=ended.body)
    except (ClientError, BotoCoreError) as error:
        if not _is_last_try(ctx):
            raise
        trouble = (
            f"SNS did not take the message for '{reported['topic']}': {error}. Check 'sns_topic_arn' in the project's "
            "YAML file and the permission sns:Publish"
        )
        log.exception("%s", trouble)
        ctx.context["ti"].xcom_push(key=NOTE_KEY, value=ended.but(trouble))
        amend(ctx, ended.run, trouble)
        raise AirflowSkipException(trouble) from error


def _is_last_try(ctx: ProjectContext) -> bool:
    ti = ctx.context["ti"]
    return bool(ti.try_number > ti.max_tries)


def report_and_notify(project: Project, ends: Sequence[Any]) -> Any:
    """Add the tasks ``report`` and ``notify`` to a DAG, after the tasks that a run may end with.

    :param ends: tasks that return an :func:`outcome`; the first that did counts.
    :return: the task ``report``.
    """
    reported = report.override(trigger_rule=TriggerRule.NONE_FAILED_MIN_ONE_SUCCESS)(project.name, list(ends))
    # The next run waits for this one: a message is not worth the long pauses between the tries of other tasks.
    notify.override(retries=1)(project.name, reported)
    return reported
