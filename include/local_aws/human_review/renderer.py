"""The process that renders worker pages, and is ended when one takes too long or too much memory.

Liquid's own limits do not hold a template back: a filter such as `replace` or `join` makes gigabytes out of two small
values, and a number like 1e999999999 or a search in (1..9999999999) keeps the interpreter in a single call for hours.
Only a process can be stopped there.
"""

from __future__ import annotations

import contextlib
import logging
import multiprocessing
import signal
import threading
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path

from include.local_aws.children import begin_as_child
from include.local_aws.human_review.templates import PageOrder, TemplateError, render_page

SECONDS = 5.0
"""How long one page may take; thousands are rendered in that time."""
MEMORY_BYTES = 512 * 1024 * 1024
"""What rendering may take beside what the process has when it starts; held where the system can (Linux)."""
_START_SECONDS = 60.0
log = logging.getLogger("local_aws")


@dataclass(frozen=True)
class _Child:
    process: BaseProcess
    connection: Connection


class Renderer:
    """Renders pages one after the other in a process of its own, which starts when it is first needed.

    Parameters: `seconds` is how long one page may take.
    """

    def __init__(self, seconds: float = SECONDS) -> None:
        self._seconds = seconds
        self._lock = threading.Lock()
        self._child: _Child | None = None
        self._stopped = False

    def render(self, order: PageOrder) -> str:
        """Return the page; raises TemplateError also if it takes too long or more than MEMORY_BYTES."""
        with self._lock:
            good, text = self._ask(order)
        if not good:
            raise TemplateError(text)
        return text

    @property
    def process_id(self) -> int | None:
        """The process that renders, None while there is none."""
        return None if self._child is None else self._child.process.pid

    def stop(self) -> None:
        """End the process, whatever it does; nothing is rendered afterwards."""
        self._stopped = True
        child = self._child
        if child is not None:
            child.process.kill()  # what is being rendered ends with it, and gives the lock free
        with self._lock:
            self._end()

    def _ask(self, order: PageOrder) -> tuple[bool, str]:
        try:
            connection = self._send(order)
            if connection.poll(self._seconds):
                good, text, fit = connection.recv()
                if not fit:
                    self._end()
                return good, text
            reason = f"it took longer than {self._seconds:g} seconds, the limit of local AWS"
        except (EOFError, OSError):
            reason = "the process that renders ended, maybe for want of memory"
        self._end()
        log.error("a worker page was not rendered: %s", reason)
        return False, reason

    def _send(self, order: PageOrder) -> Connection:
        """Give an order to the process, or to another if that is gone; raises EOFError if there is none."""
        try:
            connection = self._ready()
            connection.send(order)
        except OSError:
            self._end()
            connection = self._ready()
            connection.send(order)
        return connection

    def _ready(self) -> Connection:
        if self._stopped:
            raise EOFError
        if self._child is not None:
            return self._child.connection
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        process = context.Process(target=_serve, args=(theirs,), name="local-aws-renderer", daemon=True)
        process.start()
        theirs.close()
        self._child = _Child(process, ours)
        if not ours.poll(_START_SECONDS):
            raise EOFError
        ours.recv()
        return ours

    def _end(self) -> None:
        if self._child is not None:
            self._child.process.kill()
            self._child.process.join(timeout=2)
            self._child.connection.close()
            self._child = None


def _serve(connection: Connection) -> None:
    """Render what is ordered until the parent closes the connection or dies."""
    begin_as_child()
    _limit_memory()
    connection.send("ready")
    while True:
        try:
            order = connection.recv()
        except EOFError:
            return
        _die_after(2 * SECONDS)
        connection.send(_answer(order))
        _die_after(0)


def _answer(order: PageOrder) -> tuple[bool, str, bool]:
    """Return whether there is a page, the page or what went wrong, and whether the process is fit for another."""
    try:
        return True, render_page(order), True
    except TemplateError as error:
        return False, str(error), True
    except MemoryError:
        return False, f"it took more than {MEMORY_BYTES // 1024**2} MB of memory, the limit of local AWS", False
    except Exception as error:  # noqa: BLE001 - whatever a filter makes of its input is the template's own failure
        return False, f"{type(error).__name__}: {error}", True


def _limit_memory() -> None:
    with contextlib.suppress(ImportError, OSError, ValueError):  # where the system has no such limit
        import resource

        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
        limit = pages * resource.getpagesize() + MEMORY_BYTES
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


def _die_after(seconds: float) -> None:
    """End even inside of a single long call, should the parent not be there any more to see to it; 0 is never."""
    if hasattr(signal, "setitimer"):
        signal.setitimer(signal.ITIMER_REAL, seconds)
