"""Run an operator or sensor as Airflow would, in a worker or through its trigger, without an Airflow around it."""

from __future__ import annotations

import asyncio
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, TypeVar

from airflow.sdk._shared.module_loading import import_string
from airflow.sdk.exceptions import TaskDeferred

from custom_labels.core.context import ProjectContext, RunInfo
from custom_labels.core.project_task import ProjectTask
from custom_labels.core.run_settings import RunSettings
from custom_labels.core.settings import Settings

S = TypeVar("S", bound=RunSettings)

STARTED = datetime.now(UTC)


class TaskInstance:
    """The two methods of a task instance that operators use, with a memory."""

    task_id = "a_task"
    map_index = -1
    try_number, max_tries = 1, 3

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
        start_date=STARTED,
    )
    return {"ti": TaskInstance(), "dag_run": run, "params": {}}


def project_context(dag_id: str = "digits_train", **run: Any) -> ProjectContext:
    """Give the context that a step's function takes, of a run without an Airflow around it."""
    moment = datetime(2026, 11, 20, tzinfo=UTC)
    facts = {"run_id": "test", "when": moment, "as_of": moment, "started_at": STARTED, **run}
    return ProjectContext("digits", run=RunInfo(dag_id, **facts))


def annotated_context(task: ProjectTask, **run: Any) -> ProjectContext:
    """Give the context of a run that sees all there is, of a project whose images are annotated."""
    ctx = project_context(as_of=datetime.now(UTC) + timedelta(minutes=5), **run)
    ctx.project = ctx.project.model_copy(update={"task": task})
    return ctx


def default_settings(kind: type[S], **changes: Any) -> S:
    """Give the settings that a DAG uses, with their defaults but for some."""
    values = Settings()
    return kind(**{**{each.name: getattr(values, each.name) for each in fields(kind)}, **changes})


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
