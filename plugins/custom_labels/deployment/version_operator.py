"""The operators that start and stop versions while one is put into service, and after that has failed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from airflow.providers.amazon.aws.utils.mixins import aws_template_fields
from airflow.sdk.exceptions import AirflowSkipException

from custom_labels.aws.operators.versions import (
    CustomLabelsDeleteVersionOperator,
    CustomLabelsStartVersionOperator,
    CustomLabelsStopVersionOperator,
)
from custom_labels.aws.statuses import VERSION_RUNNING, Described, Verdict
from custom_labels.core.codec import from_json, to_json
from custom_labels.core.context import ProjectContext, final
from custom_labels.core.listener import write_note
from custom_labels.core.live_version import LiveVersion
from custom_labels.core.notifications import notify_all
from custom_labels.core.outcome import Outcome, RunOutcome
from custom_labels.deployment.deployment import DeploymentPlan, Units
from custom_labels.deployment.permission import why_not_deleted, why_not_live, why_not_stopped
from custom_labels.deployment.preconditions import never, refuse, require_permission
from custom_labels.deployment.served_record import ServedRecord
from custom_labels.deployment.version_tasks import (
    minutes_without,
    note_restart,
    note_service,
    note_status,
    read_served,
)
from custom_labels.errors import NotDecided
from custom_labels.training.training_records import read_trainings

if TYPE_CHECKING:
    from airflow.sdk import Context


class StartLiveOperator(CustomLabelsStartVersionOperator):
    """Start the version that serves, if the registry says at this moment that it is the one, and record that it runs.

    :param project: name of the project.
    """

    def __init__(self, *, project: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.project = project

    @final
    def execute(self, context: Context) -> Any:
        """Check, then start it."""
        ctx = ProjectContext(self.project, context)
        ctx.deployment_lock.hold()
        refuse(why_not_live(self.version_name, ctx.registry.live()))
        return super().execute(context)

    def result(self, described: Described, context: Context) -> str:
        """Record that it runs."""
        note_service(ProjectContext(self.project, context), self.project_arn, self.version_name)
        return super().result(described, context)


class StopVersionOperator(CustomLabelsStopVersionOperator):
    """Stop a version that does not serve, or of which the registry says why it is stopped, and record that it is.

    :param project: name of the project.
    :param is_recorded: whether it is on record that the live version is to be stopped.
    """

    def __init__(
        self, *, project: str, is_recorded: Callable[[ProjectContext, str], bool] = never, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.project = project
        self.is_recorded = is_recorded

    @final
    def execute(self, context: Context) -> Any:
        """Check, then stop it."""
        ctx = ProjectContext(self.project, context)
        ctx.deployment_lock.hold()
        name = self.version_name
        refuse(why_not_stopped(name, ctx.registry.live(), is_recorded=self.is_recorded(ctx, name)))
        return super().execute(context)

    def result(self, described: Described, context: Context) -> str:
        """Record that it was stopped."""
        note_status(ProjectContext(self.project, context), self.project_arn, self.version_name)
        return super().result(described, context)


class DeleteVersionOperator(CustomLabelsDeleteVersionOperator):
    """Delete a version that neither serves, nor did before, nor is worked on.

    :param project: name of the project.
    """

    def __init__(self, *, project: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.project = project

    @final
    def execute(self, context: Context) -> Any:
        """Check, then delete it."""
        ctx = ProjectContext(self.project, context)
        ctx.deployment_lock.hold()
        open_versions = frozenset(attempt.version_name for attempt in read_trainings(ctx.store).open)
        refuse(why_not_deleted(self.version_name, ctx.registry.live(), open_versions))
        return super().execute(context)


class StartChallengerOperator(CustomLabelsStartVersionOperator):
    """Start the version that is to serve, if the registry says at this moment that it may.

    :param project: name of the project.
    :param plan: the deployment, as :class:`DeploymentPlan` (templated).
    """

    how_to_make_room: ClassVar[str] = (
        "stop a model that is not needed, let the live version make room (set 'when_quota_is_full' to "
        "'stop_then_start' and trigger the DAG again)"
    )
    template_fields: Sequence[str] = aws_template_fields(*CustomLabelsStartVersionOperator.template_fields, "plan")

    def __init__(self, *, project: str, plan: DeploymentPlan, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.project = project
        self.plan = plan

    @final
    def execute(self, context: Context) -> Any:
        """Check, then start it, in the place of the live version if the plan allows that and there is no other."""
        if self.plan is None:
            raise NotDecided(
                f"Task '{self.task_id}' got no plan: 'plan_deployment' was marked by hand. Nothing was started. Clear "
                "that task with the tasks downstream of it."
            )
        plan = from_json(DeploymentPlan, self.plan)
        ctx = ProjectContext(self.project, context)
        ctx.deployment_lock.hold()
        require_permission(ctx, plan.candidate, ctx.registry.live(), needs_approval=plan.needs_approval)
        self.stop_first = to_json(plan.stop_first) if plan.stop_first else None
        return super().execute(context)


class StopChallengerOperator(StopVersionOperator):
    """After a failure: stop the version that was to serve, unless it serves, or nothing was started."""

    needed: ClassVar[tuple[str, ...]] = ()

    @final
    def execute(self, context: Context) -> Any:
        """Stop it if it is to be stopped."""
        if not self.version_name:
            raise AirflowSkipException("The run failed before anything was started.")
        live = ProjectContext(self.project, context).registry.live()
        if live is not None and live.version_name == self.version_name:
            self.log.info("%s serves: it is left running.", live.version_name)
            return None
        return super().execute(context)

    def submit(self, context: Context) -> Described:
        """Stop it if it runs; one that failed to start does not."""
        present = self.describe()
        return present if VERSION_RUNNING.judge(present.status) is Verdict.FAILED else super().submit(context)


class RestartLiveOperator(CustomLabelsStartVersionOperator):
    """After a failure: start the live version again where we stopped it, and say for how long nothing served.

    :param project: name of the project.
    :param version_name: the version that the run was about; nothing was done without one (templated).
    """

    needed: ClassVar[tuple[str, ...]] = ()

    def __init__(self, *, project: str, **kwargs: Any) -> None:
        super().__init__(project_arn="", **kwargs)
        self.project = project

    @final
    def execute(self, context: Context) -> Any:
        """Start it, with the units that it had, if it was stopped."""
        if not self.version_name:
            raise AirflowSkipException("The run failed before anything was stopped.")
        ctx = ProjectContext(self.project, context)
        ctx.deployment_lock.hold()
        live = ctx.registry.live()
        record = read_served(ctx, live.version_name) if live else ServedRecord()
        if live is None or not record.stopped_for:
            raise AirflowSkipException("The version that serves was not stopped by this run or one before it.")
        self._name(live)
        is_down = VERSION_RUNNING.judge(note_status(ctx, live.project_arn, live.version_name).status) is Verdict.FAILED
        # Where an earlier try of this task started it, the record says still that it was found stopped.
        if not is_down and record.status == "RUNNING":
            note_restart(ctx, live.version_name)
            raise AirflowSkipException(f"Version {live.version_name} serves.")
        units = record.units_or(Units(1))
        self.min_inference_units, self.max_inference_units = units.minimum, units.maximum
        self.log.warning("%s was stopped for %s: starting it again.", self.subject, record.stopped_for)
        return super().execute(context)

    def execute_complete(self, context: Context, event: dict[str, Any] | None = None) -> Any:
        """Come back from the triggerer to the version that serves."""
        live = ProjectContext(self.project, context).registry.live()
        if live is None:
            raise AirflowSkipException("No version serves any more.")
        self._name(live)
        return super().execute_complete(context, event)

    def _name(self, live: LiveVersion) -> None:
        self.project_arn, self.version_name = live.project_arn, live.version_name

    def result(self, described: Described, context: Context) -> str:
        """Record that the live version serves again, and notify for how long nothing did."""
        ctx = ProjectContext(self.project, context)
        name = self.version_name
        note_status(ctx, self.project_arn, name)
        record = read_served(ctx, name)
        last = ctx.registry.last_run(ctx.run.dag_id)
        why = f"{last['detail']} " if last.get("run") == ctx.run_name else ""
        detail = (
            f"{why}Version {name}, which was stopped for {record.stopped_for}, was started again and serves; "
            f"nothing served for at most {minutes_without(record)}"
        )
        outcome = RunOutcome(Outcome.FAILED, self.project, detail, ctx.run_name)
        write_note(context, outcome.note)
        notify_all(ctx, outcome)
        note_restart(ctx, name)
        return super().result(described, context)
