"""Which detections are sampled, and what their answers say about a version."""

from __future__ import annotations

import pytest

from custom_labels.domain.audit import Accuracy, accuracy_alarm, every_nth, wilson_interval


def accuracy(right: int, answered: int) -> Accuracy:
    return Accuracy("v1", None, True, sampled=answered, answered=answered, right=right)


@pytest.mark.parametrize(
    ("interval", "seen", "count", "marked", "left"),
    [
        (3, 0, 7, [2, 5], 1),
        (3, 2, 4, [0, 3], 0),
        (1, 0, 3, [0, 1, 2], 0),
        (10, 0, 9, [], 9),
        (5, 40, 2, [0], 1),
    ],
    ids=["every third", "goes on where the last run ended", "all", "too few", "the interval was made shorter"],
)
def test_every_nth_is_marked(interval: int, seen: int, count: int, marked: list[int], left: int) -> None:
    found = list(every_nth(range(count), interval, seen=seen))

    assert [item for item, is_marked, _ in found if is_marked] == marked
    assert found[-1][2] == left


# Agresti and Coull (1998), and any statistics package: Wilson score intervals without continuity correction.
@pytest.mark.parametrize(
    ("right", "answered", "low", "high"),
    [(9, 10, 0.596, 0.982), (0, 10, 0.0, 0.278), (10, 10, 0.722, 1.0), (50, 100, 0.404, 0.596), (1, 1, 0.207, 1.0)],
)
def test_the_interval_is_wilsons(right: int, answered: int, low: float, high: float) -> None:
    assert wilson_interval(right, answered) == pytest.approx((low, high), abs=0.0006)


@pytest.mark.parametrize(
    ("live", "told"),
    [
        (None, False),
        (accuracy(0, 0), False),
        (accuracy(0, 9), False),
        (accuracy(7, 10), True),
        (accuracy(8, 10), False),
        (accuracy(10, 10), False),
    ],
    ids=["nothing sampled", "no answers", "too few answers", "too low", "just enough", "all right"],
)
def test_people_are_told_when_live_accuracy_is_low(live: Accuracy | None, told: bool) -> None:
    alarm = accuracy_alarm(live, minimum=0.8, minimum_answers=10)

    assert (alarm is not None) == told
    assert alarm is None or "7 of 10" in alarm
