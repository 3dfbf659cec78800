"""<project>_scale: run the live version with other inference units, which takes a stop and a start."""

from __future__ import annotations

from airflow.sdk import DAG, Label, TriggerRule

from custom_labels.aws.operators.versions import CustomLabelsStartVersionOperator, CustomLabelsStopVersionOperator
from custom_labels.core.dag_arguments import custom_labels_arguments
from custom_labels.core.reporting_tasks import report_and_notify
from custom_labels.core.settings import Project, load_projects
from custom_labels.core.settings_tasks import load_settings
from custom_labels.deployment import scale_tasks as steps
from custom_labels.deployment.deploy_tasks import smoke_test
from custom_labels.deployment.end_tasks import release_locks
from custom_labels.deployment.preconditions import before_start_of_live, before_stop, recorded_by_run
from custom_labels.deployment.swap_tasks import start_live_again, take_deployment_lock, units
from custom_labels.web.dag_arguments import scale_dag_arguments


def scale_dag(project: Project) -> DAG:
    """Build the scale DAG of one project."""
    name = project.name
    with DAG(schedule=None, **scale_dag_arguments(project)) as dag:
        settings = load_settings(name)
        lock = take_deployment_lock(project)
        look = steps.inspect_live(name, settings)
        is_scaling_due = steps.is_scaling_due(look)
        version = {
            **custom_labels_arguments(project),
            "project_arn": look["project_arn"],
            "version_name": look["version_name"],
        }
        stop_live = CustomLabelsStopVersionOperator(
            task_id="stop_live", pre_execute=before_stop(name, recorded_by_run), **version
        )
        # Nothing serves: rather than to try again in minutes, the units that it had are gone back to.
        start_live = CustomLabelsStartVersionOperator(
            task_id="start_live", retries=0, pre_execute=before_start_of_live(name), **units(), **version
        )
        tested = smoke_test(name, settings, look)
        down, rolled_back = start_live_again(project, "inspect_live", trigger_rule=TriggerRule.ONE_FAILED)

        nothing_to_scale = steps.nothing_to_scale(name, look)
        scaled = steps.scaled(name, look)
        report_and_notify(project, [nothing_to_scale, scaled])
        release = release_locks(name).as_teardown(setups=lock)

        settings >> lock >> look
        is_scaling_due >> Label("other units are wanted") >> stop_live >> start_live >> tested >> scaled
        is_scaling_due >> Label("as wanted") >> nothing_to_scale
        [stop_live, start_live, tested, scaled] >> down
        [scaled, nothing_to_scale, rolled_back] >> release
    return dag


for each in load_projects():
    globals()[f"{each.name}_scale"] = scale_dag(each)
