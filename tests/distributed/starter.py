"""Starts a program under the guard and waits, to be killed: what a test does that is killed in its middle."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

from include.demo.interrupts import Interrupts
from include.demo.processes import Processes
from include.demo.workspace import Workspace
from tests.distributed.guard import guarded

if __name__ == "__main__":
    with Path(os.devnull).open("w") as lock:
        workspace = Workspace(Path(sys.argv[1]), 1, lock)
        workspace.wipe()
        with guarded(workspace):
            child = Processes(workspace, Interrupts()).start("Sleeper", ["sleep", "100"], os.environ)
            sys.stdout.write(f"{child.process.pid}\n")
            sys.stdout.flush()
            time.sleep(100)
