"""Runs of Airflow: those that the demo starts, and those that start by themselves, shown until they end."""

from __future__ import annotations

import time
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.markup import escape

from include.demo.airflow_api import AirflowApi
from include.demo.errors import DemoError
from include.demo.failures import failure_report
from include.demo.view import View

RUN_SECONDS = 1200.0
"""A run takes 10 to 50 seconds, ten times as long on a busy machine; a task that fails for a while is tried again after
30, 60 and 120."""
WAKE_SECONDS = 300.0
"""A queue is looked at every 5 seconds, and a run starts a moment later; on a busy machine a minute later."""
LOOK_SECONDS = 0.7
FINAL = {"success", "failed"}
TRIGGERED_BY = {
    "asset_triggered": "triggered by an event",
    "manual": "was triggered by the demo",
    "scheduled": "was started by its schedule",
    "operator_triggered": "was triggered by another run",
}


@dataclass(frozen=True)
class Run:
    """A run that has ended.

    :param kind: Airflow's run type: ``manual``, ``asset_triggered`` or ``scheduled``.
    :param note: how it ended, in the words of the DAG.
    :param began: when it started, in seconds since the epoch; ``times`` is when each task ended.
    """

    dag_id: str
    run_id: str
    kind: str
    state: str
    note: str
    began: float
    times: dict[str, float]
    url: str
    seconds: float

    @property
    def triggered_by_event(self) -> bool:
        """Whether an asset's event started it."""
        return self.kind == "asset_triggered"

    def to_json(self) -> dict[str, Any]:
        """Give it as JSON types."""
        facts = {name: getattr(self, name) for name in ("dag_id", "run_id", "kind", "state", "note", "url")}
        return {**facts, "seconds": round(self.seconds, 1)}


class Runs:
    """Starts, awaits and shows the runs of one project's DAGs.

    :param project: name of the project, which begins the ids of its DAGs.
    :param airflow_home: has the logs of tasks that fail.
    :param patience: how many times as long as in the demo a run may take to begin and to end.
    """

    def __init__(self, project: str, api: AirflowApi, view: View, airflow_home: Path, patience: float = 1) -> None:
        self.project = project
        self.api = api
        self.view = view
        self.airflow_home = airflow_home
        self.patience = patience
        self.seen: list[Run] = []

    def trigger(self, kind: str, name: str, note: str, conf: dict[str, Any] | None = None) -> Run:
        """Start a run under a name of ours, and show it."""
        run_id = f"demo_{name}"
        self.api.trigger(self._dag_id(kind), run_id, note, conf)
        return self.follow(kind, run_id)

    def await_next(self, kind: str, seconds: float = WAKE_SECONDS) -> Run:
        """Wait for a run that nobody has seen yet, and show it.

        :raises DemoError: none starts in time.
        """
        run = self.follow_next(kind, seconds)
        if run is None:
            raise DemoError(
                f"No run of {self._dag_id(kind)} started by itself within {seconds * self.patience:.0f} seconds. Look "
                f"at the triggerer and the scheduler in {self.api.base_url}."
            )
        return run

    def follow_next(self, kind: str, seconds: float) -> Run | None:
        """Wait for a run that nobody has seen yet, and show it; ``None`` if none starts in time."""
        found = self._next(kind, seconds * self.patience)
        return None if found is None else self.follow(kind, found)

    def drain(self, kind: str) -> None:
        """Follow runs that are there already and that nobody has seen yet."""
        while self.follow_next(kind, 0) is not None:
            pass

    def _next(self, kind: str, seconds: float) -> str | None:
        """Give the oldest run that nobody has seen yet, once there is one."""
        known = {run.run_id for run in self.seen if run.dag_id == self._dag_id(kind)}
        deadline = time.monotonic() + seconds
        # What is only looked for is not awaited.
        with self.view.waiting(f"{self._dag_id(kind)} is awaited") if seconds else nullcontext():
            while True:
                new = [run for run in self.api.runs(self._dag_id(kind)) if run["dag_run_id"] not in known]
                if new:
                    return str(min(new, key=lambda run: run["queued_at"] or run["run_after"])["dag_run_id"])
                if time.monotonic() >= deadline:
                    return None
                time.sleep(LOOK_SECONDS)

    def follow(self, kind: str, run_id: str) -> Run:
        """Show a run until it ends.

        :raises DemoError: it fails, or does not end in time; the message has the logs of what failed.
        """
        dag_id, began = self._dag_id(kind), time.monotonic()
        first = self.api.run(dag_id, run_id)
        how = TRIGGERED_BY.get(first["run_type"], first["run_type"])
        self.view.line(f"[bold]{dag_id}[/bold] {how}: {self.api.run_url(dag_id, run_id)}")
        described, tasks = self._show(dag_id, run_id, began)
        run = _ended(described, tasks, self.api.run_url(dag_id, run_id))
        self.seen.append(run)
        if run.note:
            # Above it is what the demo wrote when it triggered the run.
            self.view.line(f"[dim]It says: {escape(run.note)}[/dim]")
        if run.state != "success":
            raise DemoError(f"Run '{run_id}' of {dag_id} failed.\n{self._failures(dag_id, run_id, tasks)}")
        return run

    def _show(self, dag_id: str, run_id: str, began: float) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        seconds = RUN_SECONDS * self.patience
        with self.view.following() as shown:
            while True:
                run, tasks = self.api.run(dag_id, run_id), self.api.tasks(dag_id, run_id)
                shown.update(tasks)
                if run["state"] in FINAL:
                    # A task's last state may come a moment after the run was read.
                    tasks = self.api.tasks(dag_id, run_id)
                    shown.update(tasks)
                    return run, tasks
                if time.monotonic() - began > seconds:
                    raise DemoError(
                        f"Run '{run_id}' of {dag_id} did not end within {seconds:.0f} seconds. "
                        + (self._failures(dag_id, run_id, tasks) or f"Its tasks: {task_states(tasks)}.")
                    )
                time.sleep(LOOK_SECONDS)

    def _failures(self, dag_id: str, run_id: str, tasks: list[dict[str, Any]]) -> str:
        return failure_report(self.airflow_home, dag_id, run_id, tasks)

    def _dag_id(self, kind: str) -> str:
        return f"{self.project}_{kind}"


def _ended(run: dict[str, Any], tasks: list[dict[str, Any]], url: str) -> Run:
    began = _moment(run["start_date"] or run["run_after"])
    times = {task["task_id"]: _moment(task["end_date"]) for task in tasks if task["end_date"]}
    return Run(
        dag_id=run["dag_id"],
        run_id=run["dag_run_id"],
        kind=run["run_type"],
        state=run["state"],
        note=(run.get("note") or "").strip().rpartition("\n")[2],
        began=began,
        times=times,
        url=url,
        seconds=_moment(run["end_date"]) - began if run["end_date"] else 0.0,
    )


def task_states(tasks: list[dict[str, Any]]) -> str:
    """List the tasks that have a state."""
    return ", ".join(f"{task['task_id']} {task['state']}" for task in tasks if task["state"])


def _moment(text: str) -> float:
    return datetime.fromisoformat(text).astimezone(UTC).timestamp()
