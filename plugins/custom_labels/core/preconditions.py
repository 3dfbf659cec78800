"""Checks that an operator makes right before it begins, as its ``pre_execute``."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from custom_labels.aws.inputs import require_inputs
from custom_labels.core.context import ProjectContext, final
from custom_labels.core.inputs import require_decision

if TYPE_CHECKING:
    from airflow.sdk import Context

Check = Callable[[ProjectContext, Any], None]
Hook = Callable[[Any], None]


def pre_execute(project: str, check: Check) -> Hook:
    """Make a ``pre_execute`` of a check: a branch chose the task, and its errors fail it at once."""

    def run(context: Context) -> None:
        require_decision(context)
        check(ProjectContext(project, context), context["task"])

    return final(run)


def pull_inputs(ctx: ProjectContext, task: Any, *task_ids: str) -> dict[str, Any]:
    """Give what other tasks returned, by their ids."""
    inputs = {task_id: ctx.context["ti"].xcom_pull(task_ids=task_id) for task_id in task_ids}
    require_inputs(task.task_id, inputs)
    return inputs


when_chosen: Hook = final(require_decision)
"""Before whatever an operator right behind a branch does: the branch chose it."""
