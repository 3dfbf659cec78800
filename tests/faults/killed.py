"""Airflows in processes of their own, each with a home and a database that no other has, for a test to kill."""

from __future__ import annotations

import atexit
import functools
import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from custom_labels.core.settings import PROJECTS_DIR_VARIABLE
from tests.conftest import HOME, ROOT, airflow_environment
from tests.kit.dag_runs import Run
from tests.kit.database import copy_database

LOOK_SECONDS = 0.01


class ForkServer:
    """The process that Airflows are forked from; see ``tests.faults.fork_server``. Its log goes to a file."""

    def __init__(self) -> None:
        log = HOME / "fork_server.log"
        with log.open("wb") as stream:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "tests.faults.fork_server"],
                cwd=ROOT,
                env={**os.environ, **airflow_environment(HOME)},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=stream,
                text=True,
                start_new_session=True,
            )
        assert self._answer() == "ready", log.read_text(encoding="utf-8", errors="replace")[-3000:]

    def fork(self, **order: Any) -> int:
        """Start a run; give its process id."""
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(order) + "\n")
        self.process.stdin.flush()
        return int(self._answer())

    def _answer(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def stop(self) -> None:
        """End it and all that it forked."""
        for stream in (self.process.stdin, self.process.stdout):
            assert stream is not None
            stream.close()
        self.process.wait(20)


@functools.cache
def fork_server() -> ForkServer:
    """Start this process's fork server when it is first needed; it ends with this process."""
    started = ForkServer()
    atexit.register(started.stop)
    return started


class Airflow:
    """One Airflow that runs one of the project's DAGs once; used with ``with``, it leaves no process behind.

    :param home: a folder for it alone.
    :param endpoint_url: of the embedded AWS.
    :param kind: which DAG, by the name of its file.
    :param moment: when the run was to be, by which it is named; runs of the same moment are one run, cleared.
    :param short_retries: whether retries pause for a hundredth of the usual time.
    :param conf: the run's Params.
    """

    def __init__(
        self,
        home: Path,
        endpoint_url: str,
        kind: str = "train",
        *,
        moment: str | None = None,
        short_retries: bool = False,
        **conf: Any,
    ) -> None:
        self.home = home
        self.endpoint_url = endpoint_url
        self.kind = kind
        self.moment = moment
        self.short_retries = short_retries
        self.conf = conf
        self.result = home / "run.json"

    def __enter__(self) -> Self:
        """Start the run, with this process's Airflow Variables, project files and connections to Label Studio."""
        self.home.mkdir(parents=True, exist_ok=True)
        copy_database(HOME / "airflow.db", self.home / "airflow.db")
        ours = ("AIRFLOW_VAR_", "AIRFLOW_CONN_LABEL_STUDIO", PROJECTS_DIR_VARIABLE)
        variables = {name: value for name, value in os.environ.items() if name.startswith(ours)}
        self.pid = fork_server().fork(
            home=str(self.home),
            environment={**airflow_environment(self.home, self.endpoint_url), **variables},
            kind=self.kind,
            moment=self.moment,
            short_retries=self.short_retries,
            conf=self.conf,
        )
        try:
            self.handle: int | None = os.pidfd_open(self.pid)
        except ProcessLookupError:
            self.handle = None
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()
        if self.handle is not None:
            os.close(self.handle)

    @property
    def is_running(self) -> bool:
        """Whether it has not ended."""
        # By a handle: its number may be another's process soon after it has ended.
        return self.handle is not None and not select.select([self.handle], [], [], 0)[0]

    def kill(self) -> None:
        """End it and all that it started with SIGKILL, which nothing can catch."""
        if not self.is_running:
            return
        try:
            os.killpg(self.pid, signal.SIGKILL)
        except ProcessLookupError:
            os.kill(self.pid, signal.SIGKILL)  # it has not made its group yet
        self.wait(10)

    def wait(self, seconds: float) -> None:
        """Wait until it has ended."""
        deadline = time.monotonic() + seconds
        while self.is_running:
            assert time.monotonic() < deadline, f"it did not end in {seconds} seconds: {self.words()}"
            time.sleep(LOOK_SECONDS)

    def kill_when(self, happened: Callable[[], bool], *, seconds: float = 60) -> None:
        """Kill it as soon as something has happened.

        :param seconds: how long to wait for that; the run must not end before.
        """
        deadline = time.monotonic() + seconds
        while not happened():
            assert self.is_running, f"the run ended before it could be killed: {self.words()}"
            assert time.monotonic() < deadline, f"nothing to kill for happened: {self.words()}"
            time.sleep(LOOK_SECONDS)
        assert self.is_running, f"the run ended before it could be killed: {self.words()}"
        self.kill()
        assert not self.result.exists()

    def finish(self, *, seconds: float = 120) -> Run:
        """Wait until the run has ended, and give it."""
        self.wait(seconds)
        assert self.result.exists(), self.words()
        return Run(**json.loads(self.result.read_text(encoding="utf-8")))

    def words(self) -> str:
        """Give the end of its log."""
        return (self.home / "log.txt").read_text(encoding="utf-8", errors="replace")[-3000:]
