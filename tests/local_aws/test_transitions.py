"""Pending changes are applied in order, when they are due and their work is done."""

from __future__ import annotations

import threading
import time
from concurrent.futures import Future
from functools import partial
from typing import Any

import pytest

from include.local_aws.faults import Faults
from include.local_aws.objects import Objects
from include.local_aws.rekognition.datasets import create_dataset
from include.local_aws.rekognition.projects import create_project
from include.local_aws.rekognition.state import Region
from include.local_aws.rekognition.versions import create_project_version
from include.local_aws.settings import Outcome, Settings
from include.local_aws.training.pool import TrainerPool
from include.local_aws.transitions import Transitions

HOUR = 3600.0


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_changes_are_applied_in_the_order_they_are_due() -> None:
    clock, applied = Clock(), list[str]()
    transitions = Transitions(clock)
    for name, seconds in (("late", 2.0), ("first", 1.0), ("second", 1.0), ("never", 9.0)):
        transitions.schedule(name, seconds, partial(applied.append, name))
    transitions.settle()
    assert applied == []
    clock.now = 2
    transitions.settle()
    assert applied == ["first", "second", "late"]


def test_change_waits_for_its_work_and_its_time() -> None:
    clock, applied = Clock(), list[str]()
    transitions = Transitions(clock)
    work: Future[Any] = Future()
    transitions.schedule("training", 1.0, lambda: applied.append("training"), work)
    clock.now = 5
    transitions.settle()
    assert applied == []
    work.set_result(None)
    transitions.settle()
    assert applied == ["training"]


@pytest.mark.parametrize(
    ("worked_until", "expected"), [(1, 2), (4, 4)], ids=["work was done before", "work took longer"]
)
def test_moment_is_when_it_happened_when_it_is_asked_for_later(worked_until: float, expected: float) -> None:
    clock, ages = Clock(), list[float]()
    transitions = Transitions(clock)
    work: Future[Any] = Future()
    transitions.schedule("training", 2.0, lambda: ages.append(time.time() - transitions.moment), work)
    clock.now = worked_until
    work.set_result(None)
    clock.now = HOUR
    transitions.settle()
    assert ages == [pytest.approx(HOUR - expected, abs=60)]


def test_descriptions_say_when_it_happened_when_they_are_asked_for_later() -> None:
    settings, clock = Settings({}, {}, 0), Clock()
    region = Region("us-east-1", settings, Objects(Faults(0)), TrainerPool(0), threading.RLock())
    region.transitions = Transitions(clock)
    project = create_project(region, {"ProjectName": "p"})["ProjectArn"]
    clock.now = 1
    region.transitions.settle()
    datasets = [
        create_dataset(region, {"ProjectArn": project, "DatasetType": kind})["DatasetArn"] for kind in ("TRAIN", "TEST")
    ]
    later(region, clock)
    assert all(time.time() - region.dataset(dataset).updated > HOUR / 2 for dataset in datasets)
    settings.set_outcomes([Outcome("training", "*", "TRAINING_FAILED", "x")])
    create_project_version(region, {"ProjectArn": project, "VersionName": "v", "OutputConfig": {"S3Bucket": "missing"}})
    later(region, clock)
    assert time.time() - region.project(project).versions["v"].details["TrainingEndTimestamp"] > HOUR / 2


def later(region: Region, clock: Clock) -> None:
    """Wait for the work that is going on, and look an hour later."""
    while region.transitions.is_working:
        time.sleep(0.01)
    clock.now += HOUR
    region.transitions.settle()


def test_change_counts_from_now_when_another_schedules_it() -> None:
    clock, applied = Clock(), list[str]()
    transitions = Transitions(clock)
    transitions.schedule("stop", 1.0, lambda: transitions.schedule("stopped", 1.0, lambda: applied.append("stopped")))
    clock.now = 5
    transitions.settle()
    assert applied == []
    clock.now = 6
    transitions.settle()
    assert applied == ["stopped"]
