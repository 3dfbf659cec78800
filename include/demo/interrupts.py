"""Ctrl-C and SIGTERM: the first one stops everything in order, the second one at once."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from include.demo.errors import Interrupted


class Interrupts:
    """Turns the first SIGINT or SIGTERM into :class:`Interrupted`, and later ones into a wish to hurry."""

    def __init__(self) -> None:
        self.hurry = False
        self._stopping = False
        self._holding = False
        self._held: int | None = None

    def install(self) -> None:
        """Take over both signals.

        A shell starts background jobs with SIGINT ignored, which children would inherit; a handler is not inherited.
        """
        signal.signal(signal.SIGINT, self._on_signal)
        signal.signal(signal.SIGTERM, self._on_signal)

    def stop_begins(self) -> None:
        """From now on a signal no longer interrupts; it asks to be quick."""
        self._stopping = True

    @contextmanager
    def hold(self) -> Iterator[None]:
        """Put a signal off while a process is started, so that none is started and then forgotten."""
        self._holding = True
        try:
            yield
        finally:
            self._holding = False
        if self._held is not None and not self._stopping:
            self._interrupt(self._held)

    def _on_signal(self, signal_number: int, _frame: FrameType | None) -> None:
        if self._stopping:
            self.hurry = True
        elif self._holding:
            self._held = signal_number
        else:
            self._interrupt(signal_number)

    def _interrupt(self, signal_number: int) -> None:
        self._stopping = True
        raise Interrupted(signal_number)
