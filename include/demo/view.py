"""What the terminal shows while Airflow works: finished tasks as lines, those at work below them with a clock."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from rich.console import Console, Group
from rich.live import Live
from rich.spinner import Spinner
from rich.status import Status
from rich.text import Text

AT_WORK = {"running": "", "deferred": "waiting for AWS, holds no worker"}
"""States worth a line with a clock, and what to say of them."""
ENDED = {
    "success": ("✓", "green"),
    "failed": ("✗", "red"),
    "up_for_retry": ("!", "yellow"),
    "upstream_failed": ("✗", "dim red"),
}
"""States that are worth a line that stays, with its mark."""
NAME_WIDTH = 26


class View:
    """The terminal, or a file or pipe that gets the same as plain lines."""

    def __init__(self, console: Console) -> None:
        self.console = console

    def heading(self, text: str) -> None:
        """Begin a part."""
        self.console.print(f"\n[bold]{text}[/bold]", soft_wrap=True)

    def line(self, text: str) -> None:
        """Say one thing."""
        self.console.print(f"  {text}", soft_wrap=True)

    @contextmanager
    def waiting(self, what: str) -> Iterator[Status | None]:
        """Show that something is waited for; says so once where there is no terminal."""
        if not self.console.is_terminal:
            self.line(f"{what} ...")
            yield None
            return
        with self.console.status(f"{what} ...") as status:
            yield status

    @contextmanager
    def following(self) -> Iterator[RunView]:
        """Follow one run."""
        if not self.console.is_terminal:
            yield RunView(self, None)
            return
        with Live(console=self.console, transient=True, refresh_per_second=8) as live:
            yield RunView(self, live)


class RunView:
    """One run's tasks; :meth:`update` is given all of them again and again."""

    def __init__(self, view: View, live: Live | None) -> None:
        self._view = view
        self._live = live
        self._shown: set[tuple[str, str, int]] = set()

    def update(self, tasks: list[dict[str, Any]]) -> None:
        """Print what ended since the last look, and show what is at work now."""
        for task in sorted(tasks, key=lambda each: each["end_date"] or ""):
            event = (task["task_id"], task["state"], task["try_number"])
            if task["state"] in ENDED and event not in self._shown:
                self._shown.add(event)
                self._view.console.print(ended_line(task))
        if self._live is not None:
            at_work = [task for task in tasks if task["state"] in AT_WORK]
            self._live.update(Group(*(Spinner("dots", text=at_work_line(task)) for task in at_work)))


def ended_line(task: dict[str, Any]) -> Text:
    """Word a task that ended: a mark, its name, its seconds, and which try it was where there were several."""
    mark, style = ENDED[task["state"]]
    seconds = task_seconds(task)
    tries = f"   try {task['try_number']}" if task["try_number"] > 1 or task["state"] == "up_for_retry" else ""
    again = ", to be tried again" if task["state"] == "up_for_retry" else ""
    text = Text(f"  {mark} ", style=style)
    text.append(f"{task['task_id']:<{NAME_WIDTH}}", style="default")
    text.append(f"{seconds:6.1f} s" if seconds is not None else "", style="dim")
    return text.append(tries + again, style="yellow")


def at_work_line(task: dict[str, Any]) -> Text:
    """Word a task at work."""
    text = Text(f"{task['task_id']:<{NAME_WIDTH}} ")
    text.append(f"{task_seconds(task) or 0:6.1f} s", style="dim")
    note = AT_WORK[task["state"]]
    return text.append(f"   {note}", style="dim") if note else text


def task_seconds(task: dict[str, Any]) -> float | None:
    """Count the seconds from a task's start to its end, or to now; ``None`` for one that never started."""
    if task["start_date"] is None:
        return None
    start = datetime.fromisoformat(task["start_date"])
    end = datetime.fromisoformat(task["end_date"]) if task["end_date"] else datetime.now(UTC)
    return max(0.0, (end - start).total_seconds())
