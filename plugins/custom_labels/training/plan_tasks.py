"""The steps that say what a training would do and cost, before it is paid, and draw what came of all of them."""

from __future__ import annotations

import logging
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

from custom_labels.aws.inputs import require_inputs
from custom_labels.core.codec import from_json
from custom_labels.core.context import ProjectContext, step
from custom_labels.core.gate import Metric, gates_of
from custom_labels.core.reporting_tasks import outcome
from custom_labels.datasets.images import CheckReport
from custom_labels.datasets.manifest_records import write_manifests
from custom_labels.datasets.snapshot import ImageSnapshot, LabelChange
from custom_labels.datasets.snapshot_records import LocalSnapshot, changes, count_images, fetch_snapshot
from custom_labels.errors import NotTrainable, SettingError
from custom_labels.evaluation.learning_curve_records import PICTURE, write_learning_curve
from custom_labels.training.attempt_records import TrainingRecords
from custom_labels.training.plan import (
    Estimate,
    PastTraining,
    PlanLabel,
    TrainingPlan,
    estimate,
    gate_in_words,
    plan_labels,
)
from custom_labels.training.prices import load_prices
from custom_labels.training.retraining import Retrain, RetrainDecision
from custom_labels.training.retraining_tasks import as_of, checked_snapshot, decide, run_kind

log = logging.getLogger(__name__)

PLAN_KEY = "plan"
"""XCom key of the plan as Markdown."""
PAST_TRAININGS = 200
"""Version records that an estimate looks at, the newest."""


@step
def plan(project: str, settings: dict[str, Any], checked: dict[str, Any]) -> dict[str, Any]:
    """Say what this run is about to do and why: images, split, gates, hours and cost."""
    ctx = ProjectContext(project)
    ctx.lock.renew()
    snapshot = from_json(ImageSnapshot, checked["snapshot"])
    report = from_json(CheckReport, checked["report"])
    with tempfile.TemporaryDirectory(prefix="custom-labels-") as folder:
        stored = fetch_snapshot(ctx.store, snapshot.digest, Path(folder))
        frozen = replace(stored, header=replace(stored.header, snapshot=snapshot))
        return _tell(ctx, _plan(ctx, settings, decide(ctx, settings, snapshot), frozen, report))


@step
def dry_run(project: str, settings: dict[str, Any]) -> dict[str, Any]:
    """Find out what a run would do, by the same code, and change nothing in S3 or at AWS."""
    ctx = ProjectContext(project)
    return _tell(ctx, _dry_run(ctx, settings))


@step
def planned(project: str, planned: dict[str, Any]) -> dict[str, Any]:
    """End a dry run with its plan in a few sentences; the whole is an XCom of ``dry_run``."""
    return outcome(ProjectContext(project), "planned", planned["summary"])


@step
def learning_curve(project: str) -> dict[str, Any]:
    """Draw the metric of all versions against their images and against time."""
    ctx = ProjectContext(project)
    # Pulled, not handed in: as an argument it would be an upstream that never fails, and this task would run in vain.
    settings = ctx.context["ti"].xcom_pull(task_ids="load_settings")
    require_inputs("learning_curve", {"load_settings": settings})
    curve = write_learning_curve(ctx.registry, project, Metric(settings["headline_metric"]))
    log.info("%s versions are drawn in %s.", len(curve.points), ctx.store.uri(PICTURE))
    return {"versions": len(curve.points), "picture": ctx.store.uri(PICTURE)}


def _tell(ctx: ProjectContext, made: TrainingPlan) -> dict[str, Any]:
    """Put a plan where people look: the task's log and its XComs."""
    text = made.text()
    log.info("\n%s", text)
    ctx.context["ti"].xcom_push(key=PLAN_KEY, value=text)
    return made.to_record()


def _dry_run(ctx: ProjectContext, settings: dict[str, Any]) -> TrainingPlan:
    """Do what a run does up to its first paid call, and publish nothing of it."""
    trained = TrainingRecords(ctx.registry).trained_digest()
    found = count_images(ctx.store, as_of=as_of(settings), trained=trained)
    decision = decide(ctx, settings, found)
    try:
        with checked_snapshot(ctx, settings, trained, publish=False) as (frozen, report):
            write_manifests(ctx.store.uri(), frozen, frozen.path.parent)
            if decision.action is Retrain.TRAIN:
                # Only now is it known what cannot be used.
                decision = decide(ctx, settings, frozen.header.snapshot)
            return _plan(ctx, settings, decision, frozen, report)
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
            trained=trained,
            labels=labels,
            left_out=found.left_out,
        )


def _plan(
    ctx: ProjectContext,
    settings: dict[str, Any],
    decision: RetrainDecision,
    frozen: LocalSnapshot,
    report: CheckReport,
) -> TrainingPlan:
    snapshot, split = frozen.header.snapshot, frozen.header.split
    trained = fetch_snapshot(ctx.store, snapshot.trained, frozen.path.parent) if snapshot.trained else None
    changed = changes(frozen, trained)
    sides = ((count.label, count.train, count.test) for count in snapshot.labels)
    headline = Metric(settings["headline_metric"])
    expected, no_estimate = _expected(ctx, decision, snapshot.train_images)
    return TrainingPlan(
        action=decision.action.value,
        reason=decision.reason,
        digest=snapshot.digest,
        as_of=snapshot.as_of,
        trained=snapshot.trained,
        labels=plan_labels(sides, changed, report.left_out_by_label),
        left_out=snapshot.left_out,
        share=split.share,
        asked_share=settings["test_share"],
        exceptions=len(split.exceptions),
        gates=tuple(gate_in_words(gate, headline) for gate in gates_of(settings)) if run_kind(ctx).deploys else (),
        estimate=expected,
        no_estimate=no_estimate,
        merged=report.merged,
        thresholds=tuple(settings["label_detection_confidence"]),
    )


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
        PastTraining(record["evaluation"]["training_images"], record["billable_training_seconds"] / 3600)
        for record in ctx.registry.versions(newest=PAST_TRAININGS)
        if record.get("evaluation") and record.get("billable_training_seconds")
    ]
    return estimate(images, past, prices.prices.training_hour.amount, assumed), ""
