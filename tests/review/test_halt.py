"""When reviews are not opened, since all fail for a technical reason, and when they are again."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from custom_labels.core.codec import from_json, to_json
from custom_labels.review.opening import FIRST_PAUSE, LONGEST_PAUSE, PROBE_LIVES, ReviewHalt, halt_after
from custom_labels.review.review import ReviewStatus

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
HALT = ReviewHalt(NOW.isoformat(), "no page", "page 1", "run 1", (NOW + FIRST_PAUSE).isoformat())
PROBED = HALT.begin_probe("digits-x-r1", NOW + FIRST_PAUSE)


def after(before: ReviewHalt | None, failed_at: str, completed_at: str, reason: str = "no page") -> ReviewHalt | None:
    return halt_after(
        before, failed_at=failed_at, completed_at=completed_at, reason=reason, setup="page 1", run="run 1", now=NOW
    )


@pytest.mark.parametrize(
    ("before", "failed_at", "completed_at", "is_halted"),
    [
        (None, "", "", False),
        (None, "", "11:00", False),
        (None, "11:00", "11:00", False),
        (None, "11:00", "", True),
        (None, "11:00", "10:59", True),
        (HALT, "", "11:00", True),
        (HALT, "11:00", "", True),
    ],
    ids=[
        "nothing ended",
        "all work",
        "one that was opened later works",
        "all failed",
        "only earlier ones work",
        "halted, and some are answered",
        "halted, the probe failed",
    ],
)
def test_reviews_are_halted_when(before: ReviewHalt | None, failed_at: str, completed_at: str, is_halted: bool) -> None:
    assert (after(before, failed_at, completed_at) is not None) == is_halted


def test_a_second_decision_of_the_same_harvest_changes_nothing() -> None:
    assert after(after(None, "11:00", ""), "11:00", "") == after(None, "11:00", "") == HALT


def test_another_reason_is_the_news_of_another_run() -> None:
    found = halt_after(HALT, failed_at="11:00", completed_at="", reason="no role", setup="page 1", run="run 2", now=NOW)

    assert found == replace(HALT, reason="no role", run="run 2")


@pytest.mark.parametrize(
    ("halt", "status", "setup", "seconds", "is_halted"),
    [
        (HALT, None, "page 1", 0, True),
        (HALT, None, "page 2", 0, False),
        (PROBED, ReviewStatus.OPEN, "page 1", 1, True),
        (PROBED, ReviewStatus.OPEN, "page 1", PROBE_LIVES.total_seconds(), False),
        (PROBED, ReviewStatus.COMPLETED, "page 1", 1, False),
        (PROBED, ReviewStatus.EXPIRED, "page 1", 1, False),
        (PROBED, ReviewStatus.FAILED, "page 1", 1, True),
        (PROBED, ReviewStatus.UNKNOWN, "page 1", 1, True),
        (PROBED, None, "page 1", 1, True),
        (PROBED, ReviewStatus.FAILED, "page 2", 1, False),
    ],
    ids=[
        "no probe yet",
        "another page",
        "just opened",
        "open for a while",
        "answered",
        "nobody answered",
        "failed",
        "not known",
        "never opened",
        "failed, and another page",
    ],
)
def test_a_halt_goes_on_when(
    halt: ReviewHalt, status: ReviewStatus | None, setup: str, seconds: float, is_halted: bool
) -> None:
    now = NOW + FIRST_PAUSE + timedelta(seconds=seconds)

    assert (halt.judge(status, setup, now) is not None) == is_halted


def test_pauses_between_probes_grow_up_to_a_longest_one() -> None:
    halt, now, pauses = HALT, NOW, []
    for number in range(12):
        now = datetime.fromisoformat(halt.next_probe_at)
        assert halt.may_probe(now)
        assert not halt.may_probe(now - timedelta(seconds=1))
        probed = halt.begin_probe(f"probe {number}", now)
        assert not probed.may_probe(now + timedelta(days=1))
        judged = probed.judge(ReviewStatus.FAILED, "page 1", now)
        assert judged is not None
        pauses.append(datetime.fromisoformat(judged.next_probe_at) - now)
        halt = judged

    assert pauses[:5] == [FIRST_PAUSE * 2**n for n in range(1, 6)]
    assert set(pauses[6:]) == {LONGEST_PAUSE}
    assert from_json(ReviewHalt, to_json(halt)) == halt
