"""Whether Airflow's pools that a project file names are there: a task in each, and whether it was ever started."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
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


class PoolProbes:
    """Looks at the tasks that take a slot of each pool, for a minute at most, however many they are.

    :param state_of: gives the state of another task of the same run.
    :param seconds: how long they may wait for a slot.
    """

    def __init__(
        self, state_of: Callable[[str], str | None] = state_of_task, seconds: float = PATIENCE_SECONDS
    ) -> None:
        self.state_of = state_of
        self.seconds = seconds
        self.deadline: float | None = None

    def has_slots(self, task_id: str) -> bool:
        """Wait until a task has a slot, or had one; give whether it came to that."""
        if self.deadline is None:
            self.deadline = time.monotonic() + self.seconds
        while self.state_of(task_id) in WITHOUT_SLOT:
            if time.monotonic() > self.deadline:
                return False
            time.sleep(min(POLL_SECONDS, self.seconds))
        return True
