"""<project>_bootstrap: make what a project needs at AWS as far as it can be made, and check the rest."""

from __future__ import annotations

from airflow.sdk import DAG, BaseOperator, TriggerRule

from custom_labels.dag_arguments import custom_labels_arguments, dag_arguments, making_arguments
from custom_labels.docs.bootstrap import BOOTSTRAP_DOC
from custom_labels.operators import bootstrap_steps as steps
from custom_labels.operators.datasets import CustomLabelsCreateProjectOperator
from custom_labels.operators.reporting import tell
from custom_labels.operators.review_setup import CustomLabelsSetupReviewOperator
from custom_labels.operators.settings_step import load_settings
from custom_labels.settings import Project, load_projects


def bootstrap_dag(project: Project) -> DAG:
    """Build the bootstrap DAG of one project."""
    name = project.name
    with DAG(schedule=None, **dag_arguments(project, "bootstrap", "Set up and check", BOOTSTRAP_DOC)) as dag:
        # A person waits for the answer: what keeps it from beginning is not tried again for half an hour.
        settings = load_settings.override(retries=0)(name)
        aws = custom_labels_arguments(project)
        made: list[BaseOperator] = [
            CustomLabelsCreateProjectOperator(task_id="create_project", project_name=name, **making_arguments(project))
        ]
        if project.review:
            made.append(CustomLabelsSetupReviewOperator(task_id="set_up_review", project=name, **aws))
        # Whatever could not be made: the check says all that is missing at once.
        checked = steps.check_everything.override(trigger_rule=TriggerRule.ALL_DONE)(name)
        ready = steps.ready(name, checked)
        tell(project, [ready])

        settings >> made >> checked
    return dag


for each in load_projects():
    globals()[f"{each.name}_bootstrap"] = bootstrap_dag(each)
