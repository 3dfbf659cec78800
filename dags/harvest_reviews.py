"""<project>_harvest_reviews: read what people answered, copy the images that they agree on, trigger the training."""

from __future__ import annotations

from airflow.sdk import DAG, AssetOrTimeSchedule, Label, TriggerRule

from custom_labels.core.reporting_tasks import report_and_notify
from custom_labels.core.settings import Project, load_projects
from custom_labels.core.settings_tasks import load_settings
from custom_labels.review import harvest_tasks as steps
from custom_labels.review.review_tasks import open_reviews_untyped
from custom_labels.web.assets import finished_reviews, labeled_images
from custom_labels.web.dag_arguments import dag_arguments, switch
from custom_labels.web.docs.harvest import HARVEST_DOC
from custom_labels.web.timetables import PollTimetable


def harvest_dag(project: Project) -> DAG:
    """Build the harvest DAG of one project."""
    name = project.name
    params = {"from_the_beginning": switch("Look at all reviews that there ever were, not only at new ones.")}
    with DAG(
        schedule=AssetOrTimeSchedule(
            timetable=PollTimetable(*project.poll("harvest_poll_frequency")), assets=[finished_reviews(project)]
        ),
        **dag_arguments(project, "harvest_reviews", "Harvest the answers of people", HARVEST_DOC, params),
    ) as dag:
        settings = load_settings(name)
        collected = steps.collect(name)
        done = (
            steps.harvest_batch.override(max_active_tis_per_dagrun=4)
            .partial(project=name, settings=settings, at=collected["at"])
            .expand(work=steps.share_out(collected))
        )
        closed = steps.close_harvest.override(trigger_rule=TriggerRule.NONE_FAILED)(name, collected, done)
        opened = open_reviews_untyped.override(task_id="open_reviews")(name)

        is_anything_harvested = steps.is_anything_harvested(closed)
        trigger_training = steps.trigger_training.override(outlets=[labeled_images(project)])(name, settings)
        ends = [
            steps.harvested(name, collected, closed, opened),
            steps.review_trouble(name, collected, closed, opened),
            steps.nothing_to_harvest(name, collected, closed, opened),
        ]
        report_and_notify(project, ends)

        settings >> collected
        closed >> opened >> is_anything_harvested
        is_anything_harvested >> Label("new labelled images") >> trigger_training
        is_anything_harvested >> ends
    return dag


for each in load_projects():
    globals()[f"{each.name}_harvest_reviews"] = harvest_dag(each)
