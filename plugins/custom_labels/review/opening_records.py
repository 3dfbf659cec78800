"""Opening the reviews that wait: the most doubtful first, within the day's budget, however often it is killed."""

from __future__ import annotations

import heapq
import logging
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from enum import Enum, auto
from typing import TYPE_CHECKING, Any

from tenacity import Retrying, retry_if_exception, wait_random_exponential

from custom_labels.review.backends.base import (
    ReviewBackend,
    ReviewBackendError,
    ReviewBackendFull,
    ReviewBackendNotReady,
)
from custom_labels.review.backlog_records import Backlog, BacklogBounds
from custom_labels.review.budget import Reservation
from custom_labels.review.budget_records import ReviewBudget
from custom_labels.review.halt import ReviewHalt
from custom_labels.review.halt_records import change_halt, read_halt
from custom_labels.review.opened_records import read_chosen, write_chosen
from custom_labels.review.opening import OpenedReviews
from custom_labels.review.request_records import Waiting, WaitingReviews
from custom_labels.review.review import Purpose, ReviewRequest, urgency
from custom_labels.s3.errors import is_passing

if TYPE_CHECKING:
    from custom_labels.s3.store import S3Store

log = logging.getLogger(__name__)
Trouble = ReviewBackendFull | ReviewBackendNotReady | ReviewBackendError

