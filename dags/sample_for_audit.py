"""<project>_sample_for_audit: show people every n-th detection, and say how often the live version is right."""

from __future__ import annotations

from airflow.sdk import DAG, Label

from custom_labels.core.reporting_tasks import report_and_notify
from custom_labels.core.settings import Project, load_projects
from custom_labels.core.settings_tasks import load_settings
from custom_labels.operations import audit_tasks as steps
from custom_labels.review.untyped_review_tasks import open_reviews_untyped
from custom_labels.web.dag_arguments import dag_arguments, switch
from custom_labels.web.docs.audit import AUDIT_DOC
from custom_labels.web.timetables import PollTimetable


def audit_dag(project: Project) -> DAG:
    """Build the sampling DAG of one project."""
    name = project.name
    params = {"even_if_sampling_is_off": switch("Override enable_automatic_human_sampling for this run.")}
    with DAG(
        schedule=PollTimetable(*project.poll("automatic_human_sampling_frequency")),
        **dag_arguments(project, "sample_for_audit", "Sample detections for people", AUDIT_DOC, params),
    ) as dag:
        settings = load_settings(name)
        is_sampling_on = steps.is_sampling_on(name, settings)
        sampling_is_off = steps.sampling_is_off(name)

        measured = steps.measure(name, settings)
        sampled = steps.sample(name, settings)
        opened = open_reviews_untyped.override(task_id="open_reviews")(name)
        choose_outcome = steps.choose_outcome(measured, sampled)
        ends = [
            steps.live_accuracy_low(name, measured, sampled, opened),
            steps.sampled(name, measured, sampled, opened),
            steps.nothing_to_sample(name, settings, measured, sampled, opened),
        ]
        report_and_notify(project, [sampling_is_off, *ends])

        is_sampling_on >> Label("sampling is off") >> sampling_is_off
        is_sampling_on >> measured >> sampled >> opened >> choose_outcome >> ends
    return dag


for each in load_projects():
    globals()[f"{each.name}_sample_for_audit"] = audit_dag(each)
