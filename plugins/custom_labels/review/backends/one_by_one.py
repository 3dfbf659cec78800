"""Opening reviews at a backend that takes one request a call: several at once, each repeated while it is overloaded."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from enum import Enum, auto

from tenacity import Retrying, retry_if_exception, wait_random_exponential

from custom_labels.review.backends.base import (
    OpenedTogether,
    ReviewBackendError,
    ReviewBackendFull,
    ReviewBackendNotReady,
    Trouble,
)
from custom_labels.review.review import ReviewRequest

log = logging.getLogger(__name__)
THREADS = 8
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


class OneByOne:
    """Opens requests together by a call for each.

    :param open_one: opens a request and gives whether it is new. Raises what a backend's calls may raise.
    :param patience_seconds: how long calls are repeated while not one of them works.
    """

    def __init__(
        self, open_one: Callable[[ReviewRequest], bool], *, patience_seconds: float = PATIENCE_SECONDS
    ) -> None:
        self.open_one = open_one
        self._patient = Retrying(
            retry=retry_if_exception(lambda error: isinstance(error, ReviewBackendError) and error.is_passing),
            wait=wait_random_exponential(FIRST_PAUSE, LONGEST_PAUSE),
            stop=lambda state: time.monotonic() + state.upcoming_sleep > self._moved_at + patience_seconds,
            reraise=True,
        )
        """Repeats a start while the backend is overloaded, as long as it opens any at all."""
        self._moved_at = time.monotonic()
        self._stop = threading.Event()
        self._troubles: list[Trouble] = []

    def open(self, requests: Sequence[ReviewRequest]) -> OpenedTogether:
        """Open them all; one that is refused does not keep others from being opened."""
        with ThreadPoolExecutor(THREADS) as pool:
            ends = list(pool.map(self._open, requests))

        def names(end: _End) -> frozenset[str]:
            return frozenset(request.name for request, found in zip(requests, ends, strict=True) if found is end)

        return OpenedTogether(names(_End.NEW), names(_End.KNOWN), names(_End.UNSURE), tuple(self._troubles))

    def _open(self, request: ReviewRequest) -> _End:
        """Open a request, unless another thread met what keeps all from being opened."""
        if self._stop.is_set():
            return _End.LEFT
        try:
            is_new = self._patient(self.open_one, request)
        except (ReviewBackendFull, ReviewBackendNotReady) as error:
            self._stop.set()
            self._troubles.append(error)
            return _End.LEFT
        except ReviewBackendError as error:
            log.warning("Review %s is not opened: %s", request.name, error)
            self._troubles.append(error)
            if not error.is_passing:
                return _End.LEFT
            self._stop.set()
            return _End.UNSURE
        self._moved_at = time.monotonic()
        return _End.NEW if is_new else _End.KNOWN
