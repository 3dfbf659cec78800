"""Opening the reviews that wait: the most doubtful first, within the day's budget, however often it is killed.

- ``reviews/budget/<YYYY-MM-DD>.json`` (UTC) counts reviews, some dozens at a time, before they are opened: so no kill
  and no race opens more than the budget. What a killed run had counted and not opened is lost with its day.
- ``reviews/opened/<YYYY-MM-DD>/<id>.jsonl`` has what was asked, written before it is opened: so a review for which the
  backend wrote nothing, since it has no answer, can be asked again.
- ``reviews/halt.json`` records that reviews fail for a technical reason.
"""

from __future__ import annotations

import hashlib
import logging
import uuid
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from typing import Any

from custom_labels.core.codec import from_json, to_json
from custom_labels.core.keys import REVIEWS
from custom_labels.core.records import Record
from custom_labels.review.backends.base import (
    OpenedTogether,
    ReviewBackend,
    ReviewBackendError,
    ReviewBackendFull,
    ReviewBackendNotReady,
    Trouble,
)
from custom_labels.review.opening import DayBudget, OpenedReviews, ReviewHalt
from custom_labels.review.review import ReviewRequest, urgency
from custom_labels.review.waiting_records import Backlog, BacklogReader, Waiting, WaitingReviews
from custom_labels.s3.changes import change_json
from custom_labels.s3.line_files import read_folder, write_lines
from custom_labels.s3.store import S3Store

log = logging.getLogger(__name__)

HALT = Record(f"{REVIEWS}halt.json", ReviewHalt)
BUDGETS = f"{REVIEWS}budget/"
OPENED = f"{REVIEWS}opened/"
CHOSEN_AT_ONCE = 2000
"""Requests that are held in memory, and opened before the rest is read again."""
_WORST_FIRST = (ReviewBackendNotReady, ReviewBackendFull, ReviewBackendError)


def budget_key(day: date) -> str:
    """Give the key of a day's budget."""
    return f"{BUDGETS}{day.isoformat()}.json"


class ReviewBudget:
    """The budget of one day, which all DAGs and Airflows of a project share."""

    def __init__(self, store: S3Store, day: date) -> None:
        self.store = store
        self.day = day
        self._known: tuple[Any, str | None] | None = None

    def read(self) -> DayBudget:
        """Read what of the budget is gone; the next change begins with what was read."""
        self._known = self.store.read_json(budget_key(self.day))
        return _day_budget(self._known[0])

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
        """Return to the day what reviews that failed before a reviewer could answer took of it; may be repeated."""
        self._change(lambda present: present.give_back(finder, reviews))

    def _change(self, change: Callable[[DayBudget], DayBudget]) -> None:
        def changed(value: Any) -> Any:
            present = _day_budget(value)
            after = change(present)
            return value if after == present else to_json(replace(after, writer=uuid.uuid4().hex))

        known, self._known = self._known, None
        change_json(self.store, budget_key(self.day), changed, known)


def _day_budget(value: Any) -> DayBudget:
    return from_json(DayBudget, value) if value else DayBudget()


@dataclass(frozen=True)
class OpenedReview:
    """What was asked, and the day whose budget it was opened under."""

    request: ReviewRequest
    day: date


def write_opened(store: S3Store, day: date, requests: Sequence[ReviewRequest]) -> None:
    """Write what is about to be opened together; the same requests are the same file."""
    names = "\n".join(request.name for request in requests)
    key = f"{OPENED}{day.isoformat()}/{hashlib.sha256(names.encode()).hexdigest()[:24]}.jsonl"
    write_lines(store, key, ({"request": to_json(request)} for request in requests))


def find_requests(store: S3Store, names: set[str], first: date, last: date) -> dict[str, OpenedReview]:
    """Find requests by their names in what was opened between two days: a call for each day and for each file of it.

    :param first: a review's day of creation, or the earliest of several; what is opened around midnight is found too.
    """
    found: dict[str, OpenedReview] = {}
    day = first - timedelta(days=1)
    while names - found.keys() and day <= last + timedelta(days=1):
        for file in read_folder(store, f"{OPENED}{day.isoformat()}/"):
            for entry in (line["request"] for line in file.records):
                if entry["name"] in names:
                    found.setdefault(entry["name"], OpenedReview(from_json(ReviewRequest, entry), day))
        day += timedelta(days=1)
    return found


