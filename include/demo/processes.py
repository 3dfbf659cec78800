"""Processes that the demo starts, each in a session of its own, and the certainty that all of them end."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from include.demo.errors import DemoError
from include.demo.interrupts import Interrupts
from include.demo.workspace import Workspace

ORDERLY_SECONDS = 8.0
"""How long a program may take to end by itself after SIGINT."""
FORCED_SECONDS = 3.0
"""How long what is left of it may take after SIGTERM, before SIGKILL."""


@dataclass(frozen=True)
class Child:
    """A program that the demo runs, with everything it started: all processes of one session.

    :param name: what a person calls it.
    :param log: the file that gets its output.
    """

    name: str
    process: subprocess.Popen[bytes]
    log: Path

    def check_alive(self) -> None:
        """Raise :class:`DemoError` with the end of its log if the program has ended."""
        code = self.process.poll()
        if code is not None:
            raise DemoError(f"{self.name} ended by itself (exit code {code}). {log_tail(self.log)}")


class Processes:
    """All programs of one demo.

    :param interrupts: holds signals off while a process is started, and says when to hurry.
    """

    def __init__(self, workspace: Workspace, interrupts: Interrupts) -> None:
        self.workspace = workspace
        self.interrupts = interrupts
        self.children: list[Child] = []

    def start(
        self, name: str, command: Sequence[str | Path], env: Mapping[str, str], *, holds_input: bool = False
    ) -> Child:
        """Start a program in a session of its own, working in the demo's folder.

        :param holds_input: whether its standard input stays open for as long as the demo runs, for a program that
            ends when its input does.
        """
        log = self.workspace.logs / f"{name.lower().replace(' ', '_')}.log"
        with self.interrupts.hold(), log.open("wb") as output:
            process = subprocess.Popen(
                [str(part) for part in command],
                env=dict(env),
                cwd=self.workspace.folder,
                stdin=subprocess.PIPE if holds_input else subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            child = Child(name, process, log)
            self.children.append(child)
            self.workspace.sessions.write_text(json.dumps([each.process.pid for each in self.children]))
        return child

    def stop(self) -> None:
        """End every process: ask, then insist, then kill; a second Ctrl-C goes straight to the last."""
        self.interrupts.stop_begins()
        for child in self.children:
            # Only the program itself: Airflow's standalone ends its components in order, the tasks' processes first.
            _send([child.process.pid], signal.SIGINT)
        end_sessions([child.process.pid for child in self.children], hurry=lambda: self.interrupts.hurry)
        for child in self.children:
            child.process.wait()
            if child.process.stdin is not None:
                child.process.stdin.close()


def end_sessions(sessions: Iterable[int], hurry: Callable[[], bool] = lambda: False) -> None:
    """See all processes of the sessions to their end.

    :param sessions: session ids, which are the process ids of the programs that were started.
    :param hurry: asked again and again; once true, everything is killed.
    """
    wanted = frozenset(sessions)
    for patience, how in ((ORDERLY_SECONDS, signal.SIGTERM), (FORCED_SECONDS, signal.SIGKILL)):
        deadline = time.monotonic() + patience
        while session_members(wanted) and time.monotonic() < deadline and not hurry():
            time.sleep(0.1)
        _send(session_members(wanted), signal.SIGKILL if hurry() else how)
    while left := session_members(wanted):
        _send(left, signal.SIGKILL)
        time.sleep(0.05)


def session_members(sessions: frozenset[int]) -> list[int]:
    """List the live processes of the sessions, also those whose parents are gone."""
    members = []
    for pid in psutil.pids():
        try:
            if os.getsid(pid) in sessions and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
                members.append(pid)
        except (ProcessLookupError, PermissionError, psutil.Error):
            continue
    return members


def end_leftovers(workspace: Workspace) -> int:
    """End what an earlier demo in this folder left because it was killed itself.

    A session is taken for ours only where its process works in the folder: process ids are used again.

    :return: the number of processes that were ended.
    """
    try:
        recorded = frozenset(json.loads(workspace.sessions.read_text()))
    except (FileNotFoundError, ValueError):
        return 0
    ours = [pid for pid in session_members(recorded) if _works_in(pid, workspace.folder)]
    sessions = {os.getsid(pid) for pid in ours}
    _send(ours, signal.SIGTERM)
    end_sessions(sessions)
    return len(ours)


def log_tail(log: Path, lines: int = 15) -> str:
    """Give the last lines of a log with its path, to stand behind a sentence."""
    try:
        last = log.read_text(errors="replace").splitlines()[-lines:]
    except FileNotFoundError:
        last = []
    return "\n".join([f"Its log is {log}" + (", which ends:" if last else ", which is empty."), *last])


def _works_in(pid: int, folder: Path) -> bool:
    try:
        return Path(psutil.Process(pid).cwd()).is_relative_to(folder)
    except psutil.Error:
        return False


def _send(pids: Iterable[int], signal_number: int) -> None:
    for pid in pids:
        try:
            os.kill(pid, signal_number)
        except ProcessLookupError:
            continue
