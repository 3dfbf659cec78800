"""<project>_scale: run the live version with other inference units, which takes a stop and a start."""

from __future__ import annotations

from airflow.sdk import DAG, TaskGroup, TriggerRule

from custom_labels.core.dag_arguments import custom_labels_arguments
from custom_labels.core.lock_tasks import release_locks
from custom_labels.core.settings import Project, load_projects
from custom_labels.core.settings_tasks import read_settings
from custom_labels.core.steps import earlier, follow, given, order, task_of, text_of
from custom_labels.deployment import scale_tasks
from custom_labels.deployment.deploy_tasks import restart_live, smoke_test, take_deployment_lock
from custom_labels.deployment.preconditions import recorded_by_run
from custom_labels.deployment.scaling import Scaling
from custom_labels.deployment.settings import ServingSettings
from custom_labels.deployment.version_operator import StartLiveOperator, StopVersionOperator
from custom_labels.web.dag_arguments import scale_dag_arguments


def scale_dag(project: Project) -> DAG:
    """Build the scale DAG of one project."""
    with DAG(schedule=None, **scale_dag_arguments(project)) as dag:
        settings = read_settings(project, ServingSettings)
        lock = take_deployment_lock(project)
        decided = scale_tasks.inspect_live(project, settings)
        with TaskGroup("scale", prefix_group_id=False, tooltip="Stop the version, and start it with other units"):
            version = {"project_arn": decided.project_arn, "version_name": decided.version_name}
            aws = {"project": project.name, **version, **custom_labels_arguments(project)}
            stop = StopVersionOperator(task_id="stop_live", is_recorded=recorded_by_run, **aws)
            # Nothing serves: rather than to try again in minutes, the units that it had are gone back to.
            start = StartLiveOperator(
                task_id="start_live",
                retries=0,
                min_inference_units=decided.wanted.minimum,
                max_inference_units=decided.wanted.maximum,
                **aws,
            )
            tested = smoke_test(
                project, settings, given(decided.project_arn), given(decided.version_name), given(decided.digest)
            )
        finish = scale_tasks.finish.having(trigger_rule=TriggerRule.NONE_FAILED)(project, settings, earlier(decided))
        restart = restart_live(project, given(earlier(decided.version_name)), trigger_rule=TriggerRule.ONE_FAILED)
        release = task_of(release_locks(project, [earlier(text_of(lock))])).as_teardown()

        order(settings, lock, decided)
        follow(decided, {Scaling.DUE: stop})
        order(stop, start, tested, finish)
        order([stop, start, tested], restart)
        order([finish, restart], release)
    return dag


for each in load_projects():
    globals()[f"{each.name}_scale"] = scale_dag(each)
