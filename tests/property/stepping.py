"""Work that stops before every call of S3 until it is told to go on, so that a test chooses the interleaving."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from custom_labels.s3.store import S3Store


class Killed(BaseException):
    """The worker is gone."""


class Stepped:
    """A piece of work in a thread of its own, of which no two ever run at the same moment.

    :param work: calls :meth:`pause` wherever others may come between.
    """

    def __init__(self, work: Callable[[], None]) -> None:
        self.is_over = False
        self.error: BaseException | None = None
        self._work = work
        self._doomed = False
        self._go, self._back = threading.Semaphore(0), threading.Semaphore(0)
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        try:
            self.pause(first=True)
            self._work()
        except BaseException as error:  # noqa: BLE001 - handed over to whoever steps
            self.error = error
        self.is_over = True
        self._back.release()

    def pause(self, *, first: bool = False) -> None:
        """Wait for the next step; here the work may end for good."""
        if not first:
            self._back.release()
        self._go.acquire()
        if self._doomed:
            raise Killed

    def step(self) -> None:
        """Let it go on to its next pause, or to its end."""
        self._go.release()
        self._back.acquire()

    def kill(self) -> None:
        """End it where it stands."""
        self._doomed = True
        if not self.is_over:
            self.step()


class SteppedStore(S3Store):
    """A project's place in S3 that pauses before each call and tells of each object that was written.

    :param pause: called before every call, ``wrote`` with the relative key after every write.
    """

    def __init__(self, bucket: str, prefix: str, pause: Callable[[], None], wrote: Callable[[str], None]) -> None:
        super().__init__(bucket, prefix)
        self.pause = pause
        self.wrote = wrote

    def patiently(
        self, action: Callable[[], Any], operation: str, relative: str, expect: frozenset[str] = frozenset()
    ) -> Any:
        self.pause()
        try:
            return super().patiently(action, operation, relative, expect)
        finally:
            if operation == "put_object":  # also one that seems refused, since it was repeated after a lost answer
                self.wrote(relative)
