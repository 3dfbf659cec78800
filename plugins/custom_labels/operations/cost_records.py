"""What a project costs, on record: ``registry/costs/<YYYY-MM>.json``, computed anew from what was recorded.

All of it may be computed again at any time: a month that is over stays as it is, with the prices of its time.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from typing import Any

from custom_labels.core.codec import from_json
from custom_labels.deployment.serving import ServingRecord
from custom_labels.operations.costs import (
    VersionUse,
    first_moment,
    is_settled,
    month_ledger,
    month_of,
    months_between,
    period_of,
)
from custom_labels.review.budget import DayBudget
from custom_labels.review.budget_records import budget_key
from custom_labels.s3.changes import change_json
from custom_labels.s3.line_files import READERS
from custom_labels.s3.pages import pages
from custom_labels.s3.store import S3Store
from custom_labels.training.prices import UnitPrices

COSTS = "registry/costs/"


def version_uses(records: Mapping[str, Mapping[str, Any]], serving: Mapping[str, ServingRecord]) -> list[VersionUse]:
    """Join what the registry knows of versions with when they ran; also of those that only ran.

    :param records: by version; ``billable_training_seconds`` and ``trained_at`` of them are looked at.
    """
    uses = []
    for name in sorted({*records, *serving}):
        record = records.get(name, {})
        trained = record.get("trained_at")
        uses.append(
            VersionUse(
                version_name=name,
                training_seconds=float(record.get("billable_training_seconds") or 0),
                trained_at=datetime.fromisoformat(trained) if trained else None,
                serving=serving.get(name, ServingRecord()),
            )
        )
    return uses


def save_ledgers(store: S3Store, uses: Sequence[VersionUse], prices: UnitPrices, now: datetime) -> dict[str, Any]:
    """Write the ledger of every month that may still change; what was notified about a month stays with it.

    :return: the ledger of the present month.
    """
    settled = _settled_months(store)
    present = month_of(now)
    for month in months_between(min(first_moment(uses) or now, now), now):
        if month in settled:
            continue
        ledger = month_ledger(month, uses, count_reviews(store, month, now), prices, now=now)
        kept = change_json(
            store,
            ledger_key(month),
            lambda before, ledger=ledger: {"last_alert_level": 0, **_last_alert(before), **ledger},  # type: ignore[misc]
        )
        if month == present:
            present_ledger: dict[str, Any] = kept
    return present_ledger


def record_alert(store: S3Store, month: str, level: int, budget_usd: float) -> None:
    """Record that people know how far the budget of a month is exceeded."""
    alert = {"last_alert_level": level, "last_alert_budget_usd": budget_usd}
    change_json(store, ledger_key(month), lambda ledger: {**(ledger or {}), **alert})


def last_alert_level(ledger: Mapping[str, Any], budget_usd: float) -> int:
    """Give how far people know that a budget is exceeded; of another budget they know nothing."""
    return int(ledger["last_alert_level"]) if ledger.get("last_alert_budget_usd") == budget_usd else 0


def count_reviews(store: S3Store, month: str, now: datetime) -> int:
    """Count the reviews that were opened in a month: one small object for each of its days."""
    with ThreadPoolExecutor(READERS) as pool:
        values = pool.map(lambda day: store.read_json(budget_key(day))[0], _days(month, now))
        return sum(from_json(DayBudget, value).opened for value in values if value)


def ledger_key(month: str) -> str:
    """Give the place of a month's ledger."""
    return f"{COSTS}{month}.json"


def _last_alert(ledger: Mapping[str, Any] | None) -> dict[str, Any]:
    return {name: value for name, value in (ledger or {}).items() if name.startswith("last_alert_")}


def _settled_months(store: S3Store) -> set[str]:
    """Find the months whose ledgers were written after the last moment that could change them."""
    settled = set()
    for page in pages(store, COSTS):
        for key, time in zip(page.keys, page.times, strict=True):
            month = key.decode().removeprefix(COSTS).removesuffix(".json")
            if is_settled(month, datetime.fromisoformat(time.decode())):
                settled.add(month)
    return settled


def _days(month: str, now: datetime) -> Iterable[date]:
    begin, end = period_of(month)
    last = min(end, now.astimezone(UTC) + timedelta(days=1))
    return [begin.date() + timedelta(days=number) for number in range((last - begin).days + 1)][: (end - begin).days]
