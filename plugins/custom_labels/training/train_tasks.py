"""The steps of the train DAG up to the training: what each decides, reads and records."""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import UTC, datetime

from custom_labels.aws.inputs import require_inputs
from custom_labels.core.context import ProjectContext
from custom_labels.core.names import version_name
from custom_labels.core.outcome import Outcome
from custom_labels.core.steps import decision, step
from custom_labels.datasets.manifest_records import build_manifests
from custom_labels.datasets.project_snapshot_records import count_project
from custom_labels.datasets.snapshot import ImageSnapshot
from custom_labels.datasets.trained_record import TrainedRecord
from custom_labels.errors import ModelError, NotPermitted
from custom_labels.training.plan_tasks import dry_run, plan_training
from custom_labels.training.retraining import (
    Due,
    PreparedTraining,
    Retrain,
    RetrainDecision,
    RunDecision,
    TrainingAttempt,
)
from custom_labels.training.retraining_tasks import (
    checked_snapshot,
    decide_on,
    run_kind,
    send_counts,
    why_not_training,
)
from custom_labels.training.settings import TrainingSettings
from custom_labels.training.training_records import TRAININGS, change_trainings, read_trainings
from custom_labels.training.trainings import Trainings

log = logging.getLogger(__name__)

BY_ITSELF = frozenset({"scheduled", "asset_triggered"})
"""Airflow's types of the runs that no person asked for."""

# -- what there is to train on ---------------------------------------------------------------------


@decision
def decide_training(ctx: ProjectContext, settings: TrainingSettings) -> RunDecision:
    """Decide by the listings alone whether this run goes on; it reads no image, writes nothing and does not wait."""
    if ctx.param("dry_run"):
        plan = dry_run(ctx, settings)
        return RunDecision(Due.NO, plan.summary, Outcome.PLANNED, plan.text())
    if (ended := why_not_training(ctx, settings)) is not None:
        return ended
    decided = _count_and_decide(ctx, settings)
    if decided.action is Retrain.NOTHING:
        return RunDecision(Due.NO, decided.reason, Outcome.NOTHING_TO_DO)
    return RunDecision(Due.YES, decided.reason, resumed=decided.resumed)


def _count_and_decide(ctx: ProjectContext, settings: TrainingSettings) -> RetrainDecision:
    """Count the labelled images and those that no training has seen, and apply the rule."""
    trainings = read_trainings(ctx.store)
    if why := trainings.why_torn_down(ctx.project.name):
        return RetrainDecision(Retrain.NOTHING, why)
    held = trainings.why_held(datetime.now(UTC)) if ctx.run.run_type in BY_ITSELF and not trainings.open else ""
    if held:
        return RetrainDecision(Retrain.NOTHING, held)
    snapshot = count_project(ctx.store, ctx.project.task, as_of=ctx.run.as_of, trained=trainings.trained)
    log.info("Snapshot %s: %s images, %s untrained.", snapshot.digest[:12], snapshot.images, snapshot.untrained)
    send_counts(ctx, snapshot, settings.minimum_untrained_images)
    decided = decide_on(ctx, settings, trainings, snapshot)
    log.info("%s", decided.reason)
    return decided


@decision
def prepare_images(
    ctx: ProjectContext,
    settings: TrainingSettings,
    goes_on: RunDecision,
) -> PreparedTraining:
    """Under the lock: check the images, fix the split, write snapshot and manifests, and say what is about to be paid.

    Whether a training is due is decided here for good: another run may have trained while this one waited for the
    lock, and images that cannot be used do not count. Images that were checked before are not read again.
    """
    if goes_on.choice is not Due.YES:
        raise NotPermitted(
            f"Run '{ctx.run_name}' may not train: {goes_on.detail}. Nothing was changed. Clear 'decide_training' with "
            "the tasks downstream of it."
        )
    with ctx.lock.heartbeat():
        trainings = read_trainings(ctx.store)
        if why := trainings.why_torn_down(ctx.project.name):
            return PreparedTraining(Retrain.NOTHING, why)
        begun = trainings.attempt(goes_on.resumed)
        if begun is not None and not begun.state.is_finished:
            return PreparedTraining(Retrain.RESUME, goes_on.detail, begun.digest)
        return _prepare(ctx, settings, trainings)


