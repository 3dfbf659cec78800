"""<project>_rollback: put the previous version, or a named one, back into service."""

from __future__ import annotations

from airflow.sdk import DAG, TaskGroup, TriggerRule

from custom_labels.core.lock_tasks import release_locks
from custom_labels.core.settings import Project, load_projects
from custom_labels.core.settings_tasks import read_settings
from custom_labels.core.steps import earlier, follow, order, task_of, text_of
from custom_labels.deployment import rollback_tasks
from custom_labels.deployment.deploy_tasks import deploy, take_deployment_lock
from custom_labels.deployment.rollback import Rollback
from custom_labels.deployment.settings import DeploymentSettings
from custom_labels.web.assets import live_version
from custom_labels.web.dag_arguments import rollback_dag_arguments
from custom_labels.web.data_flow import declare_data


def rollback_dag(project: Project) -> DAG:
    """Build the rollback DAG of one project."""
    with DAG(schedule=None, **rollback_dag_arguments(project)) as dag:
        settings = read_settings(project, DeploymentSettings)
        lock = take_deployment_lock(project)
        decided = rollback_tasks.choose_version(project)
        with TaskGroup("deploy", prefix_group_id=False, tooltip="Start, smoke-test and swap in the version"):
            deployment = deploy(project, settings, earlier(decided.candidate), live_version(project))
        finish = rollback_tasks.finish.having(trigger_rule=TriggerRule.NONE_FAILED)(project, settings, earlier(decided))
        release = task_of(release_locks(project, [earlier(text_of(lock))])).as_teardown()

        order(settings, lock, decided)
        follow(decided, {Rollback.DUE: deployment.plan})
        order([deployment.swap, deployment.done], finish)
        order([finish, deployment.restart], release)
    declare_data(dag, project)
    return dag


for each in load_projects():
    globals()[f"{each.name}_rollback"] = rollback_dag(each)
