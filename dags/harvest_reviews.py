"""<project>_harvest_reviews: read what people answered, copy the images that they agree on, trigger the training."""

from __future__ import annotations

from airflow.sdk import DAG, TriggerRule

from custom_labels.core.outcome import NewImages
from custom_labels.core.settings import Project, load_projects
from custom_labels.core.steps import earlier, follow
from custom_labels.review import harvest_tasks
from custom_labels.training.trigger_tasks import trigger_training
from custom_labels.web.assets import finished_reviews, labeled_images
from custom_labels.web.dag_arguments import dag_arguments, switch
from custom_labels.web.data_flow import declare_data
from custom_labels.web.timetables import poll_or_assets


def harvest_dag(project: Project) -> DAG:
    """Build the harvest DAG of one project."""
    params = {"from_the_beginning": switch("Look at all reviews that there ever were, not only at new ones.")}
    with DAG(
        schedule=poll_or_assets(project, "harvest_poll_frequency", [finished_reviews(project)]),
        **dag_arguments(project, "harvest_reviews", "Harvest the answers of people", params),
    ) as dag:
        found = harvest_tasks.collect(project)
        settings = earlier(found.settings)
        harvested = harvest_tasks.harvest_batch.having(max_active_tis_per_dagrun=4)(project, found.batches, settings)
        finish = harvest_tasks.finish.having(trigger_rule=TriggerRule.NONE_FAILED)(project, earlier(found), harvested)
        trigger = trigger_training.having(outlets=[labeled_images(project)])(project, settings)

        follow(finish, {NewImages.SOME: trigger})
    declare_data(dag, project)
    return dag


for each in load_projects():
    globals()[f"{each.name}_harvest_reviews"] = harvest_dag(each)
