"""<project>_bootstrap: make what a project needs at AWS as far as it can be made, and check the rest."""

from __future__ import annotations

from datetime import timedelta

from airflow.sdk import DAG, BaseOperator, TriggerRule

from custom_labels.aws.operators.datasets import CustomLabelsCreateProjectOperator
from custom_labels.core.dag_arguments import custom_labels_arguments, tags_of
from custom_labels.core.reporting_tasks import report_and_notify
from custom_labels.core.settings import Project, load_projects
from custom_labels.core.settings_tasks import load_settings
from custom_labels.operations import bootstrap_tasks as steps
from custom_labels.operations.pool_probes import ALWAYS_THERE, named_pools, use_of, use_pool
from custom_labels.review.setup_tasks import CustomLabelsSetupReviewOperator
from custom_labels.web.dag_arguments import dag_arguments
from custom_labels.web.docs.bootstrap import BOOTSTRAP_DOC


def bootstrap_dag(project: Project) -> DAG:
    """Build the bootstrap DAG of one project."""
    name = project.name
    arguments = dag_arguments(project, "bootstrap", "Set up and check", BOOTSTRAP_DOC)
    # So that a run ends whose pool is never added.
    with DAG(schedule=None, dagrun_timeout=timedelta(hours=2), **arguments) as dag:
        # A person waits for the answer: what keeps it from beginning is not tried again for half an hour.
        settings = load_settings.override(retries=0)(name)
        # None of them in the project's own pool: one that is missing would keep all of them from ever being started.
        aws = {**custom_labels_arguments(project), "pool": ALWAYS_THERE}
        made: list[BaseOperator] = [
            CustomLabelsCreateProjectOperator(task_id="create_project", project_name=name, tags=tags_of(project), **aws)
        ]
        if project.review:
            made.append(CustomLabelsSetupReviewOperator(task_id="set_up_review", project=name, **aws))
        # Whatever could not be made: the check says all that is missing at once.
        checked = steps.check_everything.override(trigger_rule=TriggerRule.ALL_DONE)(name)
        ready = steps.ready(name, checked)
        report_and_notify(project, [ready])

        for field, pool in named_pools(project).items():
            settings >> use_pool.override(task_id=use_of(field), pool=pool, retries=0)(name)
        settings >> made >> checked
    return dag


for each in load_projects():
    globals()[f"{each.name}_bootstrap"] = bootstrap_dag(each)
