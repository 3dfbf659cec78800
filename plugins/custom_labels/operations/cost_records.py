"""What a project costs, on record: ``registry/costs/<YYYY-MM>.json``, computed anew from what was recorded.

All of it may be computed again at any time: a month that is over stays as it is, with the prices of its time.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta

from custom_labels.core.codec import from_json, to_json
from custom_labels.deployment.serving import ServingRecord
from custom_labels.operations.costs import (
    Ledger,
    VersionUse,
    first_moment,
    is_settled,
    month_before,
    month_ledger,
    month_of,
    months_between,
    period_of,
)
from custom_labels.operations.versions import FoundVersion, RecordedVersion
from custom_labels.review.opening import DayBudget
from custom_labels.review.opening_records import BUDGETS
from custom_labels.s3.line_files import read_records
from custom_labels.s3.store import S3Store
from custom_labels.training.prices import UnitPrices

COSTS = "registry/costs/"
_DAY_ENDS = timedelta(hours=1)
"""How long after its end a day's count of reviews may still change, by a run that opened some over midnight."""


def version_uses(versions: Iterable[FoundVersion], serving: Mapping[str, ServingRecord]) -> list[VersionUse]:
    """Join what is known of versions with when they ran; also of those that only ran.

    Of a training the registry's word counts, else AWS's: the DAG that trained may have died before it wrote it down.
    """
    found = {version.name: version for version in versions}
    uses = []
    for name in sorted({*found, *serving}):
        version = found.get(name, FoundVersion(name))
        record = version.record or RecordedVersion()
        uses.append(
            VersionUse(
                version_name=name,
                training_seconds=record.billable_training_seconds or version.training_seconds or 0,
                trained_at=record.trained_at or version.trained_at,
                serving=serving.get(name, ServingRecord()),
            )
        )
    return uses


def save_ledgers(store: S3Store, uses: Sequence[VersionUse], prices: UnitPrices, now: datetime) -> Ledger:
    """Write the ledger of every month that may still change, the oldest first.

    :return: the ledger of the present month.
    """
    present = month_of(now)
    before = read_ledger(store, present)
    first = min(first_moment(uses) or now, now)
    if before is not None and is_settled(month_before(present), before.as_of):
        # Whoever wrote this one has written all earlier ones before it, for good.
        first = now
    for month in months_between(first, now)[:-1]:
        earlier = read_ledger(store, month)
        if earlier is None or not is_settled(month, earlier.as_of):
            _save(store, month_ledger(month, uses, count_reviews(store, month, now, earlier), prices, now=now))
    return _save(store, month_ledger(present, uses, count_reviews(store, present, now, before), prices, now=now))


def read_ledger(store: S3Store, month: str) -> Ledger | None:
    """Read the ledger of a month; ``None`` if there is none yet."""
    value, _ = store.read_json(ledger_key(month))
    return from_json(Ledger, value) if value else None


def _save(store: S3Store, ledger: Ledger) -> Ledger:
    store.write_json(ledger_key(ledger.month), to_json(ledger))
    return ledger


def count_reviews(store: S3Store, month: str, now: datetime, before: Ledger | None = None) -> dict[date, int]:
    """Count the reviews that were opened on the days of a month: one small object for each day that may have changed.

    :param before: the month's ledger of an earlier run, whose counts of the days before it stand.
    """
    known: dict[date, int] = {}
    names = None
    if before is not None:
        since = (before.as_of - _DAY_ENDS).astimezone(UTC).date()
        known = {day: opened for day, opened in before.reviews_by_day.items() if day < since}
        names = [f"{day:%d}" for day in _days(month, now) if day >= since]
    records = read_records(store, f"{BUDGETS}{month}-", names)
    found = {date.fromisoformat(f"{month}-{name}"): from_json(DayBudget, each).opened for name, each in records.items()}
    return known | {day: opened for day, opened in found.items() if opened}


def ledger_key(month: str) -> str:
    """Give the place of a month's ledger."""
    return f"{COSTS}{month}.json"


def _days(month: str, now: datetime) -> list[date]:
    begin, end = period_of(month)
    last = min(end - timedelta(days=1), now.astimezone(UTC))
    return [begin.date() + timedelta(days=number) for number in range((last.date() - begin.date()).days + 1)]
