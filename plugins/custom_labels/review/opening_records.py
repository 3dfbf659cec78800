"""Opening the reviews that wait: the most doubtful first, within the day's budget, however often it is killed."""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from enum import Enum, auto
from itertools import islice
from typing import TYPE_CHECKING

from tenacity import Retrying, retry_if_exception, wait_random_exponential

from custom_labels.review.backends.base import (
    ReviewBackend,
    ReviewBackendError,
    ReviewBackendFull,
    ReviewBackendNotReady,
)
from custom_labels.review.backlog_records import Backlog, BacklogReader
from custom_labels.review.budget_records import ReviewBudget
from custom_labels.review.halt import ReviewHalt
from custom_labels.review.halt_records import change_halt, read_halt
from custom_labels.review.opened_records import write_opened
from custom_labels.review.opening import OpenedReviews
from custom_labels.review.request_records import Waiting, WaitingFile, WaitingReviews
from custom_labels.review.review import ReviewRequest, urgency
from custom_labels.s3.errors import is_passing

if TYPE_CHECKING:
    from custom_labels.s3.store import S3Store

log = logging.getLogger(__name__)
Trouble = ReviewBackendFull | ReviewBackendNotReady | ReviewBackendError

THREADS = 8
CHOSEN_AT_ONCE = 2000
"""Requests that are held in memory, and opened before the rest is looked at again."""
COUNTED_AT_ONCE = 50
"""Reviews that are counted before they are opened: so many, at most, a killed run may cost the day's budget."""
PATIENCE_SECONDS = 120.0
"""How long starts are repeated, after botocore itself has given up, while not one of them works."""
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 5.0


class _End(Enum):
    """What became of one request."""

    NEW = auto()
    KNOWN = auto()
    LEFT = auto()
    UNSURE = auto()
    """It was asked for, and no answer came."""


