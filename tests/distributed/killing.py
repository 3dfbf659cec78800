"""Kills a part of Airflow at a moment that is looked for while something else goes on."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Event

LOOK_SECONDS = 0.05


@contextmanager
def killing(victim: Callable[[], str | None], kill: Callable[[str], None]) -> Iterator[None]:
    """Kill once, while the body runs.

    :param victim: asked again and again; names the victim once the moment has come.
    :raises AssertionError: the body ended, and the moment had not come.
    """
    over = Event()

    def look() -> str | None:
        while not over.is_set():
            if name := victim():
                kill(name)
                return name
            time.sleep(LOOK_SECONDS)
        return None

    with ThreadPoolExecutor(1) as pool:
        killed = pool.submit(look)
        try:
            yield
        finally:
            over.set()
        assert killed.result() is not None, "the moment to kill did not come"
