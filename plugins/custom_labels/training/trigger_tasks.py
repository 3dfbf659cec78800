"""The step that triggers a training where new labelled images may be enough for one."""

from __future__ import annotations

import logging
from datetime import UTC, datetime

from custom_labels.core.context import ProjectContext
from custom_labels.core.run_settings import TriggerSettings
from custom_labels.core.steps import step
from custom_labels.datasets.project_snapshot_records import count_project
from custom_labels.errors import NothingToDo
from custom_labels.training.retraining import Retrain, decide_retraining
from custom_labels.training.retraining_tasks import send_counts
from custom_labels.training.training_records import read_trainings

log = logging.getLogger(__name__)


@step
def trigger_training(ctx: ProjectContext, settings: TriggerSettings) -> None:
    """Trigger the train DAG, by this task's asset, if a training of the present images would begin; else skip."""
    if not settings.enable_automatic_training:
        raise NothingToDo(f"Variable '{ctx.project.variable('enable_automatic_training')}' is off.")
    trainings, now = read_trainings(ctx.store), datetime.now(UTC)
    if why := trainings.why_torn_down(ctx.project.name) or trainings.why_held(now):
        raise NothingToDo(f"No training is triggered: {why}.")
    snapshot = count_project(ctx.store, ctx.project.task, as_of=now, trained=trainings.trained)
    send_counts(ctx, snapshot, settings.minimum_untrained_images)
    decided = decide_retraining(
        images=snapshot.images,
        untrained=snapshot.untrained,
        minimum_untrained_images=settings.minimum_untrained_images,
        attempt=trainings.attempt(snapshot.digest),
        open_attempt=next(iter(trainings.open), None),
    )
    log.info("%s: %s.", decided.action, decided.reason)
    if decided.action is not Retrain.TRAIN:
        raise NothingToDo(f"No training is triggered: {decided.reason}.")
    ctx.describe_event(images=snapshot.images, untrained=snapshot.untrained)
