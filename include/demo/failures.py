"""Why a run failed: the end of the logs of the tasks that failed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

LINES = 12


TROUBLED = {"failed": "failed", "up_for_retry": "failed and waits for its next try"}


def failure_report(airflow_home: Path, dag_id: str, run_id: str, tasks: list[dict[str, Any]]) -> str:
    """Word each failed task: its name, the end of its last log, and where that log is; empty when none failed."""
    lines: list[str] = []
    for task in tasks:
        if how := TROUBLED.get(task["state"]):
            lines += [f"Task '{task['task_id']}' {how}.", *_log_end(airflow_home, dag_id, run_id, task["task_id"])]
    return "\n".join(lines)


def _log_end(airflow_home: Path, dag_id: str, run_id: str, task_id: str) -> list[str]:
    folder = airflow_home / "logs" / f"dag_id={dag_id}" / f"run_id={run_id}" / f"task_id={task_id}"
    logs = sorted(folder.glob("attempt=*.log"), key=lambda path: path.stat().st_mtime)
    if not logs:
        return [f"It left no log in {folder}."]
    written = logs[-1].read_text(errors="replace").splitlines()[-LINES:]
    return [*(f"    {_event(line)}" for line in written), f"The whole log: {logs[-1]}"]


def _event(line: str) -> str:
    """Make a line of JSON readable: its level, its text, and the error that it carries."""
    try:
        event = json.loads(line)
        text = f"{event.get('level', ''):<8}{event.get('event', '')}"
        errors = [f"{each.get('exc_type')}: {each.get('exc_value')}" for each in event.get("error_detail") or []]
    except (ValueError, AttributeError):
        return line
    return " | ".join([text, *errors])
