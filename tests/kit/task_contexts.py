"""Run an operator or sensor as Airflow would, in a worker or through its trigger, without an Airflow around it."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

from airflow.sdk._shared.module_loading import import_string
from airflow.sdk.exceptions import TaskDeferred


class TaskInstance:
    """The two methods of a task instance that operators use, with a memory."""

    task_id = "a_task"
    try_number = 1
    max_tries = 0

    def __init__(self) -> None:
        self.xcoms: dict[str, Any] = {}

    def xcom_push(self, key: str, value: Any) -> None:
        self.xcoms[key] = value


def context() -> Any:
    moment = datetime(2026, 11, 20, tzinfo=UTC)
    run = SimpleNamespace(
        dag_id="digits_train",
        run_id="test",
        run_type="scheduled",
        logical_date=moment,
        run_after=moment,
        data_interval_end=moment,
        start_date=datetime.now(UTC),
    )
    return {"ti": TaskInstance(), "dag_run": run, "params": {}}


def run(task: Any, given: Any = None) -> Any:
    """Execute a task; where it defers, run its trigger, serialized and read back, and come back to it."""
    given = given or context()
    try:
        return task.execute(given)
    except TaskDeferred as deferred:
        return resume(task, deferred, given)


def resume(task: Any, deferred: TaskDeferred, given: Any) -> Any:
    """Go on after a deferral, as often as it takes, in a new instance of the task as on another worker."""
    while True:
        event = asyncio.run(first_event(deferred.trigger))
        method = getattr(task, deferred.method_name)
        try:
            return method(given, event=event, **(deferred.kwargs or {}))
        except TaskDeferred as again:
            deferred = again


async def first_event(trigger: Any) -> Any:
    path, arguments = trigger.serialize()
    async for event in import_string(path)(**arguments).run():
        return event.payload
    raise AssertionError("the trigger ended without an event")
