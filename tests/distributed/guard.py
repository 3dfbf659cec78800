"""Outlives the tests for a moment: ends what they started, also where they were killed and could not.

Run as ``python -m tests.distributed.guard FOLDER...``; the end of its standard input says that the tests have ended.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from include.demo.processes import end_leftovers
from include.demo.workspace import Workspace


@contextmanager
def guarded(*workspaces: Workspace) -> Iterator[None]:
    """See to it that no process that was started in the workspaces outlives this one."""
    command = [sys.executable, "-m", __name__, *(str(each.folder) for each in workspaces)]
    guard = subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True)
    try:
        yield
    finally:
        guard.communicate()


def main(folders: Sequence[str]) -> None:
    """Wait for the end of the tests, then end what works in the folders."""
    sys.stdin.read()
    with Path(os.devnull).open("w") as lock:
        for folder in folders:
            end_leftovers(Workspace(Path(folder), 0, lock))


if __name__ == "__main__":
    main(sys.argv[1:])