THREADS = 8
CHOSEN_AT_ONCE = 2000
"""Requests that are held in memory and opened under one reservation."""
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
    """Opens what waits, one reservation of the budget after the other.

    :param owner: the run and the task, the same for all its tries.
    :param budget: reviews that may be opened in a day (UTC).
    :param maximum_waiting: requests that may wait, and ``waiting_days`` for how long; what is beyond is dropped.
    :param audits_only: leave the doubtful detections waiting.
    :param now: gives the moment; its day in UTC is the budget's.
    """

    def __init__(
        self,
        store: S3Store,
        backend: ReviewBackend,
        owner: str,
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
        self.budget = ReviewBudget(store, owner)
        self.day_budget = budget
        self.maximum_waiting = maximum_waiting
        self.waiting_days = waiting_days
        self.audits_only = audits_only
        self.patience_seconds = patience_seconds
        self.now = now
        self._moved_at = 0.0

    def run(self) -> OpenedReviews:
        """Open until nothing is left to open, the budget is used up, or the backend takes no more.

        A request that the backend refuses waits on, and does not keep others from being opened. While all reviews fail
        for a technical reason none is opened but a probe now and then.

        :raises ReviewBackendNotReady: nothing can be opened until it is set up; the requests wait on.
        :raises ReviewBackendError: not one request could be opened.
        """
        backlog = self._bound_backlog()
        halt = self._judge_halt()
        opening = self._probe(halt, backlog.waiting) if halt else self._run(backlog.waiting)
        return replace(opening, too_old=backlog.too_old, too_many=backlog.too_many)

    def _bound_backlog(self) -> Backlog:
        """Drop what waits too long or is too much, before anything is chosen."""
        others = set(self.budget.read(self.now().date()).reservations) - {self.budget.owner}
        oldest = self.now() - timedelta(days=self.waiting_days)
        return BacklogBounds(self.waiting, self.maximum_waiting, oldest, is_merging=not others).apply()

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

    def _probe(self, halt: ReviewHalt, waiting: int) -> OpenedReviews:
        """Open one review, if it is time to see whether reviews work again: one of those that failed least often."""
        now, opened = self.now(), 0
        day = now.date()
        before = self.budget.read(day)
        if halt.may_probe(now) and before.room(self.day_budget) and self.budget.owner not in before.reservations:
            chosen = self._choose(1, lambda one: (one.request.attempt, *urgency(one.request)))
            held = self.budget.reserve(day, len(chosen), self.day_budget) if chosen else None
            if held is not None:
                name = chosen[0].request.name
                change_halt(self.store, lambda present: present.begin_probe(name, now) if present else None)
                ends, _ = self._open_held(day, held, chosen)
                opened = ends.count(_End.NEW)
        return OpenedReviews(opened, 0, waiting - opened, halt.words)

    def _run(self, waiting: int) -> OpenedReviews:
        """Open one reservation of the budget after the other.

        :param waiting: requests that wait at first; they are read again only where some of them may be opened.
        """
        opened = known = 0
        while True:
            day = self.now().date()
            before = self.budget.read(day)
            held = before.reservations.get(self.budget.owner)
            room = held.reviews if held else before.room(self.day_budget)
            chosen = self._choose(min(room, waiting, CHOSEN_AT_ONCE))
            if chosen or held:
                held = self.budget.reserve(day, len(chosen), self.day_budget)
            if held is None:
                return OpenedReviews(opened, known, waiting)
            ends, trouble = self._open_held(day, held, chosen)
            opened += ends.count(_End.NEW)
            known += ends.count(_End.KNOWN)
            # What an earlier try opened may have been taken away by it, too.
            waiting = (
                self.waiting.count() if held.is_resumed else waiting - ends.count(_End.NEW) - ends.count(_End.KNOWN)
            )
            if trouble is None:
                continue
            if isinstance(trouble, ReviewBackendNotReady) or not (opened or known or _is_full(trouble)):
                raise trouble
            return OpenedReviews(opened, known, waiting, str(trouble))

    def _choose(self, number: int, key: Callable[[Waiting], Any] = lambda one: urgency(one.request)) -> list[Waiting]:
        """Choose the requests to be opened first."""
        if number <= 0:
            return []
        candidates = (
            one for one in self.waiting.read() if not self.audits_only or one.request.purpose is Purpose.AUDIT
        )
        return heapq.nsmallest(number, candidates, key=key)

    def _open_held(self, day: date, held: Reservation, chosen: list[Waiting]) -> tuple[list[_End], Trouble | None]:
        """Open what a reservation is for: what an earlier try chose under it, else what is chosen now."""
        counted = read_chosen(self.store, day, held) if held.is_resumed else None
        if counted is None:
            counted = write_chosen(self.store, day, held, chosen[: held.reviews])
        ends, trouble = self._open_all([one.request for one in counted])
        by_file: dict[str, set[str]] = defaultdict(set)
        for one, end in zip(counted, ends, strict=True):
            if end in {_End.NEW, _End.KNOWN}:
                by_file[one.file].add(one.request.name)
        with ThreadPoolExecutor(THREADS) as pool:
            list(pool.map(self.waiting.remove, by_file.keys(), by_file.values()))
        self.budget.settle(day, ends.count(_End.NEW) + ends.count(_End.UNSURE))
        return ends, trouble

    def _open_all(self, requests: list[ReviewRequest]) -> tuple[list[_End], Trouble | None]:
        """Open requests in some threads; give what became of each, and the worst trouble."""
        stop = threading.Event()
        troubles: list[Trouble] = []

        def open_one(request: ReviewRequest) -> _End:
            if stop.is_set():
                return _End.LEFT
            try:
                return _End.NEW if self._open(request) else _End.KNOWN
            except (ReviewBackendFull, ReviewBackendNotReady) as error:
                stop.set()
                troubles.append(error)
                return _End.LEFT
            except ReviewBackendError as error:
                log.warning("Review %s is not opened: %s", request.name, error)
                troubles.append(error)
                if not is_passing(error.__cause__):
                    return _End.LEFT
                stop.set()
                return _End.UNSURE

        self._moved_at = time.monotonic()
        with ThreadPoolExecutor(THREADS) as pool:
            ends = list(pool.map(open_one, requests))
        worst = sorted(troubles, key=lambda one: (not isinstance(one, ReviewBackendNotReady), not _is_full(one)))
        return ends, worst[0] if worst else None

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
