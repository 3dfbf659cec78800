"""The tasks that put a version into service, the same for every DAG that does so."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import TriggerRule

from custom_labels.dag_arguments import custom_labels_arguments, setting
from custom_labels.operators import deploy_steps as steps
from custom_labels.operators.lock import AcquireProjectLockOperator
from custom_labels.operators.versions import CustomLabelsStartVersionOperator, CustomLabelsStopVersionOperator
from custom_labels.settings import Project
from custom_labels.storage.lock import DEPLOYMENT_LOCK


@dataclass(frozen=True)
class Deployment:
    """The ends of the tasks, for the DAG around them.

    :param lock: the first task, which takes the deployment lock.
    :param live: the pointer as it was moved.
    :param done: the task after which all is done.
    :param undone: the task that runs last where something failed.
    """

    lock: Any
    live: Any
    done: Any
    undone: Any


def deploy(project: Project, settings: Any, candidate: Any) -> Deployment:
    """Add the tasks that start, smoke-test and swap in a version, and stop the one that it replaces.

    Whatever fails, the pointer names the version that served before, and the new one is stopped.

    :param candidate: a task's result with ``project_arn``, ``version_name``, ``version_arn``, ``digest``, ``f1``,
        ``labels`` and ``champion_arn``, the version that is to be replaced.
    """
    name = project.name
    aws = custom_labels_arguments(project)
    version = {**aws, "project_arn": candidate["project_arn"], "version_name": candidate["version_name"]}
    lock = AcquireProjectLockOperator(
        task_id="acquire_deployment_lock", project=name, lock=DEPLOYMENT_LOCK, deferrable=True
    )
    start = CustomLabelsStartVersionOperator(
        task_id="start_version",
        min_inference_units=setting("minimum_inference_units"),
        max_inference_units=setting("maximum_inference_units"),
        **version,
    )
    smoke_test = steps.smoke_test(name, settings, candidate)
    live = steps.swap_live(name, candidate)
    is_version_replaced = steps.is_version_replaced(live)
    stop_replaced = CustomLabelsStopVersionOperator(
        task_id="stop_replaced",
        project_arn=live["previous_project_arn"],
        version_name=live["previous_version_name"],
        **aws,
    )
    swapped = EmptyOperator(task_id="swapped", trigger_rule=TriggerRule.NONE_FAILED_MIN_ONE_SUCCESS)
    is_stray = steps.is_challenger_stray.override(trigger_rule=TriggerRule.ONE_FAILED)(name, candidate)
    stop_challenger = CustomLabelsStopVersionOperator(task_id="stop_challenger", **version)

    lock >> start >> smoke_test >> live
    is_version_replaced >> stop_replaced >> steps.record_replaced(name, live) >> swapped
    is_version_replaced >> swapped
    [start, smoke_test, live] >> is_stray >> stop_challenger
    return Deployment(lock, live, swapped, stop_challenger)
