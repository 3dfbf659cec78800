"""The operator that trains a version of a project, and the sensor that waits for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

from custom_labels.aws.operators.versions import CustomLabelsTrainVersionOperator
from custom_labels.aws.sensors.rekognition import CustomLabelsVersionSensor
from custom_labels.aws.statuses import Described
from custom_labels.aws.triggers.rekognition import ProjectVersionStatusTrigger
from custom_labels.core.codec import from_json
from custom_labels.core.context import ProjectContext, final
from custom_labels.datasets.refusals import refusals_in_words
from custom_labels.datasets.refusals_tasks import note_refusals
from custom_labels.datasets.trained_record import TrainedRecord
from custom_labels.errors import NotPermitted
from custom_labels.training.retraining import AttemptState, TrainingAttempt
from custom_labels.training.train_trigger import TrainingTrigger
from custom_labels.training.training_records import TRAININGS, finish_training, read_trainings

if TYPE_CHECKING:
    from airflow.sdk import Context


class TrainVersionOperator(CustomLabelsTrainVersionOperator):
    """Train the version of an attempt, if this run holds the project and the training was claimed.

    A version that AWS knows costs nothing more: it is only waited for.

    :param project: name of the project.
    :param attempt: the :class:`TrainingAttempt` (templated).
    """

    how_to_delete: ClassVar[str] = "delete versions, set 'keep_versions' so that the cost guard does"
    template_fields: Sequence[str] = (*CustomLabelsTrainVersionOperator.template_fields, "attempt")

    def __init__(self, *, project: str, attempt: TrainingAttempt, **kwargs: Any) -> None:
        super().__init__(project_arn=attempt.project_arn, version_name=attempt.version_name, **kwargs)
        self.project = project
        self.attempt = attempt

    @final
    def execute(self, context: Context) -> Any:
        """Train it under the project's lock."""
        if self.attempt is not None:
            ProjectContext(self.project, context).lock.hold()
        return super().execute(context)

    def require_permission(self) -> None:
        """Fail where the training is not claimed, or was tried before."""
        attempt = from_json(TrainingAttempt, self.attempt)
        claimed = read_trainings(ProjectContext(self.project).store).attempt(attempt.digest)
        if claimed is None or claimed.state.is_finished or claimed.version_name != attempt.version_name:
            state = "is not claimed"
            if claimed is not None:
                state = f"is that of '{claimed.version_name}', {claimed.state.value}"
            raise NotPermitted(
                f"Version '{attempt.version_name}' was not trained: the one training of its images {state} "
                f"('{TRAININGS.key}'). Nothing was paid. Trigger the DAG again; with 'force' it "
                "trains images that were tried before."
            )


class TrainingSensor(CustomLabelsVersionSensor):
    """Wait until the version of an attempt is trained.

    A training that AWS gives up is recorded, so that the same images are not tried again; one that takes longer than
    it is waited for stays open, and the next run goes on with it. The project is held meanwhile.

    :param project: name of the project.
    :param attempt: the :class:`TrainingAttempt` (templated).
    :param poll_seconds: seconds between two polls (templated).
    :param timeout_hours: hours after which the training is given up (templated).
    """

    trigger_class = TrainingTrigger
    template_fields: Sequence[str] = (
        *CustomLabelsVersionSensor.template_fields,
        "attempt",
        "poll_seconds",
        "timeout_hours",
    )

    def __init__(
        self, *, project: str, attempt: TrainingAttempt, poll_seconds: int, timeout_hours: float, **kwargs: Any
    ) -> None:
        super().__init__(until="trained", project_arn=attempt.project_arn, version_name=attempt.version_name, **kwargs)
        self.project = project
        self.attempt = attempt
        self.poll_seconds = poll_seconds
        self.timeout_hours = timeout_hours

    def execute(self, context: Context) -> None:
        """Wait as often and as long as the settings say."""
        self.poke_interval = float(self.poll_seconds)
        self.timeout = float(self.timeout_hours) * 3600
        super().execute(context)

    def trigger(self, **more: Any) -> ProjectVersionStatusTrigger:
        """Wait for the training, and hold the project meanwhile."""
        ctx = ProjectContext(self.project)
        return super().trigger(owner=ctx.owner, bucket=ctx.store.bucket, prefix=ctx.store.prefix, **more)

    def explain(self, described: Described) -> str:
        """Record the failed training, and add the images that Custom Labels refused."""
        ctx, attempt = ProjectContext(self.project), from_json(TrainingAttempt, self.attempt)
        extra = super().explain(described)
        if described.status is None:
            return extra
        refusals = note_refusals(ctx, attempt.digest, described.raw)
        refused = refusals_in_words(refusals)
        detail = f"{described.status}: {described.message}"
        ctx.registry.change_version(
            attempt.version_name,
            TrainedRecord,
            lambda record: replace(record, status=described.status, detail=detail, refused_images=refusals),
        )
        finish_training(ctx.store, attempt.digest, attempt.version_name, AttemptState.TRAINING_FAILED, detail)
        return f"{extra} Custom Labels did not use {refused}." if refused else extra
