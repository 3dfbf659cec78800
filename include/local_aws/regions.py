"""The regions of one service: each has a state of its own, made when it is first asked for."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, Protocol, TypeVar

from include.local_aws.transitions import Transitions


class RegionState(Protocol):
    """What a region's state has, whatever the service: pending changes, and the lock that guards it."""

    lock: threading.RLock
    transitions: Transitions


State = TypeVar("State", bound=RegionState)


class Regions(Generic[State]):
    """Makes a region's state when it is first asked for, and forgets all on reset."""

    def __init__(self, make: Callable[[str], State]) -> None:
        self._make = make
        self._regions: dict[str, State] = {}
        self._lock = threading.Lock()

    def get(self, name: str) -> State:
        """Return the region with all due transitions applied."""
        with self._lock:
            if name not in self._regions:
                self._regions[name] = self._make(name)
            region = self._regions[name]
        with region.lock:
            region.transitions.settle()
        return region

    def names(self) -> list[str]:
        """Return the regions that have been asked for."""
        with self._lock:
            return list(self._regions)

    def clear(self) -> None:
        """Forget every region and all in it."""
        with self._lock:
            self._regions = {}
