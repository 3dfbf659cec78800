"""Many threads that want the same at the same moment."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Result = TypeVar("Result")

THREADS = 8


def at_once(action: Callable[[int], Result]) -> list[Result]:
    """Do something in eight threads that begin together; give what each came to, in the order of their numbers."""
    barrier = threading.Barrier(THREADS)

    def run(number: int) -> Result:
        barrier.wait(10)
        return action(number)

    with ThreadPoolExecutor(max_workers=THREADS) as pool:
        return list(pool.map(run, range(THREADS)))
