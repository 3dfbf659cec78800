"""The tasks that put a version into service, the same for every DAG that does so."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import TriggerRule

from custom_labels.aws.operators.versions import CustomLabelsStartVersionOperator, CustomLabelsStopVersionOperator
from custom_labels.aws.operators.waiting import WaitUntilOperator
from custom_labels.core.dag_arguments import custom_labels_arguments, setting
from custom_labels.core.lock_records import DEPLOYMENT_LOCK
from custom_labels.core.lock_tasks import AcquireProjectLockOperator
from custom_labels.core.preconditions import when_chosen
from custom_labels.core.settings import Project
from custom_labels.deployment import deploy_tasks as steps
from custom_labels.deployment.preconditions import before_deployment, before_start_of_live, before_stop
from custom_labels.deployment.start_operator import StartVersionOperator
from custom_labels.deployment.version_tasks import find_live_down, notify_restarted

NONE_FAILED_MIN_ONE_SUCCESS = TriggerRule.NONE_FAILED_MIN_ONE_SUCCESS


@dataclass(frozen=True)
class Deployment:
    """The ends of the tasks, for the DAG around them.

    :param first: the first task; the DAG puts it behind the deployment lock.
    :param live: the pointer as it was moved.
    :param done: the task after which all is done.
    :param rolled_back: the task that runs last where something failed.
    """

    first: Any
    live: Any
    done: Any
    rolled_back: Any


def take_deployment_lock(project: Project, **arguments: Any) -> Any:
    """Add the task that takes the deployment lock: one run at a time starts, swaps and stops versions."""
    return AcquireProjectLockOperator(
        task_id="acquire_deployment_lock", project=project.name, lock=DEPLOYMENT_LOCK, deferrable=True, **arguments
    )


def units() -> dict[str, Any]:
    """Give the inference units that the run's settings ask for, as arguments of the start operator."""
    return {
        "min_inference_units": setting("minimum_inference_units"),
        "max_inference_units": setting("maximum_inference_units"),
    }


def deploy(project: Project, settings: Any, candidate: Any) -> Deployment:
    """Add the tasks that start, smoke-test and swap in a version, and stop or keep the one that it replaces.

    Whatever fails, the pointer names the version that served before, which runs, and the new one is stopped.

    :param candidate: a task's result with ``project_arn``, ``version_name``, ``version_arn``, ``digest``, ``f1``,
        ``labels`` and ``champion_arn``, the version that is to be replaced.
    """
    name = project.name
    aws = custom_labels_arguments(project)
    plan = steps.plan_deployment(name, settings, candidate)
    version = {**aws, "project_arn": plan["project_arn"], "version_name": plan["version_name"]}

    kept = steps.find_kept(name, plan)
    stop_other: dict[str, Any] = {"pre_execute": before_stop(name)}
    stop_kept = CustomLabelsStopVersionOperator.partial(task_id="stop_kept", **stop_other, **aws).expand_kwargs(kept)
    start = StartVersionOperator(
        task_id="start_version",
        pre_execute=before_deployment(name, "plan_deployment"),
        trigger_rule=NONE_FAILED_MIN_ONE_SUCCESS,
        stop_first=plan["stop_first"],
        **units(),
        **version,
    )
    smoke_test = steps.smoke_test(name, settings, plan)
    live = steps.swap_live(name, settings, plan, smoke_test)

    is_version_replaced = steps.is_version_replaced(name, live)
    drain = WaitUntilOperator(task_id="drain", moment=live["drained_at"], pre_execute=when_chosen)
    is_replaced_kept = steps.is_replaced_kept(name, settings, live)
    stop_replaced = CustomLabelsStopVersionOperator(
        task_id="stop_replaced",
        project_arn=live["previous_project_arn"],
        version_name=live["previous_version_name"],
        **stop_other,
        **aws,
    )
    record_replaced = steps.record_replaced.override(trigger_rule=NONE_FAILED_MIN_ONE_SUCCESS)(name)
    swapped = EmptyOperator(task_id="swapped", trigger_rule=NONE_FAILED_MIN_ONE_SUCCESS)

    is_running = steps.is_challenger_running.override(trigger_rule=TriggerRule.ONE_FAILED)(name, plan)
    stop_challenger = CustomLabelsStopVersionOperator(task_id="stop_challenger", **stop_other, **version)
    down, rolled_back = start_live_again(project, "plan_deployment", trigger_rule=NONE_FAILED_MIN_ONE_SUCCESS)

    kept >> stop_kept >> start >> smoke_test
    is_version_replaced >> drain >> is_replaced_kept >> stop_replaced >> record_replaced >> swapped
    is_version_replaced >> [record_replaced, swapped]
    is_replaced_kept >> record_replaced
    [stop_kept, start, smoke_test, live, is_version_replaced] >> is_running >> stop_challenger >> down
    is_running >> down
    return Deployment(plan, live, swapped, rolled_back)


def start_live_again(project: Project, decided_by: str, *, trigger_rule: TriggerRule) -> tuple[Any, Any]:
    """Add the tasks that start the live version again where a run stopped it and failed; give the first and the last.

    :param decided_by: id of the task whose result names the version that was to be started.
    :param trigger_rule: when the first of them runs.
    """
    down = find_live_down.override(trigger_rule=trigger_rule)(project.name, decided_by)
    restart_live = CustomLabelsStartVersionOperator(
        task_id="restart_live",
        project_arn=down["project_arn"],
        version_name=down["version_name"],
        min_inference_units=down["minimum_inference_units"],
        max_inference_units=down["maximum_inference_units"],
        pre_execute=before_start_of_live(project.name),
        **custom_labels_arguments(project),
    )
    notified = notify_restarted(project.name, down)
    restart_live >> notified
    return down, notified
