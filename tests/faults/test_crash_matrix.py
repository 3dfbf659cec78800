"""Every scenario killed with SIGKILL right before and right after each of its changing calls, and run again.

``make test`` kills after some of the calls that spend money or move a pointer; ``make test-crash`` leaves no point out.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from fnmatch import fnmatchcase

import pytest

from tests.faults.crash import Crash
from tests.faults.points import Call, read_calls, read_operations, write
from tests.faults.scenarios import SCENARIOS

pytestmark = pytest.mark.slow

WRITE = "CUSTOM_LABELS_WRITE_CRASH_POINTS"
LIKE_ANOTHER = frozenset(
    {
        *("train_boxes", "detect_boxes", "harvest_boxes", "import_boxes"),
        *("ask_people", "detect_ground_truth", "harvest_ground_truth", "teardown_with_objects"),
    }
)
"""Boxes and other review backends take the way of one label an image at Amazon A2I, through the same tasks, and a
teardown with objects that of one without: ``make test`` kills those."""
RECORDED_LATER = LIKE_ANOTHER | {"train_first", "train_second", "rollback", "label_assist", "teardown"}
"""What takes half a minute to record; ``make test-crash`` does."""


def every_point() -> Iterator[object]:
    """Give the matrix: scenario, side and call."""
    for name, scenario in SCENARIOS.items():
        for call in read_calls(name):
            for side in ("before", "after"):
                is_paid = side == "after" and any(fnmatchcase(str(call), glob) for glob in scenario.paid)
                is_matrix = not is_paid or name in LIKE_ANOTHER
                marks = [pytest.mark.matrix] if is_matrix else [pytest.mark.xdist_group(scenario.group)]
                yield pytest.param(name, side, call, id=f"{name} {side} {call}", marks=marks)


def every_scenario() -> Iterator[object]:
    """Give the scenarios."""
    for name, scenario in SCENARIOS.items():
        marks = [pytest.mark.matrix] if name in RECORDED_LATER else []
        yield pytest.param(name, marks=[*marks, pytest.mark.xdist_group(scenario.group)])


@pytest.mark.parametrize("name", list(every_scenario()))
def test_the_matrix_leaves_no_call_out(crash: Crash, name: str) -> None:
    calls, operations = crash.record(name)
    found, known = (sorted(map(str, calls)), operations), (sorted(map(str, read_calls(name))), read_operations(name))
    if os.environ.get(WRITE) and found != known:
        write(name, calls, operations)
        return

    assert found == known, "the DAG makes other calls than are on record: write them anew with make crash-points"


@pytest.mark.parametrize(("name", "side", "call"), list(every_point()))
def test_the_next_run_brings_it_to_its_end_when_it_is_killed(crash: Crash, name: str, side: str, call: Call) -> None:
    crash.kill(name, side, call)
