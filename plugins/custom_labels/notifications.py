"""Telling people: what a failed task leaves on its run, in the registry and on SNS."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from airflow.sdk.bases.notifier import BaseNotifier
from botocore.exceptions import BotoCoreError, ClientError

from custom_labels.domain.errors import CustomLabelsError
from custom_labels.domain.outcome import RunOutcome
from custom_labels.listener import NOTE_KEY

if TYPE_CHECKING:
    from airflow.sdk import Context

    from custom_labels.operators.project import ProjectContext

log = logging.getLogger(__name__)


class FailureNotifier(BaseNotifier):
    """Report a task that failed for good: a note on the run, a record in the registry, an SNS message.

    :param project: name of the project.
    :param training_task: id of the task whose failure means that the training failed.
    """

    template_fields = ("project",)

    def __init__(self, project: str, training_task: str = "train", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.project = project
        self.training_task = training_task

    def notify(self, context: Context) -> None:
        """Report the failure; a channel that is out of order does not keep the others from being used."""
        from custom_labels.operators.project import ProjectContext

        task_id = context["ti"].task_id
        outcome = RunOutcome(
            outcome="training_failed" if task_id == self.training_task else "failed",
            project=self.project,
            detail=f"task {task_id}: {context.get('exception') or 'no exception is known'}",
            run=f"{context['dag_run'].dag_id}/{context['dag_run'].run_id}",
        )
        context["ti"].xcom_push(key=NOTE_KEY, value=outcome.note)
        place = ProjectContext(self.project, context)
        for tell in (self.record, self.publish):
            try:
                tell(place, outcome)
            except (CustomLabelsError, ClientError, BotoCoreError):
                log.exception("The failure of task '%s' could not be reported by '%s'.", task_id, tell.__name__)

    @staticmethod
    def record(place: ProjectContext, outcome: RunOutcome) -> None:
        """Write the outcome to the registry."""
        place.registry.record_run(outcome.to_json())

    @staticmethod
    def publish(place: ProjectContext, outcome: RunOutcome) -> None:
        """Send the message, if the project has a topic and its settings ask for this outcome."""
        from airflow.providers.amazon.aws.hooks.sns import SnsHook

        if topic := place.topic_for(outcome.outcome):
            hook = SnsHook(aws_conn_id=place.project.aws_conn_id, region_name=place.project.region_name)
            hook.publish_to_target(target_arn=topic, subject=outcome.subject, message=outcome.body)
