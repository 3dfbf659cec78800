"""Asynchronous resources: named changes of state that happen after a time, or when background work is done."""

from __future__ import annotations

import heapq
import itertools
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, TypeVar

Result = TypeVar("Result")


@dataclass(order=True)
class Transition:
    """A change that is due at `due` (seconds of the clock) and, if it waits for work, not before that ends."""

    due: float
    number: int
    name: str = field(compare=False)
    apply: Callable[[], None] = field(compare=False)
    work: Future[Any] | None = field(compare=False, default=None)
    worked_until: float | None = field(compare=False, default=None)

    @property
    def happens(self) -> float:
        """When it happens, in seconds of the clock: when it is due, or when its work ended if that is later."""
        return max(self.due, self.worked_until or self.due)


class Transitions:
    """The pending changes of one region.

    Nothing fires by itself: `settle` applies what is due, and every operation settles first. So a state
    never changes in the middle of an operation.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self.moment = 0.0
        """When the change that is being applied happened, in seconds since the epoch: not when somebody looked."""
        self._numbers = itertools.count()
        self._timed: list[Transition] = []  # a heap: ten thousand reviews may wait for their expiry
        self._working: list[Transition] = []

    def schedule(self, name: str, seconds: float, apply: Callable[[], None], work: Future[Any] | None = None) -> None:
        """Have `apply` happen after `seconds`, and not before `work` is done."""
        transition = Transition(self._clock() + seconds, next(self._numbers), name, apply, work)
        if work is None:
            heapq.heappush(self._timed, transition)
            return
        self._working.append(transition)
        work.add_done_callback(lambda _work: self._end_work(transition))

    @property
    def is_working(self) -> bool:
        """Whether some change waits for work that is not done."""
        return any(transition.worked_until is None for transition in self._working)

    @property
    def pending(self) -> int:
        """How many changes are still to come."""
        return len(self._timed) + len(self._working)

    def settle(self) -> None:
        """Apply all that is due, in order; what a change schedules counts from now."""
        now = self._clock()
        for transition in [t for t in self._working if t.worked_until is not None]:
            self._working.remove(transition)
            heapq.heappush(self._timed, transition)
        while self._timed and self._timed[0].due <= now:
            transition = heapq.heappop(self._timed)
            self.moment = time.time() - max(0.0, self._clock() - transition.happens)
            transition.apply()

    def _end_work(self, transition: Transition) -> None:
        transition.worked_until = self._clock()


def in_background(work: Callable[[], Result], name: str) -> Future[Result]:
    """Run `work` in a daemon thread of its own, which never delays the end of the process."""
    future: Future[Result] = Future()

    def run() -> None:
        try:
            future.set_result(work())
        except BaseException as error:  # noqa: BLE001 - it is handed over, whoever asks the future gets it
            future.set_exception(error)

    threading.Thread(target=run, name=name, daemon=True).start()
    return future
