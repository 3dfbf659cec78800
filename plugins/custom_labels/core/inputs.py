"""What every task checks before it does anything: that a branch before it chose it, and that its inputs are there.

A user may mark any task of a run as success, failed or skipped, or run one alone. Such a task leaves neither a decision
nor a result, while Airflow goes on with the tasks behind it: with all sides of a branch, and ``None`` for a result.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from airflow.sdk import TriggerRule

from custom_labels.aws.inputs import require_inputs
from custom_labels.errors import NotDecided

if TYPE_CHECKING:
    from airflow.sdk import Context

P = ParamSpec("P")
R = TypeVar("R")


def is_branch(task: Any) -> bool:
    """Whether a task decides which of those behind it run; Airflow has more than one class of that name."""
    return callable(getattr(task, "do_branch", None))


def require_decision(context: Context) -> None:
    """Make sure that a branch right before this task chose it; also a ``pre_execute`` of an operator.

    A task that is reached on another way as well, through tasks between the branch and itself, is left to Airflow's
    trigger rules: those tasks check for themselves. So is one that runs after a failure, which no branch chooses.

    :raises NotDecided: no branch chose it.
    """
    task = context["task"]
    if task.trigger_rule in {TriggerRule.ONE_FAILED, TriggerRule.ALL_DONE}:
        return
    branches = [each for each in task.upstream_list if is_branch(each)]
    if not branches or any(task.task_id in _chosen(context, each) for each in branches):
        return
    between = set().union(*(each.get_flat_relative_ids(upstream=False) for each in branches))
    if between & (task.upstream_task_ids - {each.task_id for each in branches}):
        return
    names = " or ".join(f"'{name}'" for name in sorted(each.task_id for each in branches))
    raise NotDecided(
        f"Task '{task.task_id}' was not chosen by {names}, which decides whether it runs: that task was marked by "
        f"hand, or this one was run alone. Nothing was changed. Clear {names} with the tasks downstream of it."
    )


def _chosen(context: Context, branch: Any) -> set[str]:
    """Give the tasks that a branch went to; none where it did not run, or was marked.

    Airflow keeps which of the tasks right behind it are not skipped: those chosen, and those that these lead to.
    """
    from airflow.sdk.bases.skipmixin import XCOM_SKIPMIXIN_FOLLOWED, XCOM_SKIPMIXIN_KEY

    decision = context["ti"].xcom_pull(task_ids=branch.task_id, key=XCOM_SKIPMIXIN_KEY) or {}
    followed = set(decision.get(XCOM_SKIPMIXIN_FOLLOWED, ()))
    return {each for each in followed if not followed & branch.dag.get_task(each).get_flat_relative_ids(upstream=True)}


def checked(function: Callable[P, R]) -> Callable[P, R]:
    """Let a task's function run only with a decision for it and with all its inputs.

    A parameter that may be ``None`` says so in its annotation.
    """
    signature = inspect.signature(function)
    needed = [name for name, each in signature.parameters.items() if "None" not in str(each.annotation)]

    @functools.wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        from airflow.sdk import get_current_context

        context = get_current_context()
        require_decision(context)
        inputs = signature.bind(*args, **kwargs).arguments
        require_inputs(context["ti"].task_id, {name: inputs[name] for name in needed if name in inputs})
        return function(*args, **kwargs)

    return run
