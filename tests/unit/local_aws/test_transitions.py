"""Pending changes are applied in order, when they are due and their work is done."""

from __future__ import annotations

from concurrent.futures import Future
from typing import Any

from include.local_aws.transitions import Transitions


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_changes_are_applied_in_the_order_they_are_due() -> None:
    clock, applied = Clock(), list[str]()
    transitions = Transitions(clock)
    for name, seconds in (("late", 2.0), ("first", 1.0), ("second", 1.0), ("never", 9.0)):
        transitions.schedule(name, seconds, lambda name=name: applied.append(name))
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
