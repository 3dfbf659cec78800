"""<project>_bootstrap: make what a project needs at AWS as far as it can be made, and check the rest."""

from __future__ import annotations

from datetime import timedelta

from airflow.sdk import DAG, BaseOperator, TaskGroup, TriggerRule

from custom_labels.aws.operators.datasets import CustomLabelsCreateProjectOperator
from custom_labels.core.dag_arguments import custom_labels_arguments, tags_of
from custom_labels.core.pools import ALWAYS_THERE, named_pools
from custom_labels.core.settings import Project, load_projects
from custom_labels.core.settings_tasks import read_settings
from custom_labels.core.steps import order
from custom_labels.operations import bootstrap_tasks
from custom_labels.operations.bootstrap_checks import use_of
from custom_labels.operations.settings import BootstrapSettings
from custom_labels.review.backends.registry import definition_of
from custom_labels.web.dag_arguments import dag_arguments


def bootstrap_dag(project: Project) -> DAG:
    """Build the bootstrap DAG of one project."""
    arguments = dag_arguments(project, "bootstrap", "Set up and check")
    # So that a run ends whose pool is never added.
    with DAG(schedule=None, dagrun_timeout=timedelta(hours=2), **arguments) as dag:
        # A person waits for the answer: what keeps it from beginning is not tried again for half an hour.
        settings = read_settings(project, BootstrapSettings, retries=0)
        with TaskGroup("make", prefix_group_id=False, tooltip="Make what can be made"):
            made = make_resources(project, settings)
        with TaskGroup("use_pools", prefix_group_id=False, tooltip="Take a slot of each pool that is named"):
            used = [
                bootstrap_tasks.use_pool.having(task_id=use_of(field), pool=pool, retries=0)(project)
                for field, pool in named_pools(project).items()
            ]
        # Whatever could not be made: the check says all that is missing at once. It does not wait for the pools' tasks,
        # which a pool that is missing would keep from ever being started, and finds what became of them.
        checked = bootstrap_tasks.check_everything.having(trigger_rule=TriggerRule.ALL_DONE)(project)
        finish = bootstrap_tasks.finish.having(trigger_rule=TriggerRule.NONE_FAILED)(project, settings, checked)

        order(settings, made, checked)
        order(made, finish)
        for each in used:
            order(settings, each)
    return dag


def make_resources(project: Project, settings: BootstrapSettings) -> list[BaseOperator]:
    """Add the tasks that make what the project lacks at AWS."""
    # None of them in the project's own pool: one that is missing would keep all of them from ever being started.
    aws = {**custom_labels_arguments(project), "pool": ALWAYS_THERE}
    made: list[BaseOperator] = [
        CustomLabelsCreateProjectOperator(
            task_id="create_project", project_name=project.name, tags=tags_of(project), **aws
        )
    ]
    if project.review:
        made += definition_of(project).setup_tasks(project, settings.reviewers_per_image, aws)
    return made


for each in load_projects():
    globals()[f"{each.name}_bootstrap"] = bootstrap_dag(each)
