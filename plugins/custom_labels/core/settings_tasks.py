"""The first step of every DAG: its settings, read and validated once for the whole run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from airflow.sdk.bases.skipmixin import XCOM_SKIPMIXIN_KEY
from airflow.sdk.bases.xcom import BaseXCom

from custom_labels.core.context import AUTOSTART, REASON, RESUMED, ProjectContext, step
from custom_labels.core.run_settings import RunSettings
from custom_labels.core.settings import Project, Settings
from custom_labels.core.steps import Step

if TYPE_CHECKING:
    from airflow.sdk import Context

S = TypeVar("S", bound=RunSettings)

HANDED_ON = (BaseXCom.XCOM_RETURN_KEY, XCOM_SKIPMIXIN_KEY, REASON, RESUMED, AUTOSTART)
"""XCom keys that other tasks, or Airflow for them, read: results, what branches decided, and why."""


def read_settings(project: Project, kind: type[S], **options: Any) -> S:
    """Add the first step of a DAG: it reads and validates the settings that the DAG uses, once for the whole run.

    It also sees that the project's place in S3 is its own.

    :param kind: what to read.
    :param options: arguments of the operator.
    """

    def load_settings(ctx: ProjectContext) -> S:
        """Read and validate the settings, and see that the project's place in S3 is its own."""
        settings = ctx.read_settings(kind)
        ctx.require_region()
        ctx.claim()
        return settings

    load_settings.__annotations__["return"] = kind
    return Step(load_settings, **options)(project)


def settings_of(values: Mapping[str, Any]) -> Settings:
    """Take the settings out of what :func:`load_settings` returned, which holds more."""
    return Settings.model_validate({name: values[name] for name in Settings.model_fields})


@step
def load_settings(project: str) -> dict[str, Any]:
    """Read and validate all settings, and see that the project's place in S3 is its own.

    Everything later in the run uses these values. They are one XCom: one for each of them would be some sixty rows and
    requests a run.
    """
    ctx = ProjectContext(project)
    clear_earlier_try(ctx.context)
    settings = ctx.settings()
    ctx.require_region()
    ctx.claim()
    short = min(settings.status_poll_seconds, 10)
    return {
        **settings.model_dump(mode="json"),
        "as_of": ctx.run.as_of.isoformat(),
        "training_poll_attempts": max(1, round(settings.training_timeout_hours * 3600 / settings.status_poll_seconds)),
        "short_poll_seconds": short,
        "short_poll_attempts": 3600 // short,
    }


def clear_earlier_try(context: Context) -> None:
    """Delete what the tasks of a run that was cleared had handed on.

    Airflow forgets what a task left when that task starts again. A run that goes another way the second time does not
    start all of them: their branches would go on being followed (``NotPreviouslySkippedDep`` skips what an old decision
    passed over), and their results be read as if they were of now.
    """
    from airflow.sdk.execution_time.xcom import XCom

    ti = context["ti"]
    if ti.try_number < 2:
        return
    states = ti.get_task_states(dag_id=ti.dag_id, run_ids=[ti.run_id])[ti.run_id]
    for task_id in sorted(context["dag"].task_ids):
        if task_id != ti.task_id and states.get(task_id) is None:
            for key in HANDED_ON:
                XCom.delete(key=key, task_id=task_id, dag_id=ti.dag_id, run_id=ti.run_id)
