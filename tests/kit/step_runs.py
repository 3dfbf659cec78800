"""The steps of a DAG one after the other, without an Airflow around them: for what they do, not for how it is wired.

What passes between them is written as JSON and read back, as between tasks.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, TypeVar

from custom_labels.core.codec import from_json, to_json
from custom_labels.core.context import ProjectContext
from custom_labels.core.outcome import NewImages, RunOutcome
from custom_labels.detection import detect_tasks
from custom_labels.detection.detect_batch_operator import DetectBatchOperator
from custom_labels.detection.work import BatchResult, Collected, NextStep
from custom_labels.errors import NothingToDo
from custom_labels.operations import guard_tasks
from custom_labels.operations.guard import Acting, Inspection
from custom_labels.operations.guard_report import Accounts
from custom_labels.operations.settings import GuardSettings
from custom_labels.review import harvest_tasks
from custom_labels.review.harvest_work import FoundWork, HarvestResult
from custom_labels.review.settings import HarvestSettings
from custom_labels.training.trigger_tasks import trigger_training
from tests.kit.support import wait_until
from tests.kit.task_contexts import project_context, run

T = TypeVar("T")

_numbers = itertools.count(1)


@dataclass(frozen=True)
class Ended:
    """How the steps of a run ended.

    :param note: what the run's note would be.
    :param worked: whether there was work, and a step for it.
    :param is_training_triggered: of a harvest.
    """

    outcome: str
    note: str
    facts: Mapping[str, Any]
    worked: bool
    is_training_triggered: bool = False


def new_run(kind: str, **run: Any) -> ProjectContext:
    """Give the context of a run that no other has the name of."""
    return project_context(f"digits_{kind}", run_id=f"steps-{next(_numbers)}", **run)


def passed(kind: type[T], value: T) -> T:
    """Pass a value on as Airflow does between tasks."""
    read: T = from_json(kind, to_json(value))
    return read


def detect_by_steps(*, by_queue: bool = False, **params: Any) -> Ended:
    """Collect images, detect their batches and finish, where a version serves.

    :param by_queue: whether only the queue triggered the run.
    """
    ctx = new_run("detect", params=params, triggered_by_queue_only=by_queue)
    collected = passed(Collected, detect_tasks.collect.function(ctx))
    detected = None
    if collected.choice is NextStep.DETECT:
        inputs = [{"settings": to_json(collected.settings), "batch": to_json(batch)} for batch in collected.batches]
        tasks = [DetectBatchOperator(task_id="detect_batch", project="digits", **each) for each in inputs]
        detected = [from_json(BatchResult, run(task)) for task in tasks]
    ended = detect_tasks.finish.function(ctx, collected, detected)
    return _ended(ctx, ended, worked=detected is not None)


def harvest_by_steps() -> Ended:
    """Collect the reviews that have ended, harvest their batches, finish, and see whether a training is due.

    The ledger is in the order of the seconds in which runs collect: no two of them do that in the same one.
    """
    begun = datetime.now(UTC).replace(microsecond=0)
    wait_until(lambda: datetime.now(UTC).replace(microsecond=0) > begun)
    ctx = new_run("harvest_reviews")
    found = passed(FoundWork, harvest_tasks.collect.function(ctx))
    harvested = [
        passed(HarvestResult, harvest_tasks.harvest_batch.function(ctx, each, found.settings)) for each in found.batches
    ]
    ended = harvest_tasks.finish.function(ctx, found, harvested or None)
    is_triggered = ended.choice is NewImages.SOME and _is_training_triggered(ctx, found.settings)
    return replace(_ended(ctx, ended, worked=bool(harvested)), is_training_triggered=is_triggered)


def _is_training_triggered(ctx: ProjectContext, settings: HarvestSettings) -> bool:
    try:
        trigger_training.function(ctx, settings)
    except NothingToDo:
        return False
    return True


def guard_by_steps() -> Ended:
    """Inspect, count the costs and finish, where the cost guard finds nothing to stop, start or delete."""
    ctx = new_run("cost_guard")
    settings = ctx.read_settings(GuardSettings)
    inspected = passed(Inspection, guard_tasks.inspect.function(ctx, settings))
    assert inspected.choice is not Acting.DUE, inspected.actions
    accounted = passed(Accounts, guard_tasks.account.function(ctx, settings, inspected))
    return _ended(ctx, guard_tasks.finish.function(ctx, settings, inspected, accounted), worked=False)


def _ended(ctx: ProjectContext, ended: RunOutcome, *, worked: bool) -> Ended:
    return Ended(str(ended.outcome), ctx.notes[-1], ended.facts, worked)
