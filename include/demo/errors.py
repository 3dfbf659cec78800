"""What ends the demo early."""

from __future__ import annotations


class DemoError(Exception):
    """The demo cannot go on; the message says what happened, where the log is, and the way out."""


class Interrupted(BaseException):
    """Somebody asked the demo to stop.

    A ``BaseException``, like ``KeyboardInterrupt``, so that no error handling on the way takes it for a failure.

    :param signal_number: the signal that asked.
    """

    def __init__(self, signal_number: int) -> None:
        super().__init__(signal_number)
        self.signal_number = signal_number
