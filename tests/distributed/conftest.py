"""The loop, closed once on Celery while parts of Airflow are killed; the tests judge what came out."""

from __future__ import annotations

import os
import secrets
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from rich.console import Console

from custom_labels.core.settings import load_project
from include.demo.environment import clean_environment
from include.demo.interrupts import Interrupts
from include.demo.processes import Processes
from include.demo.view import View
from include.demo.workspace import MAX_DEMOS, Workspace
from tests.conftest import ROOT
from tests.distributed.guard import guarded
from tests.distributed.members import Members
from tests.distributed.play import Played, play
from tests.distributed.servers import start_servers

NUMBERS = 900
"""So many of these tests could start at the same moment with ports of their own."""


@pytest.fixture(scope="package")
def played() -> Iterator[Played]:
    """Play it; everything still runs while the tests look at it."""
    pytest.importorskip("celery", reason="Celery has a virtual environment of its own: run `make test-celery`.")
    with clean_process(), workspaces() as (servers_folder, airflow_folder):
        servers, airflow = (Processes(each, Interrupts()) for each in (servers_folder, airflow_folder))
        with guarded(servers_folder, airflow_folder):
            try:
                members = Members(start_servers(servers))
                view = View(Console(file=sys.stdout, highlight=False, force_terminal=False, width=150))
                yield play(ROOT, load_project("digits"), airflow, members, view)
            finally:
                airflow.stop()
                servers.stop()


@contextmanager
def workspaces() -> Iterator[tuple[Workspace, Workspace]]:
    """Give a folder for the servers and one for Airflow, which stay only if something goes wrong in them.

    Not below pytest's own folder, into which nobody but its user may look: Postgres runs as somebody else.
    """
    root = Path(tempfile.mkdtemp(prefix="custom-labels-distributed-"))
    root.chmod(0o711)
    number = MAX_DEMOS + 2 + secrets.randbelow(NUMBERS)
    with (root / "lock").open("w") as lock:
        found = Workspace(root / "servers", number, lock), Workspace(root / "airflow", number, lock)
        for each in found:
            each.wipe()
        yield found
    shutil.rmtree(root)


@contextmanager
def clean_process() -> Iterator[None]:
    """Take everything of another Airflow, that of the other tests included, out of this process's environment."""
    with pytest.MonkeyPatch.context() as patch:
        clean = clean_environment(os.environ, ROOT)
        for foreign in os.environ.keys() - clean.keys():
            patch.delenv(foreign)
        for name, value in clean.items():
            patch.setenv(name, value)
        yield
