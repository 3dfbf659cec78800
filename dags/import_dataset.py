"""<project>_import_dataset: take annotated images of elsewhere into a project, and say what was skipped and why."""

from __future__ import annotations

from airflow.sdk import DAG, TriggerRule

from custom_labels.core.outcome import NewImages
from custom_labels.core.settings import Project, load_projects
from custom_labels.core.steps import earlier, follow
from custom_labels.datasets.imports import import_tasks
from custom_labels.datasets.imports.import_work import Way
from custom_labels.training.trigger_tasks import trigger_training
from custom_labels.web.assets import labeled_images
from custom_labels.web.dag_arguments import import_dag_arguments
from custom_labels.web.data_flow import declare_data


def import_dag(project: Project) -> DAG:
    """Build the import DAG of one project."""
    with DAG(schedule=None, **import_dag_arguments(project)) as dag:
        plan = import_tasks.plan_import(project)
        inspected = import_tasks.inspect_batch.having(max_active_tis_per_dagrun=4)(project, plan.batches, earlier(plan))
        decided = import_tasks.decide_import.having(trigger_rule=TriggerRule.NONE_FAILED)(
            project, earlier(plan), inspected
        )
        taken = import_tasks.take_batch.having(max_active_tis_per_dagrun=4)(project, decided.batches, earlier(plan))
        finish = import_tasks.finish.having(trigger_rule=TriggerRule.NONE_FAILED)(
            project, earlier(plan), earlier(decided), taken
        )
        trigger = trigger_training.having(outlets=[labeled_images(project)])(project, earlier(plan.settings))

        follow(decided, {Way.TAKE: taken, Way.END: finish})
        follow(finish, {NewImages.SOME: trigger})
    declare_data(dag, project)
    return dag


for each in load_projects():
    globals()[f"{each.name}_import_dataset"] = import_dag(each)
