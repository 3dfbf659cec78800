"""The day's budget of reviews in S3, which all DAGs and Airflows of a project share.

``reviews/budget/<YYYY-MM-DD>.json`` (UTC) is written by compare-and-set: reviews are reserved before they are opened,
so that no kill and no race can open more than the budget. A reservation whose owner never comes back is gone with its
day: too few may be opened, never too many.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import date
from typing import Any

from custom_labels.core.codec import from_json, to_json
from custom_labels.core.keys import REVIEWS
from custom_labels.review.budget import DayBudget, Reservation
from custom_labels.s3.changes import change_json
from custom_labels.s3.store import S3Store

BUDGETS = f"{REVIEWS}budget/"


class ReviewBudget:
    """One owner's view of the budgets below ``reviews/budget/``.

    :param owner: who reserves: the run, and what for. Two tries of a task are the same owner.
    """

    def __init__(self, store: S3Store, owner: str) -> None:
        self.store = store
        # A run's name may hold anything, and the owner is in the names of files.
        self.owner = hashlib.sha256(owner.encode()).hexdigest()[:24]

    def read(self, day: date) -> DayBudget:
        """Read what of a day's budget is gone."""
        return _read(self.store.read_json(budget_key(day))[0])

    def reserve(self, day: date, wanted: int, budget: int) -> Reservation | None:
        """Reserve up to so many reviews, or resume what an earlier try reserved; ``None`` if there is no room.

        :param budget: reviews that may be opened in the day.
        """
        after = self._change(day, lambda before: before.reserve(self.owner, wanted, budget))
        return after.reservations.get(self.owner)

    def settle(self, day: date, opened: int) -> None:
        """End the reservation, and give back what was not opened."""
        self._change(day, lambda before: before.settle(self.owner, opened))

    def give_back(self, day: date, reviews: int) -> None:
        """Give back what reviews that failed before anybody could answer took of a day; it may be repeated."""
        self._change(day, lambda before: before.give_back(self.owner, reviews))

    def _change(self, day: date, change: Callable[[DayBudget], DayBudget]) -> DayBudget:
        """Change a day's budget by compare-and-set; each refusal means that another run was faster."""
        value = change_json(self.store, budget_key(day), lambda value: _write(change(_read(value)), value))
        return _read(value)


def _read(value: Any) -> DayBudget:
    return from_json(DayBudget, value) if value else DayBudget()


def _write(budget: DayBudget, before: Any) -> Any:
    """Give it as JSON; nothing where there was nothing and it is still empty."""
    return before if budget == _read(before) else to_json(budget)


def budget_key(day: date) -> str:
    """Give the place of a day's budget."""
    return f"{BUDGETS}{day.isoformat()}.json"
