"""Each operation of a training, of labels and of boxes, throttled at several shares of its calls, or failing.

Whatever the share, nothing is paid twice; a run that gives up says so in AWS's words, and the next one finishes.
"""

from __future__ import annotations

from itertools import product

import pytest

from tests.faults.crash import Crash
from tests.faults.points import read_operations

pytestmark = [pytest.mark.slow, pytest.mark.matrix]

SCENARIOS = ("train_second", "train_boxes")
TROUBLE = [("throttle", 0.1), ("throttle", 0.5), ("throttle", 0.9), ("error", 0.1)]
"""Kinds and shares; the share of 0 is the undisturbed run of the crash matrix."""


@pytest.mark.parametrize(
    ("scenario", "operation", "kind", "share"),
    [
        pytest.param(scenario, operation, kind, share, id=f"{scenario} {operation} {kind} {share:.0%}")
        for scenario in SCENARIOS
        for operation, (kind, share) in product(read_operations(scenario), TROUBLE)
    ],
)
def test_nothing_is_paid_twice_and_the_work_is_done_when_calls_fail(
    crash: Crash, scenario: str, operation: str, kind: str, share: float
) -> None:
    crash.trouble(scenario, operation=operation, kind=kind, share=share)
