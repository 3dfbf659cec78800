"""The day's budget of reviews in S3, which all DAGs and Airflows of a project share.

``reviews/budget/<YYYY-MM-DD>.json`` (UTC) is written by compare-and-set. Reviews are counted, some dozens at a time,
before they are opened: so no kill and no race opens more than the budget. What a killed run had counted and not opened
is gone with its day: too few may be opened, never too many.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import replace
from datetime import date

from custom_labels.core.codec import from_json, to_json
from custom_labels.core.keys import REVIEWS
from custom_labels.review.budget import DayBudget
from custom_labels.s3.store import ObjectChanged, ObjectExists, S3Store

BUDGETS = f"{REVIEWS}budget/"


class ReviewBudget:
    """The budget of one day, as it was last read or written here."""

    def __init__(self, store: S3Store, day: date) -> None:
        self.store = store
        self.day = day
        self.key = budget_key(day)
        self._present: DayBudget | None = None
        self._etag: str | None = None

    def read(self) -> DayBudget:
        """Read what of the budget is gone."""
        value, self._etag = self.store.read_json(self.key)
        self._present = from_json(DayBudget, value) if value else DayBudget()
        return self._present

    def room(self, budget: int) -> int:
        """Give how many more may be opened, as far as is known here: to count them looks again.

        :param budget: reviews that may be opened in the day.
        """
        return (self._present or self.read()).room(budget)

    def count(self, wanted: int, budget: int) -> int:
        """Count reviews that are about to be opened; give how many of them there is room for.

        :param budget: reviews that may be opened in the day.
        """
        counted = 0

        def change(present: DayBudget) -> DayBudget:
            nonlocal counted
            counted = min(wanted, present.room(budget))
            return present.count(counted)

        self._change(change)
        return counted

    def uncount(self, reviews: int) -> None:
        """Take back what was counted and not opened."""
        self._change(lambda present: present.count(-reviews))

    def give_back(self, finder: str, reviews: int) -> None:
        """Give back what reviews that failed before anybody could answer took of the day; it may be repeated."""
        self._change(lambda present: present.give_back(finder, reviews))

    def _change(self, change: Callable[[DayBudget], DayBudget]) -> None:
        """Change it by compare-and-set on what is known of it; each refusal means that another run was faster."""
        while True:
            present = self._present or self.read()
            after = change(present)
            if after == present:
                return
            after = replace(after, writer=uuid.uuid4().hex)
            try:
                self._etag = self.store.write_if_unchanged(self.key, to_json(after), self._etag)
            except (ObjectExists, ObjectChanged):
                self._present = None
            else:
                self._present = after
                return


def budget_key(day: date) -> str:
    """Give the place of a day's budget."""
    return f"{BUDGETS}{day.isoformat()}.json"
