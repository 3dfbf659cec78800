"""What AWS bills: minutes, units, and the borders between months."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from custom_labels.deployment.serving import ServingRecord
from custom_labels.operations.costs import (
    Cost,
    DatedCost,
    VersionUse,
    budget_level,
    cost_of,
    first_moment,
    is_settled,
    month_ledger,
    month_of,
    months_between,
    period_of,
    top_costs,
)
from custom_labels.training.prices import UnitPrices

PRICES = UnitPrices(training_hour=1, inference_unit_hour=4, review=0.08, as_of="2026-09-10")
NEW_YEAR = datetime(2027, 1, 1, tzinfo=UTC)


def served(units: int, begin: datetime, hours: float) -> ServingRecord:
    return ServingRecord().started(units, begin).stopped(begin + timedelta(hours=hours))


OVER_NEW_YEAR = VersionUse("v1", 7200, NEW_YEAR - timedelta(hours=12), served(2, NEW_YEAR - timedelta(hours=10), 30))


@pytest.mark.parametrize(
    ("use", "month", "training", "serving"),
    [
        (OVER_NEW_YEAR, None, 2, 240),
        (OVER_NEW_YEAR, "2026-12", 2, 80),
        (OVER_NEW_YEAR, "2027-01", 0, 160),
        (OVER_NEW_YEAR, "2027-02", 0, 0),
        (VersionUse("v1", 3600, NEW_YEAR), "2026-12", 0, 0),
        (VersionUse("v1", 3600, NEW_YEAR), "2027-01", 1, 0),
        (VersionUse("v1", 3600, None), "2027-01", 0, 0),
        (VersionUse("v1", 3600, None), None, 1, 0),
        (VersionUse("v1", serving=served(1, NEW_YEAR, 61 / 3600)), None, 0, 4 * 2 / 60),
        (VersionUse("v1", serving=served(1, NEW_YEAR, 60 / 3600)), None, 0, 4 / 60),
        (VersionUse("v1", serving=served(1, NEW_YEAR, 0)), None, 0, 0),
        (VersionUse("v1", serving=served(1, NEW_YEAR - timedelta(seconds=30), 50 / 3600)), "2026-12", 0, 2 / 60),
        (VersionUse("v1", serving=ServingRecord().started(1, NEW_YEAR)), None, 0, 0),
        (
            VersionUse("v1", serving=ServingRecord().started(1, NEW_YEAR).seen(1, "RUNNING", NEW_YEAR.replace(hour=1))),
            None,
            0,
            4,
        ),
    ],
    ids=[
        "ever",
        "old year",
        "new year",
        "later",
        "trained on the border: not before",
        "trained on the border: after",
        "unknown month",
        "unknown month, ever",
        "begun minute",
        "whole minute",
        "no time",
        "minute on the border",
        "just started",
        "still running",
    ],
)
def test_a_version_costs(use: VersionUse, month: str | None, training: float, serving: float) -> None:
    cost = cost_of(use, PRICES, period_of(month) if month else None)

    assert (cost.training_usd, cost.serving_usd) == pytest.approx((training, serving))


def test_months_add_up_to_the_whole() -> None:
    use = VersionUse("v1", 100, NEW_YEAR, served(3, datetime(2026, 10, 31, 23, 59, 31, 7, UTC), 2345.678))
    first = first_moment([use])
    assert first is not None

    months = months_between(first, NEW_YEAR + timedelta(days=60))

    assert months == ["2026-10", "2026-11", "2026-12", "2027-01", "2027-02", "2027-03"]
    parts = [cost_of(use, PRICES, period_of(month)) for month in months]
    assert sum(part.total_usd for part in parts) == pytest.approx(cost_of(use, PRICES).total_usd)


def test_a_month_is_of_utc_wherever_the_moment_was_written() -> None:
    assert month_of(datetime.fromisoformat("2027-01-01T00:30:00+01:00")) == "2026-12"


@pytest.mark.parametrize(
    ("computed", "settled"),
    [("2026-12-31T23:59", False), ("2027-01-02T23:59", False), ("2027-01-03T00:00", True)],
    ids=["within", "just after", "two days later"],
)
def test_a_month_is_settled_when(computed: str, settled: bool) -> None:
    assert is_settled("2026-12", datetime.fromisoformat(computed).replace(tzinfo=UTC)) is settled


def test_a_ledger_names_what_costs_most() -> None:
    idle = VersionUse("v0", 3600, datetime(2026, 1, 1, tzinfo=UTC))

    ledger = month_ledger(
        "2026-12", [OVER_NEW_YEAR, idle], {date(2026, 12, 24): 20, date(2026, 12, 25): 5}, PRICES, now=NEW_YEAR
    )

    assert ledger.versions == {"v1": Cost(2, 80, 20)}
    assert (ledger.training_usd, ledger.serving_usd, ledger.reviews_usd) == (2, 80, 2)
    assert (ledger.total_usd, ledger.prices_as_of) == (84, "2026-09-10")
    assert top_costs(ledger) == ("serving v1: $80.00", "25 reviews: $2.00", "training v1: $2.00")
    assert top_costs(month_ledger("2026-01", [], {}, PRICES, now=NEW_YEAR)) == ()


@pytest.mark.parametrize(
    ("spent", "hours", "is_running", "current"),
    [(80, 1, False, True), (81, 1, False, False), (81, 1, True, True), (81, 24, True, False), (80, 24, True, True)],
    ids=["the same", "more", "more, and it runs", "more, since yesterday", "the same, since yesterday"],
)
def test_a_running_versions_cost_is_recorded_once_a_day(
    spent: float, hours: float, is_running: bool, current: bool
) -> None:
    recorded = DatedCost.of(Cost(2, 80, 20), NEW_YEAR)
    now = NEW_YEAR + timedelta(hours=hours)

    assert recorded.is_current(Cost(2, spent, 20), now, is_running=is_running) is current


@pytest.mark.parametrize(
    ("total", "budget", "level"),
    [(500, None, 0), (99, 100, 0), (100, 100, 0), (100.01, 100, 1), (124.9, 100, 1), (125, 100, 2), (212, 100, 5)],
)
def test_a_budget_is_reported_again_at_each_further_quarter(total: float, budget: float | None, level: int) -> None:
    assert budget_level(total, budget) == level
