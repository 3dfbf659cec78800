"""The operators of the teardown: they wait for trainings, and delete datasets and the project, for its run alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from custom_labels.aws.operators.removal import CustomLabelsDeleteDatasetOperator, CustomLabelsDeleteProjectOperator
from custom_labels.aws.sensors.rekognition import CustomLabelsVersionSensor
from custom_labels.aws.triggers.rekognition import ProjectVersionStatusTrigger
from custom_labels.core.context import ProjectContext, final
from custom_labels.deployment.preconditions import refuse
from custom_labels.errors import NotPermitted
from custom_labels.operations.teardown import why_not_torn_down
from custom_labels.training.train_trigger import TrainingTrigger
from custom_labels.training.training_records import read_trainings

if TYPE_CHECKING:
    from airflow.sdk import Context


def require_order(ctx: ProjectContext) -> None:
    """Make sure that the run was ordered to take the project away, and not only to list what there is.

    :raises NotPermitted: ``dry_run`` is on.
    """
    if ctx.param("dry_run", True):
        raise NotPermitted(
            f"Nothing was changed: the Param 'dry_run' of run '{ctx.run_name}' is on, and a task before this one was "
            "marked by hand. Trigger the teardown DAG with 'dry_run' off to take the project away."
        )


def require_teardown(ctx: ProjectContext) -> None:
    """Hold the project, and make sure that this run is the one that takes it away.

    :raises NotPermitted: the registry says something else.
    """
    require_order(ctx)
    ctx.lock.hold()
    ctx.deployment_lock.hold()
    refuse(why_not_torn_down(ctx.run_name, read_trainings(ctx.store).torn_down))


class WaitForTrainingSensor(CustomLabelsVersionSensor):
    """Wait until a version is not being trained or copied any more, however that ends, and hold the project meanwhile.

    AWS can neither stop a training nor delete a version that trains.

    :param project: name of the project.
    :param poll_seconds: seconds between two polls (templated).
    :param timeout_hours: hours after which the wait is given up (templated).
    """

    trigger_class = TrainingTrigger
    template_fields: Sequence[str] = (*CustomLabelsVersionSensor.template_fields, "poll_seconds", "timeout_hours")

    def __init__(self, *, project: str, poll_seconds: int, timeout_hours: float, **kwargs: Any) -> None:
        super().__init__(until="settled", **kwargs)
        self.project = project
        self.poll_seconds = poll_seconds
        self.timeout_hours = timeout_hours

    def execute(self, context: Context) -> None:
        """Wait as often and as long as the settings say."""
        self.poke_interval = float(self.poll_seconds)
        self.timeout = float(self.timeout_hours) * 3600
        ProjectContext(self.project, context).lock.hold()
        super().execute(context)

    def execute_complete(self, context: Context, event: dict[str, Any] | None = None) -> None:
        """Judge AWS's present word."""
        # Another process than the one that deferred: the settings are the task's arguments all the same.
        self.poke_interval, self.timeout = float(self.poll_seconds), float(self.timeout_hours) * 3600
        super().execute_complete(context, event)

    def trigger(self, **more: Any) -> ProjectVersionStatusTrigger:
        """Wait for the training, and hold the project meanwhile."""
        ctx = ProjectContext(self.project)
        return super().trigger(owner=ctx.owner, bucket=ctx.store.bucket, prefix=ctx.store.prefix, **more)


class TearDownDatasetOperator(CustomLabelsDeleteDatasetOperator):
    """Delete a dataset of the project that is taken away.

    :param project: name of the project.
    """

    def __init__(self, *, project: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.project = project

    @final
    def execute(self, context: Context) -> Any:
        """Check, then delete it."""
        require_teardown(ProjectContext(self.project, context))
        return super().execute(context)


class TearDownProjectOperator(CustomLabelsDeleteProjectOperator):
    """Delete the project that is taken away, once nothing of it is left.

    :param project: name of the project.
    """

    def __init__(self, *, project: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.project = project

    @final
    def execute(self, context: Context) -> Any:
        """Check, then delete it."""
        require_teardown(ProjectContext(self.project, context))
        return super().execute(context)
