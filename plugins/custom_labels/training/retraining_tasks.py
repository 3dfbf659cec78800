"""What the steps of the train DAG decide by: what kind of run this is, and whether a training is due in it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from custom_labels.core.context import BACKFILL, ProjectContext, RunInfo
from custom_labels.core.label_settings import in_words, unknown_gate_labels
from custom_labels.core.metrics import Gauge, send_gauges
from custom_labels.core.outcome import Outcome
from custom_labels.datasets.images import CheckReport
from custom_labels.datasets.project_snapshot_records import frozen_project
from custom_labels.datasets.snapshot import ImageSnapshot, require_region
from custom_labels.datasets.snapshot_records import LocalSnapshot
from custom_labels.errors import NotTrainable
from custom_labels.training.retraining import (
    Due,
    Retrain,
    RetrainDecision,
    RunDecision,
    RunKind,
    decide_retraining,
    is_interval_due,
)
from custom_labels.training.settings import TrainingSettings
from custom_labels.training.trainings import Trainings


def run_kind(ctx: ProjectContext) -> RunKind:
    """Say what is asked of the run: a backfill deploys only what its ``deploy`` asks for."""
    backfill = ctx.run.run_type == BACKFILL
    return RunKind(backfill=backfill, deploys=not backfill or bool(ctx.param("deploy")))


def why_not_training(ctx: ProjectContext, settings: TrainingSettings) -> RunDecision | None:
    """Say how the run ends where it may not train at all, whatever images there are."""
    if run_kind(ctx).backfill:
        reason = skipped_interval(ctx.run, ctx.param("backfill_every_days"))
        return RunDecision(Due.NO, reason, Outcome.NOTHING_TO_DO) if reason else None
    if settings.enable_automatic_training or ctx.param("even_if_training_is_off"):
        return None
    variable = ctx.project.variable("enable_automatic_training")
    return RunDecision(Due.NO, f"Variable '{variable}' is off", Outcome.TRAINING_IS_OFF)


def skipped_interval(run: RunInfo, every_days: int | None) -> str | None:
    """Say why a backfill passes over a run's interval, ``None`` where it does not."""
    if not every_days or not run.interval_start or not run.interval_end:
        return None
    if is_interval_due(run.interval_start, run.interval_end, every_days):
        return None
    return f"the backfill trains every {every_days} days, and none of them ends within this interval"


def require_bucket_in_region(ctx: ProjectContext) -> None:
    """Stop where the bucket is in another region, whose objects Custom Labels can neither read nor write.

    S3 itself answers from everywhere, so it would not be known before a dataset or a training failed.

    :raises NotTrainable: it is.
    """
    theirs, ours = ctx.store.bucket_region(), ctx.rekognition.client.meta.region_name
    if theirs and theirs != ours:
        raise NotTrainable(
            f"The bucket '{ctx.store.bucket}' is in {theirs}, and Custom Labels is called in {ours}, where it reads "
            f"and writes only buckets of that region. Set 'region_name' of {ctx.project.name}.yaml, or the region of "
            f"the Airflow connection '{ctx.project.aws_conn_id}', to {theirs}, or name a bucket in {ours}."
        )


@contextmanager
def checked_snapshot(
    ctx: ProjectContext, settings: TrainingSettings, trainings: Trainings, *, publish: bool
) -> Iterator[tuple[LocalSnapshot, CheckReport]]:
    """Check the images and fix the split, if Custom Labels takes them where it is called.

    :param trainings: those before: what is untrained, and which split is followed.
    :param publish: whether the snapshot is kept in S3; else it is only on this machine.
    :raises NotTrainable: Custom Labels would refuse it.
    """
    require_bucket_in_region(ctx)
    with frozen_project(
        ctx.store,
        ctx.project.task,
        as_of=ctx.run.as_of,
        trained=trainings.trained,
        publish=publish,
        split_of=trainings.split,
        test_share=settings.test_share,
        inspects=settings.inspect_images,
    ) as (frozen, report):
        require_region(frozen.header.snapshot, ctx.rekognition.client.meta.region_name)
        require_gate_labels(ctx, settings, frozen.header.snapshot)
        yield frozen, report


def require_gate_labels(ctx: ProjectContext, settings: TrainingSettings, snapshot: ImageSnapshot) -> None:
    """Stop where a gate is on a label without images, which no version could pass: before the training is paid.

    :raises NotTrainable: there is such a gate, and the version is to be judged.
    """
    labels = {label.label for label in snapshot.labels}
    variable = ctx.project.variable("gates")
    if run_kind(ctx).deploys and (unknown := unknown_gate_labels(settings.all_gates(), labels)):
        raise NotTrainable(
            "A gate names labels that no usable image has, so that no version could pass it: "
            f"{in_words(unknown, labels)}. Correct the Variable '{variable}' or 'settings.gates' "
            f"of {ctx.project.name}.yaml, or add images of the label. Nothing was trained or paid."
        )


def send_counts(ctx: ProjectContext, snapshot: ImageSnapshot, minimum_untrained_images: int) -> None:
    """Send how many images there are, and how many more a training needs, to where Airflow sends its metrics."""
    send_gauges(
        ctx,
        {
            Gauge.IMAGES_LABELED: snapshot.images,
            Gauge.IMAGES_UNTRAINED: snapshot.untrained,
            Gauge.IMAGES_NEEDED: minimum_untrained_images,
            Gauge.IMAGES_LABELS: len(snapshot.labels),
            Gauge.IMAGES_RAREST_LABEL: min((label.images for label in snapshot.labels), default=None),
        },
    )


def decide_on(
    ctx: ProjectContext, settings: TrainingSettings, trainings: Trainings, snapshot: ImageSnapshot
) -> RetrainDecision:
    """Apply the rule to a snapshot, with what the registry and AWS know of earlier trainings."""
    if why := trainings.why_torn_down(ctx.project.name):
        return RetrainDecision(Retrain.NOTHING, why)
    known = (
        attempt
        for attempt in trainings.open
        # Where AWS knows no version it was claimed, but nothing was ever created or paid.
        if ctx.rekognition.describe_version(attempt.project_arn, attempt.version_name).status is not None
    )
    decision = decide_retraining(
        images=snapshot.images,
        untrained=snapshot.untrained,
        minimum_untrained_images=settings.minimum_untrained_images,
        attempt=trainings.attempt(snapshot.digest),
        open_attempt=next(known, None),
        force=bool(ctx.param("force")),
        run=run_kind(ctx),
    )
    # A user who put an image there and reads that there is none must see why it does not count.
    left_out = "".join(f"; {count} left out: {why}" for why, count in snapshot.left_out)
    return replace(decision, reason=decision.reason + left_out)
