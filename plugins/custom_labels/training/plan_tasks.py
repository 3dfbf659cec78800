"""The steps that say what a training would do and cost, before it is paid."""

from __future__ import annotations

import logging

from custom_labels.core.context import ProjectContext
from custom_labels.core.names import PAGES
from custom_labels.datasets.images import CheckReport
from custom_labels.datasets.manifest_records import write_manifests
from custom_labels.datasets.project_snapshot_records import count_project
from custom_labels.datasets.snapshot import LabelChange
from custom_labels.datasets.snapshot_records import LocalSnapshot, changes, fetch_snapshot
from custom_labels.errors import NotTrainable, SettingError
from custom_labels.evaluation.judged_record import JudgedRecord
from custom_labels.training.plan import (
    Estimate,
    PastTraining,
    PlanLabel,
    TrainingPlan,
    estimate,
    gate_in_words,
    plan_labels,
    plan_whole,
)
from custom_labels.training.prices import load_prices
from custom_labels.training.retraining import Retrain, RetrainDecision
from custom_labels.training.retraining_tasks import checked_snapshot, decide_on, run_kind
from custom_labels.training.settings import TrainingSettings
from custom_labels.training.training_records import read_trainings

log = logging.getLogger(__name__)

PAST_TRAININGS = 200
"""Version records that an estimate reads, the newest."""


def dry_run(ctx: ProjectContext, settings: TrainingSettings) -> TrainingPlan:
    """Find out what a run would do, by the same code up to its first paid call, and publish nothing of it."""
    plan = _dry_run(ctx, settings)
    log.info("\n%s", plan.text())
    return plan


def _dry_run(ctx: ProjectContext, settings: TrainingSettings) -> TrainingPlan:
    trainings = read_trainings(ctx.store)
    found = count_project(ctx.store, ctx.project.task, as_of=ctx.run.as_of, trained=trainings.trained)
    decision = decide_on(ctx, settings, trainings, found)
    try:
        with checked_snapshot(ctx, settings, trainings, publish=False) as (frozen, report):
            write_manifests(ctx.store.uri(), frozen, frozen.path.parent)
            if decision.action is Retrain.TRAIN:
                # Only now is it known what cannot be used.
                decision = decide_on(ctx, settings, trainings, frozen.header.snapshot)
            return plan_training(ctx, settings, decision, frozen, report)
    except NotTrainable as error:
        labels = tuple(
            PlanLabel(count.label, count.images, 0, 0, 0, LabelChange(count.label, new=count.untrained))
            for count in found.labels
        )
        is_stopped = decision.action is Retrain.TRAIN
        return TrainingPlan(
            action="impossible" if is_stopped else decision.action.value,
            reason=str(error).rstrip(".") if is_stopped else decision.reason,
            digest=found.digest,
            as_of=found.as_of,
            trained=trainings.trained,
            labels=labels,
            whole=PlanLabel("", found.images, 0, 0, 0, LabelChange("", new=found.untrained)),
            left_out=found.left_out,
        )


def plan_training(
    ctx: ProjectContext,
    settings: TrainingSettings,
    decision: RetrainDecision,
    frozen: LocalSnapshot,
    report: CheckReport,
) -> TrainingPlan:
    """Say what a run is about to do and why: images, split, gates, hours and cost."""
    snapshot, split = frozen.header.snapshot, frozen.header.split
    trained = fetch_snapshot(ctx.store, snapshot.trained, frozen.path.parent) if snapshot.trained else None
    changed = changes(frozen, trained)
    sides = ((count.label, count.train, count.test) for count in snapshot.labels)
    headline = settings.headline_metric
    expected, no_estimate = _expected(ctx, decision, snapshot.train_images)
    return TrainingPlan(
        action=decision.action.value,
        reason=decision.reason,
        digest=snapshot.digest,
        as_of=snapshot.as_of,
        trained=snapshot.trained,
        labels=plan_labels(sides, changed.labels, report.left_out_by_label),
        whole=plan_whole(snapshot.train_images, snapshot.test_images, report.images, changed.whole),
        left_out=snapshot.left_out,
        share=split.share,
        asked_share=settings.test_share,
        exceptions=len(split.exceptions),
        gates=tuple(gate_in_words(gate, headline) for gate in settings.all_gates()) if run_kind(ctx).deploys else (),
        estimate=expected,
        no_estimate=no_estimate,
        merged=report.merged,
        annotations=report.annotations,
        thresholds=tuple(settings.label_detection_confidence),
        inspection=_inspection(ctx, frozen),
    )


def _inspection(ctx: ProjectContext, frozen: LocalSnapshot) -> tuple[str, ...]:
    """Say what was found in the images, and where that is shown."""
    found = frozen.inspection
    if found is None:
        return ()
    page = f"{PAGES}/{ctx.project.name}/data/{found.digest}"
    return (*found.lines(), f"all of it, with pictures: {page}")


def _expected(ctx: ProjectContext, decision: RetrainDecision, images: int) -> tuple[Estimate | None, str]:
    """Estimate what is about to be paid; a missing price is no reason not to train, so it is said instead."""
    if decision.action is not Retrain.TRAIN:
        return None, "nothing is paid"
    try:
        prices = load_prices()
    except SettingError as error:
        return None, f"unknown: {error}"
    assumed = prices.assumptions.training_hours if prices.assumptions else 1.0
    past = [
        PastTraining(record.evaluation.training_images, record.billable_training_seconds / 3600)
        for _, record in ctx.registry.versions(JudgedRecord, newest=PAST_TRAININGS)
        if record.evaluation and record.billable_training_seconds
    ]
    return estimate(images, past, prices.prices.training_hour.amount, assumed), ""
