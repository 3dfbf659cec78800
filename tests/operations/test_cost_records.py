"""Ledgers in S3: computed anew at every look, until their month is settled."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from custom_labels.core.codec import to_json
from custom_labels.core.registry import Registry
from custom_labels.deployment.serving import ServingRecord
from custom_labels.deployment.serving_records import ServingLog
from custom_labels.detection.log_records import last_detected, log_key, write_log
from custom_labels.operations.cost_records import (
    count_reviews,
    last_alert_level,
    ledger_key,
    record_alert,
    save_ledgers,
    version_uses,
)
from custom_labels.operations.costs import VersionUse
from custom_labels.review.budget import DayBudget
from custom_labels.review.budget_records import budget_key
from custom_labels.s3.store import S3Store
from custom_labels.training.prices import UnitPrices
from tests.detection.test_log_records import detection
from tests.kit.threads import THREADS, at_once

PRICES = UnitPrices(training_hour=1, inference_unit_hour=4, review=0.08, as_of="2026-09-10")
NOW = datetime.now(UTC)
"""Really now: whether a month is settled is told by the time at which S3 says that its ledger was written."""
THIS_MONTH = NOW.strftime("%Y-%m")
LONG_AGO = datetime(2025, 12, 31, 23, tzinfo=UTC)


def ledger(aws_store: S3Store, month: str) -> dict[str, Any]:
    value, _ = aws_store.read_json(ledger_key(month))
    return dict(value)


def test_uses_are_joined_from_what_was_trained_and_what_ran(aws_store: S3Store) -> None:
    registry, log = Registry(aws_store), ServingLog(aws_store)
    registry.update_version("v1", {"billable_training_seconds": 60, "trained_at": LONG_AGO.isoformat()})
    registry.update_version("v2", {"billable_training_seconds": None})
    log.started("v3", 1, LONG_AGO)

    records = {record["version_name"]: record for record in registry.versions()}
    uses = version_uses(records, log.read_all())

    assert uses == [
        VersionUse("v1", 60, LONG_AGO),
        VersionUse("v2"),
        VersionUse("v3", serving=ServingRecord().started(1, LONG_AGO)),
    ]


def test_every_month_has_its_ledger_and_a_settled_one_is_left_alone(aws_store: S3Store) -> None:
    use = VersionUse("v1", serving=ServingRecord().started(1, LONG_AGO).stopped(LONG_AGO + timedelta(hours=3)))

    present = save_ledgers(aws_store, [use], PRICES, NOW)
    save_ledgers(aws_store, [use], replace(PRICES, inference_unit_hour=8), NOW)

    assert (ledger(aws_store, "2025-12")["serving_usd"], ledger(aws_store, "2026-01")["serving_usd"]) == (4, 8)
    assert ledger(aws_store, "2026-02")["total_usd"] == 0
    assert present["month"] == THIS_MONTH


def test_the_present_month_is_computed_anew_and_keeps_what_was_told(aws_store: S3Store) -> None:
    before = save_ledgers(aws_store, [], PRICES, NOW)
    record_alert(aws_store, THIS_MONTH, 2, 100)
    use = VersionUse("v1", 3600, NOW)

    after = save_ledgers(aws_store, [use], PRICES, NOW)

    assert (before["total_usd"], after["total_usd"]) == (0, 1)
    assert ledger(aws_store, THIS_MONTH) == after
    assert (last_alert_level(before, 100), last_alert_level(after, 100), last_alert_level(after, 120)) == (0, 2, 0)


def test_reviews_are_those_of_the_month(aws_store: S3Store) -> None:
    for day, opened in (("2026-01-31", 1), ("2026-02-01", 2), ("2026-02-28", 4), ("2026-03-01", 8)):
        aws_store.write_json(budget_key(datetime.fromisoformat(day).date()), to_json(DayBudget(opened)))

    assert count_reviews(aws_store, "2026-02", NOW) == 6


def test_a_version_keeps_all_facts_when_many_add_one(aws_store: S3Store) -> None:
    registry = Registry(aws_store)

    at_once(lambda number: registry.update_version("v1", {f"fact {number}": number}))

    assert registry.version("v1") == {f"fact {number}": number for number in range(THREADS)}


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