def _prepare(ctx: ProjectContext, settings: TrainingSettings, trainings: Trainings) -> PreparedTraining:
    with checked_snapshot(ctx, settings, trainings, publish=True) as (frozen, report):
        for line in report.lines():
            log.warning("%s", line)
        snapshot = frozen.header.snapshot
        send_counts(ctx, snapshot, settings.minimum_untrained_images)
        decided = decide_on(ctx, settings, trainings, snapshot)
        if decided.action is not Retrain.TRAIN:
            return PreparedTraining(decided.action, decided.reason, decided.resumed)
        pair = build_manifests(ctx.store, frozen)
        plan = plan_training(ctx, settings, decided, frozen, report).text()
    log.info("\n%s", plan)
    ctx.describe_event(digest=snapshot.digest, images=snapshot.images, untrained=snapshot.untrained)
    return PreparedTraining(
        Retrain.TRAIN, decided.reason, snapshot.digest, snapshot, pair.train.uri, pair.test.uri, plan
    )


# -- the training ----------------------------------------------------------------------------------


@step
def claim_training(
    ctx: ProjectContext,
    settings: TrainingSettings,
    prepared: PreparedTraining,
    project_arn: str | None,
    datasets: list[str | None],
) -> TrainingAttempt:
    """Claim the one training of these images before it is paid, or find the one to go on with.

    Whoever runs after us, here or in another Airflow, finds the claim and goes on with it instead of paying again. The
    version is to be deployed only if both the run that began the training and this one may.

    :param project_arn: the project, ``None`` where a training is gone on with.
    :param datasets: ARNs of its datasets, which this run made.
    """
    if (ended := why_not_training(ctx, settings)) is not None:
        raise NotPermitted(
            f"Run '{ctx.run_name}' may not train: {ended.detail}. Nothing was paid. Clear 'decide_training' with the "
            "tasks downstream of it."
        )
    if prepared.snapshot is None:
        attempt = _resume(ctx, prepared.digest)
    else:
        require_inputs("claim_training", {"project_arn": project_arn, "datasets": datasets})
        attempt = _claim(ctx, prepared.snapshot, str(project_arn))
    return replace(attempt, deploys=attempt.deploys and run_kind(ctx).deploys)


def _claim(ctx: ProjectContext, snapshot: ImageSnapshot, project_arn: str) -> TrainingAttempt:
    ours = TrainingAttempt(
        digest=snapshot.digest,
        project_arn=project_arn,
        version_name=version_name(ctx.project.name, ctx.run.when, snapshot.digest),
        run=ctx.run_name,
        deploys=run_kind(ctx).deploys,
        as_of=ctx.run.as_of.isoformat(),
    )
    force = bool(ctx.param("force"))

    def claimed(trainings: Trainings) -> Trainings:
        if why := trainings.why_torn_down(ctx.project.name):
            raise NotPermitted(
                f"Version '{ours.version_name}' was not claimed for a training: {why} ('{TRAININGS.key}'). Nothing was "
                "paid. Trigger the DAG again when the project is set up."
            )
        return trainings.claim(ours, force=force)

    attempt = change_trainings(ctx.store, claimed)[ours.digest]
    if attempt.state.is_finished:
        raise NotPermitted(
            f"Snapshot {snapshot.digest[:12]} of project '{ctx.project.name}' was not claimed for a training: exactly "
            f"these images were tried before, as version '{attempt.version_name}' ({attempt.state.value}: "
            f"{attempt.detail}). Nothing was paid. Trigger the DAG again; with 'force' it trains them all the same."
        )
    ctx.registry.change_version(
        attempt.version_name,
        TrainedRecord,
        lambda record: replace(
            record, digest=snapshot.digest, as_of=ours.as_of, begun_by=attempt.run, labels=snapshot.labels
        ),
    )
    return attempt


def _resume(ctx: ProjectContext, digest: str | None) -> TrainingAttempt:
    """Find the training to go on with: begun by a run that did not live to see its end, or only measured so far."""
    attempt = change_trainings(ctx.store, lambda trainings: trainings.reopen(digest)).attempt(digest)
    if attempt is None or attempt.state.is_finished:
        raise ModelError(
            f"Project '{ctx.project.name}' has no open training any more: its record in '{TRAININGS.key}' was "
            "changed since this run decided to resume it. Trigger the DAG again."
        )
    return attempt
