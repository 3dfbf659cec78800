"""Whether Airflow's pools that a project file names are there: a task in each, and whether it was ever started."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from airflow.sdk import get_current_context

from custom_labels.core.context import ProjectContext
from custom_labels.core.settings import Project
from custom_labels.core.steps import step

ALWAYS_THERE = "default_pool"
PATIENCE_SECONDS = 60.0
"""How long a task of a pool may wait for a slot before the pool counts as missing or full."""
POLL_SECONDS = 2.0
WITHOUT_SLOT = frozenset({None, "scheduled", "up_for_reschedule", "up_for_retry"})
"""States of a task that was not given a slot yet."""


@step
def use_pool(ctx: ProjectContext) -> str:
    """Take a slot of the pool and give it back: nobody but the scheduler knows whether a pool is there."""
    return f"A task of project '{ctx.project.name}' was started in this pool."


def named_pools(project: Project) -> dict[str, str]:
    """Give the pools that a project file names, by its fields; the one that Airflow always has is left out."""
    pools = {"pool": project.pool, "detection_pool": project.detection_pool}
    return {field: name for field, name in pools.items() if name != ALWAYS_THERE}


def use_of(field: str) -> str:
    """Name the task that takes a slot of a pool."""
    return f"use_{field}"


def state_of_task(task_id: str) -> str | None:
    """Give the state of another task of the run that the running task is of."""
    ti: Any = get_current_context()["ti"]
    states: Mapping[str, Any] = ti.get_task_states(dag_id=ti.dag_id, task_ids=[task_id], run_ids=[ti.run_id])
    state: str | None = states.get(ti.run_id, {}).get(task_id)
    return state


def tasks_without_slot(
    task_ids: Iterable[str],
    state_of: Callable[[str], str | None] = state_of_task,
    seconds: float = PATIENCE_SECONDS,
) -> set[str]:
    """Wait until each of some tasks has a slot of its pool, or had one; give those that have none after all.

    :param state_of: gives the state of another task of the same run.
    :param seconds: how long all of them may wait together.
    """
    deadline = time.monotonic() + seconds
    while (waiting := {each for each in task_ids if state_of(each) in WITHOUT_SLOT}) and time.monotonic() < deadline:
        time.sleep(min(POLL_SECONDS, seconds))
    return waiting
