"""<project>_detect: put new images to the live version, write a result each, and send the doubtful ones to people."""

from __future__ import annotations

from airflow.sdk import DAG, AssetOrTimeSchedule, Label, Param, TriggerRule

from custom_labels.aws.operators.versions import CustomLabelsStartVersionOperator
from custom_labels.core.dag_arguments import custom_labels_arguments
from custom_labels.core.reporting_tasks import report_and_notify
from custom_labels.core.settings import Project, load_projects
from custom_labels.core.settings_tasks import load_settings
from custom_labels.deployment.preconditions import before_start_of_live
from custom_labels.detection import autostart_tasks
from custom_labels.detection import detect_tasks as steps
from custom_labels.detection.detect_batch_operator import DetectBatchOperator
from custom_labels.operations.guard_tasks import release_deployment_lock
from custom_labels.review.review_tasks import open_reviews_untyped
from custom_labels.web.assets import live_version, new_images
from custom_labels.web.dag_arguments import dag_arguments, override
from custom_labels.web.docs.detect import DETECT_DOC
from custom_labels.web.timetables import PollTimetable


def detect_dag(project: Project) -> DAG:
    """Build the detect DAG of one project."""
    name = project.name
    params: dict[str, Param] = {
        "maximum_images": override("integer", 1, 1_000_000),
        "visibility_seconds": override("integer", 1, 43_200),
    }
    poll = PollTimetable(*project.poll("detection_poll_frequency"))
    with DAG(
        schedule=AssetOrTimeSchedule(timetable=poll, assets=new_images(project) | live_version(project)),
        **dag_arguments(project, "detect", "Detect new images, send doubtful ones to people", DETECT_DOC, params),
    ) as dag:
        settings = load_settings(name)
        is_version_serving = autostart_tasks.is_version_serving(name, settings)
        start_live = CustomLabelsStartVersionOperator(
            task_id="start_live",
            pre_execute=before_start_of_live(name),
            **{each: autostart_tasks.autostart_argument(each) for each in autostart_tasks.AUTOSTART_ARGUMENTS},
            **custom_labels_arguments(project),
        )
        live_started = autostart_tasks.live_started(name)
        give_back = release_deployment_lock.override(task_id="give_lock_back", trigger_rule=TriggerRule.ONE_FAILED)
        not_started = give_back(name)

        collected = steps.collect.override(trigger_rule=TriggerRule.NONE_FAILED_MIN_ONE_SUCCESS)(name, settings)
        detected = DetectBatchOperator.partial(
            task_id="detect_batch",
            project=name,
            settings=settings,
            pool=project.detection_pool,
            max_active_tis_per_dagrun=project.detection_workers,
            map_index_template="batch {{ task.batch.number }}: {{ task.batch.images }} images",
        ).expand(batch=collected)
        opened = open_reviews_untyped.override(
            task_id="open_reviews", trigger_rule=TriggerRule.NONE_FAILED_MIN_ONE_SUCCESS
        )(name)
        choose_outcome = steps.choose_outcome(name)
        go_on_detecting = steps.go_on_detecting.override(outlets=[new_images(project)])(name)

        nothing_serves = steps.nothing_serves(name)
        ends = [steps.detected(name), steps.nothing_to_detect(name), steps.detection_trouble(name)]
        report_and_notify(project, [nothing_serves, *ends])

        is_version_serving >> Label("no version is RUNNING") >> nothing_serves
        is_version_serving >> Label("images wait for one that is stopped") >> start_live >> live_started >> collected
        [is_version_serving, start_live, live_started] >> not_started
        is_version_serving >> collected >> detected
        [collected, detected] >> opened
        [collected, opened] >> choose_outcome >> ends
        choose_outcome >> Label("images are left") >> go_on_detecting
    return dag


for each in load_projects():
    globals()[f"{each.name}_detect"] = detect_dag(each)
