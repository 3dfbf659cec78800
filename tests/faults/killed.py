"""An Airflow in a process of its own, with a home and a database that no other has, for a test to kill."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.conftest import HOME, ROOT, airflow_environment
from tests.dags.running import Run

LOOK_SECONDS = 0.01


class Airflow:
    """One Airflow that runs one of the project's DAGs once; used with ``with``, it leaves no process behind.

    :param home: an empty folder for it.
    :param endpoint_url: of the embedded AWS.
    :param kind: which DAG, by the name of its file.
    :param conf: the run's Params.
    """

    def __init__(self, home: Path, endpoint_url: str, kind: str = "train", **conf: Any) -> None:
        self.home = home
        self.endpoint_url = endpoint_url
        self.kind = kind
        self.conf = conf
        self.result = home / "run.json"

    def __enter__(self) -> Self:
        """Start the run."""
        self.home.mkdir(parents=True, exist_ok=True)
        copy_database(HOME / "airflow.db", self.home / "airflow.db")
        with (self.home / "log.txt").open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "tests.faults.one_run", str(self.result), self.kind, json.dumps(self.conf)],
                cwd=ROOT,
                env={**os.environ, **airflow_environment(self.home, self.endpoint_url)},
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()

    def kill(self) -> None:
        """End it and all that it started with SIGKILL, which nothing can catch."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def kill_when(self, happened: Callable[[], bool], *, seconds: float = 60) -> None:
        """Kill it as soon as something has happened.

        :param seconds: how long to wait for that; the run must not end before.
        """
        deadline = time.monotonic() + seconds
        while not happened():
            assert self.process.poll() is None, f"the run ended before it could be killed: {self.words()}"
            assert time.monotonic() < deadline, f"nothing to kill for happened: {self.words()}"
            time.sleep(LOOK_SECONDS)
        assert self.process.poll() is None, f"the run ended before it could be killed: {self.words()}"
        self.kill()
        assert not self.result.exists()

    def finish(self, *, seconds: float = 120) -> Run:
        """Wait until the run has ended, and give it."""
        self.process.wait(seconds)
        assert self.result.exists(), self.words()
        return Run(**json.loads(self.result.read_text(encoding="utf-8")))

    def words(self) -> str:
        """Give the end of its log."""
        return (self.home / "log.txt").read_text(encoding="utf-8", errors="replace")[-3000:]


def copy_database(source: Path, target: Path) -> None:
    """Copy an Airflow database, which is quicker than to make another."""
    with closing(sqlite3.connect(source)) as old, closing(sqlite3.connect(target)) as new:
        old.backup(new)
