"""Ledgers in S3: computed anew at every look, until their month is settled."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from custom_labels.core.codec import to_json
from custom_labels.core.registry import Registry
from custom_labels.datasets.snapshot import LabelCount
from custom_labels.datasets.trained_record import TrainedRecord
from custom_labels.deployment.serving import ServingRecord
from custom_labels.detection.detection_records import last_detected, log_key, write_log
from custom_labels.operations.cost_records import (
    count_reviews,
    read_ledger,
    save_ledgers,
    version_uses,
)
from custom_labels.operations.costs import Ledger, VersionUse, month_ledger
from custom_labels.operations.versions import FoundVersion, RecordedVersion
from custom_labels.review.opening import DayBudget
from custom_labels.review.opening_records import budget_key
from custom_labels.s3.store import S3Store
from custom_labels.training.prices import UnitPrices
from tests.detection.test_log_records import detection
from tests.kit.threads import THREADS, at_once

PRICES = UnitPrices(training_hour=1, inference_unit_hour=4, review=0.08, as_of="2026-09-10")
NOW = datetime.now(UTC)
THIS_MONTH = NOW.strftime("%Y-%m")
LONG_AGO = datetime(2025, 12, 31, 23, tzinfo=UTC)


def ledger(aws_store: S3Store, month: str) -> Ledger:
    found = read_ledger(aws_store, month)
    assert found is not None
    return found


def test_uses_are_joined_from_what_was_trained_and_what_ran() -> None:
    found = [
        FoundVersion("v1", record=RecordedVersion(trained_at=LONG_AGO, billable_training_seconds=60)),
        FoundVersion("v2", trained_at=LONG_AGO, training_seconds=30, record=RecordedVersion()),
    ]

    uses = version_uses(found, {"v3": ServingRecord().started(1, LONG_AGO)})

    assert uses == [
        VersionUse("v1", 60, LONG_AGO),
        VersionUse("v2", 30, LONG_AGO),
        VersionUse("v3", serving=ServingRecord().started(1, LONG_AGO)),
    ]


def test_every_month_has_its_ledger_and_a_settled_one_is_left_alone(aws_store: S3Store) -> None:
    use = VersionUse("v1", serving=ServingRecord().started(1, LONG_AGO).stopped(LONG_AGO + timedelta(hours=3)))

    present = save_ledgers(aws_store, [use], PRICES, NOW)
    save_ledgers(aws_store, [use], replace(PRICES, inference_unit_hour=8), NOW)

    assert (ledger(aws_store, "2025-12").serving_usd, ledger(aws_store, "2026-01").serving_usd) == (4, 8)
    assert ledger(aws_store, "2026-02").total_usd == 0
    assert present.month == THIS_MONTH


def test_a_month_that_is_over_is_computed_until_it_is_settled(aws_store: S3Store) -> None:
    """Seen from the second of March: February may still change, and January was settled in February."""
    second = datetime(2026, 3, 2, tzinfo=UTC)
    use = VersionUse("v1", 3600, LONG_AGO)
    save_ledgers(aws_store, [use], PRICES, datetime(2026, 2, 20, tzinfo=UTC))
    save_ledgers(aws_store, [use], PRICES, second)
    later = replace(use, training_seconds=7200, trained_at=datetime(2026, 2, 1, tzinfo=UTC))

    save_ledgers(aws_store, [use, later], PRICES, second + timedelta(hours=1))

    assert [ledger(aws_store, f"2026-0{month}").training_usd for month in (1, 2, 3)] == [0, 2, 0]
    assert ledger(aws_store, "2026-01").as_of == datetime(2026, 2, 20, tzinfo=UTC)


def test_the_present_month_is_computed_anew(aws_store: S3Store) -> None:
    before = save_ledgers(aws_store, [], PRICES, NOW)
    use = VersionUse("v1", 3600, NOW)

    after = save_ledgers(aws_store, [use], PRICES, NOW)

    assert (before.total_usd, after.total_usd) == (0, 1)
    assert ledger(aws_store, THIS_MONTH) == after


def test_reviews_are_those_of_the_month(aws_store: S3Store) -> None:
    for day, opened in (("2026-01-31", 1), ("2026-02-01", 2), ("2026-02-28", 4), ("2026-03-01", 8)):
        aws_store.write_json(budget_key(datetime.fromisoformat(day).date()), to_json(DayBudget(opened)))

    assert sum(count_reviews(aws_store, "2026-02", NOW).values()) == 6


def test_days_that_were_counted_and_are_over_are_not_read_again(aws_store: S3Store) -> None:
    tenth = datetime(2026, 2, 10, 0, 30, tzinfo=UTC)
    for day, opened in (("2026-02-08", 1), ("2026-02-09", 2), ("2026-02-10", 4)):
        aws_store.write_json(budget_key(datetime.fromisoformat(day).date()), to_json(DayBudget(opened)))
    counted = {date(2026, 2, 8): 10, date(2026, 2, 9): 20}
    before = month_ledger("2026-02", [], counted, PRICES, now=tenth)

    found = count_reviews(aws_store, "2026-02", tenth + timedelta(minutes=15), before)

    assert found == {date(2026, 2, 8): 10, date(2026, 2, 9): 2, date(2026, 2, 10): 4}, "the 9th was over an hour ago"


def test_a_version_keeps_all_facts_when_many_add_one(aws_store: S3Store) -> None:
    registry = Registry(aws_store)

    def add(number: int) -> None:
        registry.change_version(
            "v1",
            TrainedRecord,
            lambda record: replace(record, labels=(*record.labels, LabelCount(str(number), 1, 1, ""))),
        )

    at_once(add)

    found = registry.version("v1", TrainedRecord)
    assert found is not None
    assert {each.label for each in found.labels} == {str(number) for number in range(THREADS)}


@pytest.mark.parametrize(
    ("since", "found"),
    [("2026-02-01", "2026-03-02T09:30"), ("2026-03-02T09:30", "2026-03-02T09:30"), ("2026-03-02T10:00", None)],
    ids=["days before", "the very moment", "later"],
)
def test_the_last_detection_is_found_however_many_days_ago(aws_store: S3Store, since: str, found: str | None) -> None:
    for moment in ("2026-01-10T08:00", "2026-03-02T08:00", "2026-03-02T09:30"):
        aws_store.write_json(log_key(datetime.fromisoformat(moment).replace(tzinfo=UTC), "run-1"), {})

    now = datetime(2026, 3, 20, tzinfo=UTC)
    moment_found = last_detected(aws_store, datetime.fromisoformat(since).replace(tzinfo=UTC), now)

    assert moment_found == (datetime.fromisoformat(found).replace(tzinfo=UTC) if found else None)


def test_a_detection_is_found_as_soon_as_it_is_logged(aws_store: S3Store) -> None:
    write_log(aws_store, "run-1", [detection("a.png")])
    now = datetime.now(UTC)

    moment = last_detected(aws_store, now - timedelta(minutes=1), now)

    assert moment is not None
    assert moment <= now
