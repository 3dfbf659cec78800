"""What a task that pays, starts, stops or deletes makes sure of first, whatever became of the tasks before it.

A user may mark, skip or clear any task, or run one alone, days later. So it is not the way to the task that counts, but
what the registry says at this moment: each function makes a ``pre_execute`` of an operator, or is called by a step.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from custom_labels.core.context import ProjectContext, final
from custom_labels.core.inputs import require_decision, require_inputs
from custom_labels.deployment.deployment import why_not_replaced
from custom_labels.deployment.permission import why_not_deleted, why_not_deployed, why_not_live, why_not_stopped
from custom_labels.errors import LiveVersionChanged, NotPermitted
from custom_labels.evaluation.decision_records import Decisions
from custom_labels.training.train_rules import first_step

if TYPE_CHECKING:
    from airflow.sdk import Context

Check = Callable[[ProjectContext, Any], None]
Hook = Callable[[Any], None]


def _hook(project: str, check: Check) -> Hook:
    """Make a ``pre_execute`` of a check: a branch chose the task, and its errors fail it at once."""

    def run(context: Context) -> None:
        require_decision(context)
        check(ProjectContext(project, context), context["task"])

    return final(run)


def _pull(place: ProjectContext, task: Any, *task_ids: str) -> dict[str, Any]:
    """Give what other tasks returned, by their ids."""
    inputs = {task_id: place.context["ti"].xcom_pull(task_ids=task_id) for task_id in task_ids}
    require_inputs(task.task_id, inputs)
    return inputs


when_chosen: Hook = final(require_decision)
"""Before whatever an operator right behind a branch does: the branch chose it."""


# -- putting into service --------------------------------------------------------------------------


def require_permission(place: ProjectContext, settings: Mapping[str, Any], candidate: Mapping[str, Any]) -> None:
    """Make sure that a version may serve: it replaces what it was judged against, passed its gates, and was approved.

    :param settings: what ``load_settings`` returned.
    :param candidate: what ``judge`` or ``choose_version`` returned.
    :raises LiveVersionChanged: another version serves than the one it is to replace.
    :raises NotPermitted: the registry lacks what it takes.
    """
    live = place.registry.live()
    if reason := why_not_replaced(live, candidate, candidate["champion_arn"]):
        raise LiveVersionChanged(reason)
    if live is not None and live.version_arn == candidate["version_arn"]:
        return
    name = candidate["version_name"]
    refused = why_not_deployed(
        candidate,
        place.registry.version(name),
        Decisions(place.store, name).record(),
        needs_approval=bool(settings["require_approval"]),
    )
    if refused:
        raise NotPermitted(refused)


def before_deployment(project: str, planned_by: str) -> Hook:
    """Before a version is started to serve: it may.

    :param planned_by: the task that returned the candidate.
    """

    def check(place: ProjectContext, task: Any) -> None:
        inputs = _pull(place, task, planned_by, "load_settings")
        place.deployment_lock.keep()
        require_permission(place, inputs["load_settings"], inputs[planned_by])

    return _hook(project, check)


# -- starting, stopping, deleting ------------------------------------------------------------------


def before_start_of_live(project: str) -> Hook:
    """Before a version is started as the one that serves: it is that one."""

    def check(place: ProjectContext, task: Any) -> None:
        place.deployment_lock.keep()
        _refuse(why_not_live(task.version_name, place.registry.live()))

    return _hook(project, check)


def never(place: ProjectContext, name: str) -> bool:  # noqa: ARG001
    """Say that no stop of a live version was recorded: the task stops others only."""
    return False


def recorded_by_run(place: ProjectContext, name: str) -> bool:
    """Whether a run recorded what it stops the live version for."""
    return bool(place.registry.version(name).get("stopped_for"))


def recorded_by_guard(place: ProjectContext, name: str) -> bool:
    """Whether the cost guard recorded that it stops the live version."""
    return (place.registry.service().get("stopped") or {}).get("version_name") == name


def before_stop(project: str, is_recorded: Callable[[ProjectContext, str], bool] = never) -> Hook:
    """Before a version is stopped: it does not serve, or the registry says why it is stopped."""

    def check(place: ProjectContext, task: Any) -> None:
        place.deployment_lock.keep()
        name = task.version_name
        _refuse(why_not_stopped(name, place.registry.live(), is_recorded=is_recorded(place, name)))

    return _hook(project, check)


def before_deletion(project: str) -> Hook:
    """Before a version is deleted: it does not serve, did not before, and nothing is to be done with it."""

    def check(place: ProjectContext, task: Any) -> None:
        place.deployment_lock.keep()
        open_versions = frozenset(attempt.version_name for attempt in place.registry.open_attempts())
        _refuse(why_not_deleted(task.version_name, place.registry.live(), open_versions))

    return _hook(project, check)


def _refuse(reason: str | None) -> None:
    if reason:
        raise NotPermitted(reason)


# -- training --------------------------------------------------------------------------------------


def before_training(project: str) -> Hook:
    """Before a training is paid: this run holds the project and may train, and the training was claimed.

    A version that AWS knows costs nothing more: it is only waited for.
    """

    def check(place: ProjectContext, task: Any) -> None:
        inputs = _pull(place, task, "begin_training", "load_settings")
        place.lock.keep()
        if place.rekognition.describe_version(task.project_arn, task.version_name).status is None:
            _require_claim(place, inputs["load_settings"], inputs["begin_training"])

    return _hook(project, check)


def _require_claim(place: ProjectContext, settings: Mapping[str, Any], begun: Mapping[str, Any]) -> None:
    name = begun["version_name"]
    require_training(place, settings)
    claimed = place.registry.attempt(begun["digest"])
    if claimed is None or claimed.state.is_finished or claimed.version_name != name:
        state = "is not claimed" if claimed is None else f"is that of '{claimed.version_name}', {claimed.state.value}"
        raise NotPermitted(
            f"Version '{name}' was not trained: the one training of its images {state} "
            f"('registry/attempts/{begun['digest']}.json'). Nothing was paid. Trigger the DAG again; with 'force' it "
            "trains images that were tried before."
        )


def require_training(place: ProjectContext, settings: Mapping[str, Any]) -> None:
    """Make sure that this run may train at all.

    :raises NotPermitted: it is a dry run, training is off, or a backfill passes over this interval.
    """
    step, reason = first_step(place, settings)
    if step != "acquire_lock":
        raise NotPermitted(
            f"Run '{place.run_name}' may not train: {reason}. Nothing was paid. Clear task 'is_training_on' with the "
            "tasks downstream of it."
        )
