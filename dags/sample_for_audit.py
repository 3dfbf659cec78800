"""<project>_sample_for_audit: show people every n-th detection, and say how often the live version is right."""

from __future__ import annotations

from airflow.sdk import DAG, TriggerRule

from custom_labels.core.settings import Project, load_projects
from custom_labels.core.settings_tasks import read_settings
from custom_labels.core.steps import earlier, order
from custom_labels.operations import audit_tasks
from custom_labels.operations.settings import AuditSettings
from custom_labels.review.review_tasks import open_reviews
from custom_labels.web.dag_arguments import audit_dag_arguments
from custom_labels.web.data_flow import declare_data
from custom_labels.web.timetables import PollTimetable


def audit_dag(project: Project) -> DAG:
    """Build the sampling DAG of one project."""
    with DAG(
        schedule=PollTimetable(*project.poll("automatic_human_sampling_frequency")),
        **audit_dag_arguments(project),
    ) as dag:
        settings = read_settings(project, AuditSettings)
        measured = audit_tasks.measure(project, settings)
        sampled = audit_tasks.sample(project, settings, measured)
        opened = open_reviews(project, settings)
        finish = audit_tasks.finish.having(trigger_rule=TriggerRule.NONE_FAILED)

        order(settings, measured)
        order(sampled, opened, finish(project, settings, earlier(measured), earlier(sampled), opened))
    declare_data(dag, project)
    return dag


for each in load_projects():
    globals()[f"{each.name}_sample_for_audit"] = audit_dag(each)
