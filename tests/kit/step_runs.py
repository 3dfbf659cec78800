"""The steps of a DAG one after the other, without an Airflow around them: for what they do, not for how it is wired.

What passes between them is written as JSON and read back, as between tasks.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, TypeVar

from airflow.sdk import Context
from airflow.sdk.execution_time.context import set_current_context

from custom_labels.aws.operators.datasets import CustomLabelsCreateProjectOperator
from custom_labels.core.codec import from_json, to_json
from custom_labels.core.context import ProjectContext
from custom_labels.core.outcome import RunOutcome
from custom_labels.deployment.settings import TrainSettings
from custom_labels.detection import detect_tasks
from custom_labels.detection.detect_batch_operator import DetectBatchOperator
from custom_labels.detection.settings import DetectionSettings
from custom_labels.detection.work import BatchResult, Collected, NextStep
from custom_labels.errors import NothingToDo
from custom_labels.operations import bootstrap_tasks, guard_tasks
from custom_labels.operations.account_tasks import account
from custom_labels.operations.guard import Acting, Inspection
from custom_labels.operations.guard_report import Accounts
from custom_labels.operations.settings import BootstrapSettings, GuardSettings
from custom_labels.review import harvest_tasks
from custom_labels.review.harvest_summary import NewImages
from custom_labels.review.harvest_work import FoundWork, HarvestResult
from custom_labels.review.settings import HarvestSettings
from custom_labels.review.setup_tasks import CustomLabelsSetupReviewOperator
from custom_labels.training import train_tasks
from custom_labels.training.retraining import Due, PreparedTraining, RunDecision
from tests.kit.support import wait_until
from tests.kit.task_contexts import context, project_context, run

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
    settings = ctx.read_settings(DetectionSettings)
    collected = passed(Collected, detect_tasks.collect.function(ctx, settings))
    detected = None
    if collected.choice is NextStep.DETECT:
        inputs = [{"settings": to_json(settings), "batch": to_json(batch)} for batch in collected.batches]
        tasks = [DetectBatchOperator(task_id="detect_batch", project="digits", **each) for each in inputs]
        detected = [from_json(BatchResult, run(task)) for task in tasks]
    ended = detect_tasks.finish.function(ctx, settings, collected, detected)
    return _ended(ctx, ended, worked=detected is not None)


def harvest_by_steps() -> Ended:
    """Collect the reviews that have ended, harvest their batches, finish, and see whether a training is due.

    The ledger is in the order of the seconds in which runs collect: no two of them do that in the same one.
    """
    begun = datetime.now(UTC).replace(microsecond=0)
    wait_until(lambda: datetime.now(UTC).replace(microsecond=0) > begun)
    ctx = new_run("harvest_reviews")
    settings = ctx.read_settings(HarvestSettings)
    found = passed(FoundWork, harvest_tasks.collect.function(ctx))
    harvested = [
        passed(HarvestResult, harvest_tasks.harvest_batch.function(ctx, batch, settings)) for batch in found.batches
    ]
    ended = harvest_tasks.finish.function(ctx, settings, found, harvested or None)
    is_triggered = ended.choice is NewImages.SOME and _is_training_triggered(ctx, settings)
    return replace(_ended(ctx, ended, worked=bool(harvested)), is_training_triggered=is_triggered)


def _is_training_triggered(ctx: ProjectContext, settings: HarvestSettings) -> bool:
    try:
        harvest_tasks.trigger_training.function(ctx, settings)
    except NothingToDo:
        return False
    return True


def bootstrap_by_steps(*, reviewers: int = 1) -> Ended:
    """Make what can be made, check everything and finish.

    :raises AirflowFailException: something is not as it has to be.
    """
    ctx = new_run("bootstrap")
    settings = ctx.read_settings(BootstrapSettings)
    at_once: dict[str, Any] = {"waiter_delay": 0, "deferrable": False}
    run(CustomLabelsCreateProjectOperator(task_id="create_project", project_name="digits", **at_once), context())
    review = CustomLabelsSetupReviewOperator(task_id="set_up_review", project="digits", reviewers=reviewers, **at_once)
    run(review, context())
    with set_current_context(Context(ti=PoolTasks())):  # type: ignore[typeddict-item]
        found = bootstrap_tasks.check_everything.function(ctx)
    return _ended(ctx, bootstrap_tasks.finish.function(ctx, settings, found), worked=True)


def prepare_by_steps(**params: Any) -> tuple[RunDecision, PreparedTraining | None]:
    """Decide whether to train and, where that is due, prepare the images, as the train DAG does under its lock."""
    ctx = new_run("train", params=params, as_of=datetime.now(UTC))
    settings = ctx.read_settings(TrainSettings)
    decided = passed(RunDecision, train_tasks.decide_training.function(ctx, settings))
    if decided.choice is not Due.YES:
        return decided, None
    assert ctx.try_take(ctx.lock) is None
    try:
        return decided, train_tasks.prepare_images.function(ctx, settings, decided)
    finally:
        ctx.lock.release()


def guard_by_steps() -> Ended:
    """Inspect, count the costs and finish, where the cost guard finds nothing to stop, start or delete."""
    ctx = new_run("cost_guard")
    settings = ctx.read_settings(GuardSettings)
    inspected = passed(Inspection, guard_tasks.inspect.function(ctx, settings))
    assert inspected.choice is not Acting.DUE, inspected.actions
    accounted = passed(Accounts, account.function(ctx, settings, inspected))
    return _ended(ctx, guard_tasks.finish.function(ctx, settings, inspected, accounted), worked=False)


class PoolTasks:
    """The task instance by which the check asks what became of the tasks that take a slot of each pool: all ran."""

    dag_id, run_id = "digits_bootstrap", "test"

    def get_task_states(self, *, task_ids: list[str], **_run: Any) -> dict[str, dict[str, str]]:
        return {self.run_id: dict.fromkeys(task_ids, "success")}


def _ended(ctx: ProjectContext, ended: RunOutcome, *, worked: bool) -> Ended:
    return Ended(str(ended.outcome), ctx.notes[-1], ended.facts, worked)
