"""A review backend without AWS behind it: counts what it is asked, and can be full, out of order or interrupted."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from custom_labels.review.backends.base import OpenedTogether
from custom_labels.review.backends.one_by_one import OneByOne
from custom_labels.review.review import Answered, ReviewRequest, ReviewState, ReviewStatus


def _nothing(request: ReviewRequest) -> None:
    pass


class MemoryBackend:
    """Keeps the names of open reviews in memory.

    :param before: called before each opening with the request; what it raises comes instead of an answer.
    :param after: called when a review was opened, before the answer is given.
    """

    def __init__(
        self,
        before: Callable[[ReviewRequest], object] = _nothing,
        after: Callable[[ReviewRequest], object] = _nothing,
    ) -> None:
        self.opened: list[str] = []
        self.listed: list[ReviewState] = []
        self.cancelled: list[str] = []
        self.before = before
        self.after = after
        self.setup = "page 1"
        self.patience_seconds = 0.0
        self.states_by_name: dict[str, ReviewStatus] = {}
        self._lock = threading.Lock()

    def open(self, requests: Sequence[ReviewRequest]) -> OpenedTogether:
        return OneByOne(self._open, patience_seconds=self.patience_seconds).open(requests)

    def _open(self, request: ReviewRequest) -> bool:
        self.before(request)
        with self._lock:
            is_new = request.name not in self.opened
            if is_new:
                self.opened.append(request.name)
        self.after(request)
        return is_new

    def setup_name(self) -> str:
        return self.setup

    def status(self, name: str) -> ReviewState | None:
        status = self.states_by_name.get(name, ReviewStatus.OPEN)
        return ReviewState(name, status, "2026-11-20T10:00:00+00:00") if name in self.opened else None

    def states(self, since: datetime, is_known: Callable[[str], bool] = lambda _: False) -> Iterator[list[ReviewState]]:
        for state in self.listed:
            yield [state]

    def state_from_event(self, body: Mapping[str, Any]) -> ReviewState | None:
        raise NotImplementedError

    def answers(self, state: ReviewState) -> Answered | None:
        raise NotImplementedError

    def cancel(self, names: Collection[str]) -> None:
        self.cancelled += sorted(names)
