"""When a version ran: each word may come twice, late, or never."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from custom_labels.core.codec import from_json, to_json
from custom_labels.deployment.serving import ServingRecord

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
EMPTY = ServingRecord()
RUNS = EMPTY.started(2, NOON)


def at(minutes: float) -> datetime:
    return NOON + timedelta(minutes=minutes)


def spans(record: ServingRecord) -> list[tuple[int, float, float | None]]:
    """Give units, and begin and end in minutes after noon, of each interval."""
    return [
        (each.units, (each.since - NOON).seconds / 60, (each.until - NOON).seconds / 60 if each.until else None)
        for each in record.intervals
    ]


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        (RUNS, [(2, 0, None)]),
        (RUNS.started(1, at(5)), [(2, 0, None)]),
        (RUNS.stopped(at(9)), [(2, 0, 9)]),
        (RUNS.stopped(at(9)).stopped(at(10)), [(2, 0, 9)]),
        (RUNS.stopped(at(9)).started(2, at(3)), [(2, 0, 9)]),
        (RUNS.stopped(at(9)).started(1, at(20)), [(2, 0, 9), (1, 20, None)]),
        (RUNS.stopped(at(-1)), [(2, 0, 0)]),
        (EMPTY.stopped(at(1)), []),
    ],
    ids=["started", "twice", "stopped", "stopped twice", "recorded late", "again", "before it began", "never started"],
)
def test_what_is_received_counts_once(record: ServingRecord, expected: list[tuple[int, float, float | None]]) -> None:
    assert spans(record) == expected


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        (EMPTY.seen(1, "RUNNING", at(3)), [(1, 3, None)]),
        (RUNS.seen(2, "RUNNING", at(15)).seen(0, "STOPPED", at(30)), [(2, 0, 15)]),
        (RUNS.seen(2, "RUNNING", at(15)).seen(0, None, at(30)), [(2, 0, 15)]),
        (RUNS.seen(0, "STOPPED", at(-5)), [(2, 0, None)]),
        (RUNS.seen(2, "STARTING", at(15)), [(2, 0, None)]),
        (RUNS.seen(4, "RUNNING", at(15)), [(2, 0, 15), (4, 15, None)]),
        (RUNS.stopped(at(20)).seen(2, "RUNNING", at(15)), [(2, 0, 20)]),
        (EMPTY.seen(0, "STOPPED", at(15)), []),
    ],
    ids=["unknown start", "found stopped", "found gone", "old news", "starting", "other units", "older", "idle"],
)
def test_what_is_seen_fills_the_gaps(record: ServingRecord, expected: list[tuple[int, float, float | None]]) -> None:
    assert spans(record) == expected


def test_an_end_that_was_only_found_says_so() -> None:
    recorded, found = RUNS.stopped(at(9)), RUNS.seen(0, "STOPPED", at(9))

    assert [record.intervals[0].is_exact for record in (recorded, found)] == [True, False]


def test_a_record_is_read_back_as_it_was() -> None:
    record = RUNS.stopped(at(9)).started(1, at(20))

    assert from_json(ServingRecord, to_json(record)) == record
