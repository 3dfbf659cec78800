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


def every_point() -> Iterator[object]:
    """Give the matrix: scenario, side and call."""
    for name, scenario in SCENARIOS.items():
        for call in read_calls(name):
            for side in ("before", "after"):
                is_paid = side == "after" and any(fnmatchcase(str(call), glob) for glob in scenario.paid)
                marks = [pytest.mark.xdist_group(scenario.group)] if is_paid else [pytest.mark.matrix]
                yield pytest.param(name, side, call, id=f"{name} {side} {call}", marks=marks)


def every_scenario() -> Iterator[object]:
    """Give the scenarios; a second training makes the calls of a first one, and of boxes: enough for ``make test``."""
    for name, scenario in SCENARIOS.items():
        marks = [pytest.mark.matrix] if name in {"train_first", "train_boxes"} else []
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
