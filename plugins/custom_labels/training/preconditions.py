"""What a task that pays for a training makes sure of first, whatever became of the tasks before it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from custom_labels.core.context import ProjectContext
from custom_labels.core.preconditions import Hook, pre_execute, pull_inputs
from custom_labels.errors import NotPermitted
from custom_labels.training.attempt_records import TrainingRecords
from custom_labels.training.retraining_tasks import first_step


def before_training(project: str) -> Hook:
    """Before a training is paid: this run holds the project and may train, and the training was claimed.

    A version that AWS knows costs nothing more: it is only waited for.
    """

    def check(ctx: ProjectContext, task: Any) -> None:
        inputs = pull_inputs(ctx, task, "begin_training", "load_settings")
        ctx.lock.hold()
        if ctx.rekognition.describe_version(task.project_arn, task.version_name).status is None:
            _require_claim(ctx, inputs["load_settings"], inputs["begin_training"])

    return pre_execute(project, check)


def _require_claim(ctx: ProjectContext, settings: Mapping[str, Any], begun: Mapping[str, Any]) -> None:
    name = begun["version_name"]
    require_training(ctx, settings)
    claimed = TrainingRecords(ctx.registry).attempt(begun["digest"])
    if claimed is None or claimed.state.is_finished or claimed.version_name != name:
        state = "is not claimed" if claimed is None else f"is that of '{claimed.version_name}', {claimed.state.value}"
        raise NotPermitted(
            f"Version '{name}' was not trained: the one training of its images {state} "
            f"('registry/attempts/{begun['digest']}.json'). Nothing was paid. Trigger the DAG again; with 'force' it "
            "trains images that were tried before."
        )


def require_training(ctx: ProjectContext, settings: Mapping[str, Any]) -> None:
    """Make sure that this run may train at all.

    :raises NotPermitted: it is a dry run, training is off, or a backfill passes over this interval.
    """
    step, reason = first_step(ctx, settings)
    if step != "acquire_lock":
        raise NotPermitted(
            f"Run '{ctx.run_name}' may not train: {reason}. Nothing was paid. Clear task 'is_training_on' with the "
            "tasks downstream of it."
        )
