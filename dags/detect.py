"""<project>_detect: put new images to the live version, write a result each, and send the doubtful ones to people."""

from __future__ import annotations

from airflow.sdk import DAG, TriggerRule

from custom_labels.core.settings import Project, load_projects
from custom_labels.core.steps import earlier, follow, order
from custom_labels.detection import detect_tasks
from custom_labels.detection.autostart_operator import autostart
from custom_labels.detection.detect_batch_operator import detect_batches
from custom_labels.detection.work import NextStep, Rest
from custom_labels.web.assets import live_version, new_images
from custom_labels.web.dag_arguments import detect_dag_arguments
from custom_labels.web.data_flow import declare_data
from custom_labels.web.timetables import poll_or_assets


def detect_dag(project: Project) -> DAG:
    """Build the detect DAG of one project."""
    assets = new_images(project) | live_version(project)
    schedule = poll_or_assets(project, "detection_poll_frequency", assets)
    with DAG(schedule=schedule, **detect_dag_arguments(project)) as dag:
        collected = detect_tasks.collect(project)
        settings = earlier(collected.settings)
        start = autostart(project, settings, collected.start)
        detected = detect_batches(project, settings, collected.batches)
        finish = detect_tasks.finish.having(trigger_rule=TriggerRule.NONE_FAILED)(project, collected, detected)
        go_on = detect_tasks.go_on_detecting.having(outlets=[new_images(project)])(project, earlier(collected))

        follow(collected, {NextStep.DETECT: detected, NextStep.START: start, NextStep.FINISH: finish})
        order(start[-1], detected, finish)
        follow(finish, {Rest.SOME: go_on})
    declare_data(dag, project)
    return dag


for each in load_projects():
    globals()[f"{each.name}_detect"] = detect_dag(each)