class ReviewOpener:
    """Opens what waits, as many at a time as the backend takes, each of which is counted first.

    :param together: reviews that are counted and opened at a time: so many, at most, a killed run may cost the day's
        budget.
    :param budget: reviews that may be opened in a day (UTC).
    :param maximum_waiting: requests that may wait, and ``waiting_days`` for how long; what is beyond is dropped.
    :param audits_only: leave the doubtful detections waiting.
    :param now: gives the moment; its day in UTC is the budget's.
    """

    def __init__(
        self,
        store: S3Store,
        backend: ReviewBackend,
        *,
        budget: int,
        together: int = 50,
        maximum_waiting: int = 10_000,
        waiting_days: float = 30,
        audits_only: bool = False,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.store = store
        self.backend = backend
        self.together = together
        self.waiting = WaitingReviews(store)
        self.day_budget = budget
        self.maximum_waiting = maximum_waiting
        self.waiting_days = waiting_days
        self.audits_only = audits_only
        self.now = now

    def run(self) -> OpenedReviews:
        """Open until nothing is left to open, the budget is used up, or the backend takes no more.

        A request that the backend refuses waits on, and does not keep others from being opened. While all reviews fail
        for a technical reason none is opened but a probe now and then.

        :raises ReviewBackendNotReady: nothing can be opened until it is set up; the requests wait on.
        :raises ReviewBackendError: not one request could be opened.
        """
        backlog = self._read_backlog()
        if not backlog.urgent:
            opened = OpenedReviews(waiting=backlog.waiting)
        elif halt := self._judge_halt():
            opened = self._probe(halt, backlog)
        else:
            opened = self._open_by_urgency(backlog)
        return replace(opened, too_old=backlog.too_old, too_many=backlog.too_many)

    def _read_backlog(self) -> Backlog:
        oldest = self.now() - timedelta(days=self.waiting_days)
        chosen = min(CHOSEN_AT_ONCE, self.maximum_waiting)
        return BacklogReader(self.waiting, self.maximum_waiting, oldest, chosen, audits_only=self.audits_only).read()

    def _judge_halt(self) -> ReviewHalt | None:
        """End the halt of opening if its probe shows that reviews work again, or if they are set up anew."""
        halt = HALT.read(self.store)
        if halt is None:
            return None
        state = self.backend.status(halt.probe) if halt.probe else None
        status, setup, now = state.status if state else None, self.backend.setup_name(), self.now()

        def judged(present: ReviewHalt | None) -> ReviewHalt | None:
            return present.judge(status, setup, now) if present and present.probe == halt.probe else present

        return HALT.change(self.store, judged)

    def _probe(self, halt: ReviewHalt, backlog: Backlog) -> OpenedReviews:
        """Open one review, if it is time to see whether reviews work again: one of those that failed least often."""
        now, opened = self.now(), 0
        budget = ReviewBudget(self.store, now.date())
        if halt.may_probe(now) and budget.read().room(self.day_budget):
            chosen = min(backlog.urgent, key=lambda one: (one.request.attempt, *urgency(one.request)))
            name = chosen.request.name
            HALT.change(self.store, lambda present: present.begin_probe(name, now) if present else None)
            opened = len(self._open_together(budget, [chosen]).new)
        return OpenedReviews(opened, 0, backlog.waiting - opened, halt.words)

    def _open_by_urgency(self, backlog: Backlog) -> OpenedReviews:
        """Open the most urgent of all that wait, as many as the day's budget has room for."""
        counts: Counter[str] = Counter()
        troubles: list[Trouble] = []
        budget = ReviewBudget(self.store, self.now().date())
        urgent, are_all, is_over = backlog.urgent, len(backlog.urgent) < CHOSEN_AT_ONCE, False
        while urgent and not troubles and (chosen := urgent[: budget.read().room(self.day_budget)]):
            # The budget has room for all of them: those of a file together, which is then changed once.
            by_file = iter(sorted(chosen, key=lambda one: one.file.key))
            while not is_over and (together := list(islice(by_file, self.together))):
                ends = self._open_together(budget, together)
                counts.update(new=len(ends.new), known=len(ends.known))
                troubles += ends.troubles
                is_over = ends.is_over
            urgent = urgent[len(chosen) :]
            if not urgent and not are_all:
                urgent = self._read_backlog().urgent
                are_all = len(urgent) < CHOSEN_AT_ONCE
        opened, known = counts["new"], counts["known"]
        trouble = min(troubles, key=_badness, default=None)
        is_none_opened = isinstance(trouble, ReviewBackendError) and not (opened or known)
        if trouble and (is_none_opened or isinstance(trouble, ReviewBackendNotReady)):
            raise trouble
        return OpenedReviews(opened, known, backlog.waiting - opened - known, str(trouble or ""))

    def _open_together(self, budget: ReviewBudget, chosen: list[Waiting]) -> OpenedTogether:
        """Count some, open them, and take them from what waits; what was not opened is counted no more."""
        counted = chosen[: budget.count(len(chosen), self.day_budget)]
        if not counted:
            return OpenedTogether()
        write_opened(self.store, budget.day, [one.request for one in counted])
        ends = self.backend.open([one.request for one in counted])
        self.waiting.remove_all([one for one in counted if one.request.name in ends.new | ends.known])
        if free := len(counted) - len(ends.new) - len(ends.unsure):
            budget.uncount(free)
        return ends


def _badness(error: Trouble) -> int:
    return next(number for number, kind in enumerate(_WORST_FIRST) if isinstance(error, kind))
