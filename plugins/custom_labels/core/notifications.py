"""Notifications: what a failed task leaves on its run, in the registry and on SNS."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from airflow.sdk.bases.notifier import BaseNotifier
from botocore.exceptions import BotoCoreError, ClientError

from custom_labels.core.codec import from_json, to_json
from custom_labels.core.listener import write_note
from custom_labels.core.metrics import count_run
from custom_labels.core.outcome import Outcome, RunOutcome
from custom_labels.errors import CustomLabelsError

if TYPE_CHECKING:
    from airflow.sdk import Context

    from custom_labels.core.context import ProjectContext

log = logging.getLogger(__name__)


class FailureNotifier(BaseNotifier):
    """Report a task that failed for good: a note on the run, a record in the registry, an SNS message.

    :param project: name of the project.
    :param training_tasks: ids of the tasks whose failure means that the training failed.
    """

    template_fields = ("project",)

    def __init__(
        self, project: str, training_tasks: Collection[str] = ("start_training", "training_is_done"), **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.project = project
        self.training_tasks = training_tasks

    def notify(self, context: Context) -> None:
        """Report the failure."""
        from custom_labels.core.context import ProjectContext

        task_id = context["ti"].task_id
        trouble = f"task {task_id}: {context.get('exception') or 'no exception is known'}"
        outcome = RunOutcome(
            outcome=Outcome.TRAINING_FAILED if task_id in self.training_tasks else Outcome.FAILED,
            project=self.project,
            detail=trouble,
            run=f"{context['dag_run'].dag_id}/{context['dag_run'].run_id}",
        )
        ctx = ProjectContext(self.project, context)
        count_run(ctx, outcome.outcome)
        kept = None if _rests_on(context) else amend(ctx, outcome.run, trouble)
        write_note(context, kept.but(trouble) if kept else outcome.note)
        # A dry run leaves no record, not even of its failure; what happened before this failure stays as it is.
        (announce if kept or ctx.param("dry_run") else notify_all)(ctx, outcome)


def _rests_on(context: Context) -> bool:
    """Whether the run's outcome rests on a task: not on ``finish``, which tells it, nor on what follows it."""
    dag = context["task"].dag
    if dag is None or not dag.has_task("finish"):
        return True
    return context["task"].task_id in dag.get_task("finish").get_flat_relative_ids(upstream=True)


@dataclass(frozen=True)
class RunFailureNotifier:
    """Report a run that failed without a word from any of its tasks: they were killed, or the run took too long.

    No ``BaseNotifier``: that renders templates with the context's DAG, which under ``dag.test()`` is a serialized one
    that cannot.

    :param project: name of the project.
    """

    project: str

    def __call__(self, context: Context) -> None:
        """Report the failure, unless a task of the run did."""
        from custom_labels.core.context import ProjectContext, RunInfo

        if (context.get("params") or {}).get("dry_run"):
            return
        # Airflow gives no more than this where the run has no task instance to take a whole context from.
        dag_id, now = context["dag"].dag_id, datetime.now(UTC)
        ctx = ProjectContext(self.project, run=RunInfo(dag_id, context["run_id"], when=now, as_of=now))
        run = ctx.run_name
        try:
            last = ctx.registry.last_run(dag_id)
        except CustomLabelsError:
            # Where the bucket cannot be read the first task fails for it, and notifies.
            log.exception("Whether the failure of '%s' was reported already cannot be seen; it is not again.", run)
            return
        if (last.get("run"), last.get("outcome")) in {(run, "failed"), (run, "training_failed")}:
            return
        why = str(context.get("reason") or "no reason is known")
        detail = f"no task reported a failure; Airflow says: {why}"
        failed = RunOutcome(outcome=Outcome.FAILED, project=self.project, detail=detail, run=run)
        (announce if amend(ctx, run, detail) else notify_all)(ctx, failed)


def amend(ctx: ProjectContext, run: str, trouble: str) -> RunOutcome | None:
    """Add what failed later to the outcome that is on record of a run; the outcome itself stays: it happened.

    :return: that outcome; ``None`` if there is none, or it cannot be reached.
    """
    try:
        record = ctx.registry.amend_run(run, {"Afterwards": trouble})
    except (CustomLabelsError, ClientError, BotoCoreError):
        log.exception("What failed after '%s' had its outcome could not be recorded: %s", run, trouble)
        return None
    return from_json(RunOutcome, record) if record else None


def notify_all(ctx: ProjectContext, outcome: RunOutcome) -> None:
    """Notify how a run ended; a channel that is out of order does not keep the others from being used."""
    for channel in (_record, _publish):
        _try(channel, ctx, outcome)


def announce(ctx: ProjectContext, outcome: RunOutcome) -> None:
    """Send a message about a run that goes on; where it cannot be sent, the run goes on all the same."""
    _try(_publish, ctx, outcome)


def _try(channel: Callable[[ProjectContext, RunOutcome], None], ctx: ProjectContext, outcome: RunOutcome) -> None:
    try:
        channel(ctx, outcome)
    except (CustomLabelsError, ClientError, BotoCoreError):
        log.exception("'%s' of '%s' could not be notified by '%s'.", outcome.outcome, outcome.run, channel.__name__)


def _record(ctx: ProjectContext, outcome: RunOutcome) -> None:
    # Of a project that names the place of another: that it failed is no record of theirs.
    ctx.registry.require_owner(ctx.project.name)
    ctx.registry.record_run(to_json(outcome))


def _publish(ctx: ProjectContext, outcome: RunOutcome) -> None:
    """Send the message, if the project has a topic and its settings ask for this outcome."""
    if topic := ctx.topic_for(outcome.outcome):
        publish(ctx, outcome, topic)


def publish(ctx: ProjectContext, outcome: RunOutcome, topic: str) -> None:
    """Send the message of an outcome to an SNS topic.

    :raises ClientError: SNS refused it.
    """
    from airflow.providers.amazon.aws.hooks.sns import SnsHook

    hook = SnsHook(aws_conn_id=ctx.project.aws_conn_id, region_name=ctx.project.region_name)
    hook.publish_to_target(target_arn=topic, subject=outcome.subject, message=outcome.body)
