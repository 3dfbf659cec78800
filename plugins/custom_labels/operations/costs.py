"""What AWS bills, by version and calendar month: pure arithmetic on what was recorded. All months are of UTC."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

from pydantic import computed_field

from custom_labels.deployment.serving import ServingInterval, ServingRecord
from custom_labels.training.prices import UnitPrices

BUDGET_STEP = 0.25
"""After a budget is exceeded the alert is repeated each time that this share of it is spent in addition."""
SETTLING = timedelta(days=2)
"""How long after its end a month may still change: until what ran in it was inspected for the last time."""


@dataclass(frozen=True)
class VersionUse:
    """What is known of a version's use.

    :param training_seconds: AWS's ``BillableTrainingTimeInSeconds``; 0 where the training failed or is not over.
    :param trained_at: when the training ended, which is when it is counted; ``None`` where that is not known.
    """

    version_name: str
    training_seconds: float = 0
    trained_at: datetime | None = None
    serving: ServingRecord = field(default_factory=ServingRecord)


@dataclass(frozen=True)
class Cost:
    """What a version costs.

    :param unit_hours: hours of serving times inference units.
    """

    training_usd: float
    serving_usd: float
    unit_hours: float

    @computed_field  # type: ignore[prop-decorator]
    @property
    def total_usd(self) -> float:
        """Both together."""
        return self.training_usd + self.serving_usd

    def rounded(self) -> Cost:
        """Give it as it goes on record: a hundredth of a cent is precise enough."""
        return Cost(round(self.training_usd, 4), round(self.serving_usd, 4), round(self.unit_hours, 4))


@dataclass(frozen=True)
class DatedCost(Cost):
    """What a version cost up to a moment, as its record has it."""

    as_of: datetime

    @classmethod
    def of(cls, cost: Cost, as_of: datetime) -> DatedCost:
        """Date a cost."""
        return cls(cost.training_usd, cost.serving_usd, cost.unit_hours, as_of)

    def is_current(self, cost: Cost, now: datetime, *, is_running: bool) -> bool:
        """Whether it need not be written anew: nothing was added, or so little that tomorrow is soon enough.

        What a running version costs changes each minute, and the ledger of the month has it.
        """
        return self == DatedCost.of(cost, self.as_of) or (is_running and self.as_of.date() == now.date())


@dataclass(frozen=True)
class Ledger:
    """What a month costs, as ``registry/costs/<YYYY-MM>.json`` holds it; versions without any cost in it are left out.

    :param as_of: when it was computed.
    :param reviews_by_day: reviews that were opened on each day that had any.
    :param prices_as_of: date of the oldest price.
    """

    month: str
    as_of: datetime
    versions: Mapping[str, Cost]
    training_usd: float
    serving_usd: float
    reviews_by_day: Mapping[date, int]
    reviews_usd: float
    total_usd: float
    prices_as_of: str

    @computed_field  # type: ignore[prop-decorator]
    @property
    def reviews(self) -> int:
        """Reviews that were opened in the month."""
        return sum(self.reviews_by_day.values())


Period = tuple[datetime, datetime]
"""From a moment to just before another."""


def month_of(moment: datetime) -> str:
    """Name the month of a moment, as ``YYYY-MM``."""
    return moment.astimezone(UTC).strftime("%Y-%m")


def period_of(month: str) -> Period:
    """Give the begin of a month and of the next one."""
    begin = datetime.strptime(month, "%Y-%m").replace(tzinfo=UTC)
    return begin, (begin + timedelta(days=31)).replace(day=1)


def month_before(month: str) -> str:
    """Name the month before."""
    return month_of(period_of(month)[0] - timedelta(days=1))


def is_settled(month: str, computed_at: datetime) -> bool:
    """Whether a month that was computed then cannot change any more."""
    return computed_at >= period_of(month)[1] + SETTLING


def unit_seconds(interval: ServingInterval, period: Period | None = None) -> float:
    """Give the seconds times inference units that are billed of an interval, within a period or at all.

    AWS bills by the minute, so that a minute that was begun counts whole. One that lasts counts up to when the version
    was last seen running.
    """
    seconds = ((interval.until or interval.last_seen) - interval.since).total_seconds()
    end = interval.since + timedelta(minutes=math.ceil(seconds / 60))
    since = interval.since
    if period is not None:
        since, end = max(since, period[0]), min(end, period[1])
    return max(0.0, (end - since).total_seconds()) * interval.units


def cost_of(use: VersionUse, prices: UnitPrices, period: Period | None = None) -> Cost:
    """Give what a version cost within a period, or at all."""
    unit_hours = sum(unit_seconds(each, period) for each in use.serving.intervals) / 3600
    # A training of which the end is not known counts for the version, and in no month.
    is_within = period is None or (use.trained_at is not None and period[0] <= use.trained_at < period[1])
    training_usd = use.training_seconds / 3600 * prices.training_hour if is_within else 0.0
    serving_usd = unit_hours * prices.inference_unit_hour
    return Cost(training_usd, serving_usd, unit_hours)


def first_moment(uses: Sequence[VersionUse]) -> datetime | None:
    """Give the first moment at which anything was used, ``None`` if nothing ever was."""
    moments = [interval.since for use in uses for interval in use.serving.intervals]
    moments += [use.trained_at for use in uses if use.trained_at]
    return min(moments, default=None)


def months_between(first: datetime, last: datetime) -> list[str]:
    """Name all months from one moment to another."""
    months = [month_of(first)]
    while months[-1] < month_of(last):
        months.append(month_of(period_of(months[-1])[1]))
    return months


def month_ledger(
    month: str, uses: Sequence[VersionUse], reviews_by_day: Mapping[date, int], prices: UnitPrices, *, now: datetime
) -> Ledger:
    """Give a month's ledger.

    :param reviews_by_day: reviews that were opened in the month.
    """
    costs = {use.version_name: cost_of(use, prices, period_of(month)) for use in uses}
    reviews_usd = sum(reviews_by_day.values()) * prices.review
    return Ledger(
        month=month,
        as_of=now,
        versions={name: cost.rounded() for name, cost in sorted(costs.items()) if cost.total_usd > 0},
        training_usd=round(sum(cost.training_usd for cost in costs.values()), 4),
        serving_usd=round(sum(cost.serving_usd for cost in costs.values()), 4),
        reviews_by_day=reviews_by_day,
        reviews_usd=round(reviews_usd, 4),
        total_usd=round(sum(cost.total_usd for cost in costs.values()) + reviews_usd, 4),
        prices_as_of=prices.as_of,
    )


def budget_level(total_usd: float, budget_usd: float | None) -> int:
    """Say how far a budget is exceeded: 0 is not at all, 1 is above it, and one more for each further quarter of it."""
    if budget_usd is None or total_usd <= budget_usd:
        return 0
    return 1 + math.floor((total_usd / budget_usd - 1) / BUDGET_STEP + 1e-9)


def top_costs(ledger: Ledger, most: int = 3) -> tuple[str, ...]:
    """Name what costs most in a month, in words, the highest cost first."""
    costs = [(f"serving {name}", cost.serving_usd) for name, cost in ledger.versions.items()]
    costs += [(f"training {name}", cost.training_usd) for name, cost in ledger.versions.items()]
    costs.append((f"{ledger.reviews} reviews", ledger.reviews_usd))
    ranked = sorted(costs, key=lambda each: (-each[1], each[0]))
    return tuple(f"{what}: ${usd:.2f}" for what, usd in ranked[:most] if usd > 0)
