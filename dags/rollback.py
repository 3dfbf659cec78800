"""<project>_rollback: put the previous version, or a named one, back into service."""

from __future__ import annotations

from airflow.sdk import DAG, Label

from custom_labels.core.reporting_tasks import report_and_notify
from custom_labels.core.settings import Project, load_projects
from custom_labels.core.settings_tasks import load_settings
from custom_labels.deployment import rollback_tasks as steps
from custom_labels.deployment.end_tasks import release_locks
from custom_labels.deployment.swap_tasks import deploy, take_deployment_lock
from custom_labels.web.assets import live_version
from custom_labels.web.dag_arguments import rollback_dag_arguments


def rollback_dag(project: Project) -> DAG:
    """Build the rollback DAG of one project."""
    name = project.name
    with DAG(schedule=None, **rollback_dag_arguments(project)) as dag:
        settings = load_settings(name)
        lock = take_deployment_lock(project)
        chosen = steps.choose_version(name)
        is_version_chosen = steps.is_version_chosen(chosen)
        deployment = deploy(project, settings, chosen)

        nothing_to_roll_back = steps.nothing_to_roll_back(name, chosen)
        rolled_back = steps.rolled_back.override(outlets=[live_version(project)])(name, chosen, deployment.live)
        report_and_notify(project, [nothing_to_roll_back, rolled_back])
        release = release_locks(name).as_teardown(setups=lock)

        settings >> lock >> chosen
        is_version_chosen >> Label("a version to put back") >> deployment.first
        is_version_chosen >> Label("none") >> nothing_to_roll_back
        deployment.done >> rolled_back
        [rolled_back, nothing_to_roll_back, deployment.rolled_back] >> release
    return dag


for each in load_projects():
    globals()[f"{each.name}_rollback"] = rollback_dag(each)
