"""The folder a demo works in: wiped at each start, and never shared by two demos."""

from __future__ import annotations

import fcntl
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from include.demo.errors import DemoError

MAX_DEMOS = 9


@dataclass(frozen=True)
class Workspace:
    """One demo's own folder, ``.demo/<number>``.

    :param number: 1 for the first demo on this machine, 2 for one beside it; keeps their ports apart, too.
    :param lock: the open file whose lock says that the folder is in use; it goes with the process.
    """

    folder: Path
    number: int
    lock: IO[str]

    @classmethod
    def claim(cls, root: Path) -> Workspace:
        """Take the first folder below ``<root>/.demo`` that no running demo uses.

        :raises DemoError: all are in use.
        """
        base = root / ".demo"
        base.mkdir(exist_ok=True)
        for number in range(1, MAX_DEMOS + 1):
            lock = (base / f"{number}.lock").open("w")
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                lock.close()
                continue
            return cls(base / str(number), number, lock)
        raise DemoError(f"{MAX_DEMOS} demos run already (see {base}). Stop one of them with Ctrl-C.")

    def wipe(self) -> None:
        """Make the folder empty, with a place for logs."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self.logs.mkdir(parents=True)

    def near(self, port: int) -> int:
        """Shift a usual port by the demo's number, so that two demos starting at the same moment do not meet."""
        return port + 20 * (self.number - 1)

    @property
    def logs(self) -> Path:
        """Where each process writes its log."""
        return self.folder / "logs"

    @property
    def airflow_home(self) -> Path:
        """Airflow's own folder: its database, its configuration, its task logs."""
        return self.folder / "airflow_home"

    @property
    def projects(self) -> Path:
        """Where the project's file is, with the review backend that was asked for."""
        return self.folder / "projects"

    @property
    def label_studio(self) -> Path:
        """Label Studio's data folder, where people answer there."""
        return self.folder / "label_studio"

    @property
    def images(self) -> Path:
        """Where the demo's images are written before they go to the bucket."""
        return self.folder / "images"

    @property
    def sessions(self) -> Path:
        """The file that remembers which sessions of processes were started."""
        return self.folder / "sessions.json"