class ReviewOpener:
    """Opens what waits, some dozens at a time, each of which is counted first.

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
        maximum_waiting: int = 10_000,
        waiting_days: float = 30,
        audits_only: bool = False,
        patience_seconds: float = PATIENCE_SECONDS,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.store = store
        self.backend = backend
        self.waiting = WaitingReviews(store)
        self.day_budget = budget
        self.maximum_waiting = maximum_waiting
        self.waiting_days = waiting_days
        self.audits_only = audits_only
        self.patience_seconds = patience_seconds
        self.now = now
        self._moved_at = 0.0
        self._stop = threading.Event()
        self._troubles: list[Trouble] = []

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
        """Drop what waits too long or is too much, and choose what is opened first."""
        oldest = self.now() - timedelta(days=self.waiting_days)
        chosen = min(CHOSEN_AT_ONCE, self.maximum_waiting)
        return BacklogReader(self.waiting, self.maximum_waiting, oldest, chosen, audits_only=self.audits_only).read()

    def _judge_halt(self) -> ReviewHalt | None:
        """End the halt of opening if its probe shows that reviews work again, or if they are set up anew."""
        halt = read_halt(self.store)
        if halt is None:
            return None
        state = self.backend.status(halt.probe) if halt.probe else None
        status, setup, now = state.status if state else None, self.backend.setup_name(), self.now()

        def judged(present: ReviewHalt | None) -> ReviewHalt | None:
            return present.judge(status, setup, now) if present and present.probe == halt.probe else present

        return change_halt(self.store, judged)

    def _probe(self, halt: ReviewHalt, backlog: Backlog) -> OpenedReviews:
        """Open one review, if it is time to see whether reviews work again: one of those that failed least often."""
        now, opened = self.now(), 0
        budget = ReviewBudget(self.store, now.date())
        if halt.may_probe(now) and budget.room(self.day_budget):
            chosen = min(backlog.urgent, key=lambda one: (one.request.attempt, *urgency(one.request)))
            name = chosen.request.name
            change_halt(self.store, lambda present: present.begin_probe(name, now) if present else None)
            opened = self._open_together(budget, [chosen]).count(_End.NEW)
        return OpenedReviews(opened, 0, backlog.waiting - opened, halt.words)

    def _open_by_urgency(self, backlog: Backlog) -> OpenedReviews:
        """Open the most urgent of all that wait, as many as the day's budget has room for."""
        counts: Counter[_End] = Counter()
        budget = ReviewBudget(self.store, self.now().date())
        urgent, are_all = backlog.urgent, len(backlog.urgent) < CHOSEN_AT_ONCE
        while not self._troubles and (chosen := urgent[: budget.room(self.day_budget)]):
            # The budget has room for all of them: those of a file together, which is then changed once.
            by_file = iter(sorted(chosen, key=lambda one: one.file.key))
            while not self._stop.is_set() and (together := list(islice(by_file, COUNTED_AT_ONCE))):
                counts.update(self._open_together(budget, together))
            urgent = urgent[len(chosen) :]
            if not urgent and not are_all:
                urgent = self._read_backlog().urgent
                are_all = len(urgent) < CHOSEN_AT_ONCE
        opened, known = counts[_End.NEW], counts[_End.KNOWN]
        worst = sorted(self._troubles, key=lambda one: (not isinstance(one, ReviewBackendNotReady), not _is_full(one)))
        trouble = worst[0] if worst else None
        if isinstance(trouble, ReviewBackendNotReady) or (trouble and not (opened or known or _is_full(trouble))):
            raise trouble
        return OpenedReviews(opened, known, backlog.waiting - opened - known, str(trouble or ""))

    def _open_together(self, budget: ReviewBudget, chosen: list[Waiting]) -> list[_End]:
        """Count some dozens, open them, and take them from what waits; what was not opened is counted no more."""
        counted = chosen[: budget.count(len(chosen), self.day_budget)]
        if not counted:
            return []
        write_opened(self.store, budget.day, [one.request for one in counted])
        self._moved_at = time.monotonic()
        with ThreadPoolExecutor(THREADS) as pool:
            ends = list(pool.map(self._try_to_open, (one.request for one in counted)))
            by_file: dict[WaitingFile, set[str]] = defaultdict(set)
            for one, end in zip(counted, ends, strict=True):
                if end in {_End.NEW, _End.KNOWN}:
                    by_file[one.file].add(one.request.name)
            list(pool.map(self.waiting.remove, by_file.keys(), by_file.values()))
        if free := ends.count(_End.KNOWN) + ends.count(_End.LEFT):
            budget.uncount(free)
        return ends

    def _try_to_open(self, request: ReviewRequest) -> _End:
        """Open a request, unless another thread met what keeps all from being opened."""
        if self._stop.is_set():
            return _End.LEFT
        try:
            return _End.NEW if self._open(request) else _End.KNOWN
        except (ReviewBackendFull, ReviewBackendNotReady) as error:
            self._stop.set()
            self._troubles.append(error)
            return _End.LEFT
        except ReviewBackendError as error:
            log.warning("Review %s is not opened: %s", request.name, error)
            self._troubles.append(error)
            if not is_passing(error.__cause__):
                return _End.LEFT
            self._stop.set()
            return _End.UNSURE

    def _open(self, request: ReviewRequest) -> bool:
        """Open one, again if the backend is only short of breath, as long as it opens any at all."""
        patient = Retrying(
            retry=retry_if_exception(
                lambda error: isinstance(error, ReviewBackendError) and is_passing(error.__cause__)
            ),
            wait=wait_random_exponential(FIRST_PAUSE, LONGEST_PAUSE),
            stop=lambda state: time.monotonic() + state.upcoming_sleep > self._moved_at + self.patience_seconds,
            reraise=True,
        )
        is_new = patient(self.backend.open, request)
        self._moved_at = time.monotonic()
        return is_new


def _is_full(trouble: Trouble) -> bool:
    return isinstance(trouble, ReviewBackendFull)
