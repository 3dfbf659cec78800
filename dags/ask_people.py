"""<project>_ask_people: ask people about the images in doubt, on Airflow's own page; only with that review backend."""

from __future__ import annotations

from datetime import timedelta

from airflow.sdk import DAG, TriggerRule

from custom_labels.core.run_settings import RunSettings
from custom_labels.core.settings import Project, load_projects
from custom_labels.core.settings_tasks import read_settings
from custom_labels.core.steps import earlier, order
from custom_labels.review.backends.airflow_page import ask_tasks
from custom_labels.review.backends.airflow_page.ask_operator import ask_people
from custom_labels.review.backends.airflow_page.project_file import KIND, AirflowPart, part_of
from custom_labels.web.assets import finished_reviews
from custom_labels.web.dag_arguments import dag_arguments


def ask_people_dag(project: Project, part: AirflowPart) -> DAG:
    """Build the DAG that asks people, of one project."""
    arguments = dag_arguments(project, KIND, "Ask people about images, on this Airflow's own page")
    # A run lasts until its last question is answered or ends; meanwhile others ask what came in since.
    arguments["max_active_runs"] = part.most_open
    with DAG(schedule=timedelta(minutes=part.poll_minutes), **arguments) as dag:
        settings = read_settings(project, RunSettings)
        chosen = ask_tasks.choose_reviews(project, settings)
        # Each answer triggers the harvest by itself.
        answered = ask_people(project, chosen.reviews, finished_reviews(project))
        finish = ask_tasks.finish.having(trigger_rule=TriggerRule.NONE_FAILED)

        order(settings, chosen)
        finish(project, settings, earlier(chosen), answered)
    return dag


for each in load_projects():
    if part := part_of(each):
        globals()[f"{each.name}_{KIND}"] = ask_people_dag(each, part)
