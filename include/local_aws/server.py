"""Put the parts together and serve them: one process, one port, 127.0.0.1 only."""

from __future__ import annotations

import contextlib
import functools
import logging
import select
import signal
import socket
import sys
import threading
from dataclasses import dataclass, field
from typing import Any

from cheroot.wsgi import Gateway_10
from cheroot.wsgi import Server as CherootServer

from include.local_aws.calls import Calls
from include.local_aws.changes import Changes
from include.local_aws.control import Control
from include.local_aws.fallback import Moto
from include.local_aws.faults import Fault, Faults
from include.local_aws.human_review.crew import SimulatedWorkforce
from include.local_aws.human_review.portal import Portal
from include.local_aws.human_review.renderer import Renderer
from include.local_aws.human_review.service import Ticker, make_human_review
from include.local_aws.objects import Objects
from include.local_aws.rekognition.service import make_rekognition
from include.local_aws.router import CLIENT_IS_GONE, Router
from include.local_aws.saved import SavedStates
from include.local_aws.settings import Settings
from include.local_aws.statuses import Statuses
from include.local_aws.training.pool import TrainerPool

HOST = "127.0.0.1"
_THREADS = 40
_BACKLOG = 256  # cheroot's default of 5 makes clients wait for retransmitted SYNs under load
log = logging.getLogger("local_aws")


@dataclass(frozen=True)
class Options:
    """How to start: the port (0 picks a free one), settings and faults; `watch_stdin` stops at its end.

    `memory` is a folder where fitted models are kept for other trainings on the same images; empty for none.
    """

    port: int = 5555
    seed: int = 0
    durations: dict[str, float] = field(default_factory=dict)
    quotas: dict[str, int] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    trainers: int = 2
    memory: str = ""
    watch_stdin: bool = False


class Emulator:
    """All services and the server in front of them."""

    def __init__(self, options: Options) -> None:
        self._settings = Settings(options.durations, options.quotas, options.seed)
        self._faults = Faults(options.seed, options.faults)
        self._statuses = Statuses()
        self._calls = Calls()
        self._changes = Changes()
        self._trainers = TrainerPool(options.trainers, options.memory)
        objects = Objects(self._faults)
        rekognition, self._regions = make_rekognition(self._settings, objects, self._trainers, self._statuses)
        self._renderer = Renderer()
        reviews, self._reviews = make_human_review(
            self._settings, objects, lambda: self.url, self._statuses, self._renderer
        )
        self._ticker = Ticker(self._tick)
        self._workforce = SimulatedWorkforce()
        control = Control(
            self._settings,
            self._faults,
            self._statuses,
            self._calls,
            self._changes,
            self._workforce,
            SavedStates(self._regions, self._reviews, self._calls),
            self._health,
            self._reset,
        )
        portal, services = Portal(self._reviews), [rekognition, *reviews]
        router = Router(services, Moto(), control, portal, self._faults, self._calls, self._changes, objects)
        self._server = CherootServer(
            (HOST, options.port),
            router,
            numthreads=_THREADS,
            request_queue_size=_BACKLOG,
            timeout=60,
            shutdown_timeout=1,
        )
        self._server.gateway = _Gateway
        self._server.prepare()

    @property
    def url(self) -> str:
        """The endpoint URL for every service."""
        return f"http://{HOST}:{self._server.bind_addr[1]}"

    def start(self) -> None:
        """Serve in a thread of its own."""
        self._ticker.start()
        threading.Thread(target=self._server.serve, name="cheroot", daemon=True).start()

    def stop(self) -> None:
        """End the workers, then the server."""
        self._ticker.stop()
        self._trainers.stop()
        self._renderer.stop()
        self._server.stop()

    def _health(self) -> dict[str, Any]:
        return {"status": "ok", "trainer_process_ids": self._trainers.process_ids, "seed": self._settings.seed}

    def _tick(self) -> None:
        for name in self._reviews.names():
            region = self._reviews.get(name)
            with region.lock:
                self._workforce.work(region)

    def _reset(self) -> None:
        """Forget all state, moto's included, and go back to the settings of the start."""
        from moto.moto_api._internal.models import moto_api_backend

        self._regions.clear()
        self._reviews.clear()
        self._workforce.dismiss()
        moto_api_backend.reset()
        self._settings.reset()
        self._faults.reset()
        self._statuses.set_rules([])
        self._calls.clear()
        self._changes.clear()


class _Gateway(Gateway_10):
    """Tells moto how S3 metadata names were spelled: WSGI alone turns an underscore into a hyphen.

    And the router, whether the client is still there.
    """

    def get_environ(self) -> Any:
        """Return the WSGI environment with the names that have an underscore, and a look at the connection."""
        environ: dict[str, Any] = super().get_environ()  # type: ignore[no-untyped-call]
        names = (name.decode("latin-1").lower() for name in self.req.inheaders)
        environ["moto.preserved_header_names"] = {
            f"HTTP_{name.upper().replace('-', '_')}": name
            for name in names
            if name.startswith("x-amz-meta-") and "_" in name
        }
        environ[CLIENT_IS_GONE] = functools.partial(_is_closed, self.req.conn.socket)
        return environ


def _is_closed(connection: socket.socket) -> bool:
    """Say whether the other side has closed a connection, without taking anything from it."""
    readable, _, _ = select.select([connection], [], [], 0)
    try:
        return bool(readable) and not connection.recv(1, socket.MSG_PEEK)
    except ConnectionError:
        return True


def serve(options: Options) -> int:
    """Serve until SIGINT, SIGTERM or, if asked for, the end of stdin; returns the exit code."""
    stopping = threading.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, lambda *_: stopping.set())
    try:
        emulator = Emulator(options)
    except OSError as error:
        log.error(  # noqa: TRY400 - the reason is in the message, the stack adds nothing
            "Port %s of %s cannot be used: %s. Choose another with --port, or a free one with --port 0.",
            *(options.port, HOST, error),
        )
        return 1
    emulator.start()
    if options.watch_stdin:
        threading.Thread(target=_wait_for_end_of_stdin, args=(stopping,), daemon=True).start()
    print(f"local AWS ready at {emulator.url}", flush=True)
    # moto prints. Whoever waited for the line above reads no further, and a full pipe would block every call.
    with contextlib.redirect_stdout(sys.stderr):
        # A plain wait() would keep the main thread, and so the signal handlers, from running on some platforms.
        while not stopping.wait(0.5):
            pass
    emulator.stop()
    log.info("local AWS stopped")
    return 0


def _wait_for_end_of_stdin(stopping: threading.Event) -> None:
    sys.stdin.buffer.read()
    stopping.set()
