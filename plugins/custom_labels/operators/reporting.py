"""The last steps of every DAG: how a run ended, on the record, on the run and in a message."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

from airflow.sdk import TriggerRule
from airflow.sdk.exceptions import AirflowSkipException

from custom_labels.domain.outcome import RunOutcome
from custom_labels.listener import NOTE_KEY
from custom_labels.operators.project import ProjectContext, values
from custom_labels.settings import Project

log = logging.getLogger(__name__)


def outcome(place: ProjectContext, name: str, detail: str, facts: dict[str, Any] | None = None) -> dict[str, Any]:
    """Word how a run ended; one of a DAG's last tasks returns it, for :func:`tell`.

    :param name: a key of :data:`custom_labels.domain.outcome.TITLES`.
    :param detail: one sentence: why.
    :param facts: named values below the sentence, in order.
    """
    log.info("%s: %s", name, detail)
    return RunOutcome(name, place.project.name, detail, place.run_name, facts or {}).to_json()


@values
def report(project: str, ends: list[dict[str, Any] | None]) -> dict[str, Any]:
    """Record the run's outcome and hand it to the SNS task, or skip that where nobody asked for it."""
    place = ProjectContext(project)
    fields = next(end for end in ends if end)
    ended = RunOutcome(**fields)
    if not place.param("dry_run"):
        place.registry.record_run(ended.to_json())
    place.context["ti"].xcom_push(key=NOTE_KEY, value=ended.note)
    topic = place.topic_for(ended.outcome)
    if not topic:
        raise AirflowSkipException(f"No SNS message for '{ended.outcome}': no topic, or not in notify_outcomes.")
    return {"topic": topic, "subject": ended.subject, "body": ended.body}


def tell(project: Project, ends: Sequence[Any]) -> Any:
    """Add the tasks ``report`` and ``notify`` to a DAG, after the tasks that a run may end with.

    :param ends: tasks that return an :func:`outcome`; the first that did counts.
    :return: the task ``report``.
    """
    from airflow.providers.amazon.aws.operators.sns import SnsPublishOperator

    told = report.override(trigger_rule=TriggerRule.NONE_FAILED_MIN_ONE_SUCCESS)(project.name, list(ends))
    SnsPublishOperator(
        task_id="notify",
        target_arn=told["topic"],
        subject=told["subject"],
        message=told["body"],
        aws_conn_id=project.aws_conn_id,
        region_name=project.region_name,
    )
    return told
