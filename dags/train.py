"""<project>_train: count new images, train on them, judge the version beside the live one and swap it into service."""

from __future__ import annotations

from airflow.sdk import DAG, AssetOrTimeSchedule, Label, TriggerRule

from custom_labels.aws.operators.datasets import CustomLabelsCreateProjectOperator, CustomLabelsReplaceDatasetOperator
from custom_labels.core.dag_arguments import making_arguments, training_wait
from custom_labels.core.lock_tasks import AcquireProjectLockOperator
from custom_labels.core.reporting_tasks import report_and_notify
from custom_labels.core.settings import Project, load_projects
from custom_labels.core.settings_tasks import load_settings
from custom_labels.deployment import end_tasks
from custom_labels.deployment.swap_tasks import deploy, take_deployment_lock
from custom_labels.evaluation import approval_tasks, comparison_tasks, judge_tasks
from custom_labels.training import plan_tasks, result_tasks
from custom_labels.training import train_tasks as steps
from custom_labels.training.preconditions import before_training
from custom_labels.training.train_operator import TrainVersionOperator
from custom_labels.web.assets import labeled_images, live_version
from custom_labels.web.dag_arguments import train_dag_arguments
from custom_labels.web.timetables import PollTimetable

NONE_FAILED_MIN_ONE_SUCCESS = TriggerRule.NONE_FAILED_MIN_ONE_SUCCESS


def train_dag(project: Project) -> DAG:
    """Build the train DAG of one project."""
    name = project.name
    aws = making_arguments(project)
    poll = PollTimetable(*project.poll("automatic_training_poll_frequency"))
    schedule = AssetOrTimeSchedule(timetable=poll, assets=[labeled_images(project)])
    with DAG(schedule=schedule, **train_dag_arguments(project)) as dag:
        settings = load_settings(name)
        is_training_on = steps.is_training_on(name, settings)
        planned = plan_tasks.dry_run(name, settings)
        lock = AcquireProjectLockOperator(task_id="acquire_lock", project=name, deferrable=True)
        snapshot = steps.take_snapshot(name, settings)
        is_retraining_due = steps.is_retraining_due(name, settings, snapshot)

        checked = steps.check_images(name, settings)
        plan = plan_tasks.plan(name, settings, checked)
        are_images_enough = steps.are_images_enough(name, settings, checked)
        manifests = steps.build_manifests(name, checked)
        create_project = CustomLabelsCreateProjectOperator(task_id="create_project", project_name=name, **aws)
        datasets = [
            CustomLabelsReplaceDatasetOperator(
                task_id=f"replace_{kind}_dataset",
                project_arn=create_project.output,
                dataset_type=kind.upper(),
                manifest_uri=manifests[f"{kind}_uri"],
                **aws,
            )
            for kind in ("train", "test")
        ]
        replaced = [dataset.output for dataset in datasets]
        claimed = steps.claim_training(name, settings, checked, create_project.output, replaced)
        resumed = steps.resume_training.override(trigger_rule=NONE_FAILED_MIN_ONE_SUCCESS)(name)

        attempt = steps.begin_training.override(trigger_rule=NONE_FAILED_MIN_ONE_SUCCESS)(name, [claimed, resumed])
        version = {**aws, "project_arn": attempt["project_arn"], "version_name": attempt["version_name"]}
        train = TrainVersionOperator(
            task_id="train",
            bucket=project.bucket,
            pre_execute=before_training(name),
            output_uri=f"s3://{project.bucket}/{project.prefix}evaluation/{name}",
            **{**version, **training_wait()},
        )
        training_failed = steps.training_failed.override(trigger_rule=TriggerRule.ONE_FAILED)(name, attempt)

        evaluated = result_tasks.evaluate(name, attempt)
        is_deployment_wanted = steps.is_deployment_wanted(name, attempt)
        compared = comparison_tasks.compare_with_champion(name, settings, attempt)
        judge = judge_tasks.JudgeVersionOperator(
            task_id="judge", project=name, settings=settings, attempt=attempt, evaluated=evaluated, compared=compared
        )
        judged = judge.output
        is_good_enough = judge_tasks.is_version_good_enough(judged)
        is_approval_needed = approval_tasks.is_approval_needed(name, settings, judged)
        approve = approval_tasks.ApproveVersionOperator(task_id="approve_version", project=name, judged=judged)
        deployment_lock = take_deployment_lock(project, trigger_rule=NONE_FAILED_MIN_ONE_SUCCESS)
        deployment = deploy(project, settings, judged)

        training_is_off = end_tasks.training_is_off(name)
        nothing_to_do = end_tasks.nothing_to_do.override(trigger_rule=NONE_FAILED_MIN_ONE_SUCCESS)(name)
        not_this_interval = end_tasks.nothing_to_do.override(task_id="not_this_interval")(name)
        planned = plan_tasks.planned(name, planned)
        trained = end_tasks.trained(name, attempt, evaluated)
        gate_failed = end_tasks.gate_failed(name, judged)
        deployed = end_tasks.deployed.override(outlets=[live_version(project)])(name, judged, deployment.live)
        rejected = end_tasks.rejected.override(trigger_rule=NONE_FAILED_MIN_ONE_SUCCESS)(name)
        judgements = [trained, gate_failed, rejected, deployed]
        curve = plan_tasks.learning_curve.override(trigger_rule=NONE_FAILED_MIN_ONE_SUCCESS)(name)
        ends = [training_is_off, not_this_interval, planned, nothing_to_do, *judgements]
        report_and_notify(project, ends)
        release_locks = end_tasks.release_locks(name).as_teardown(setups=lock)

        is_training_on >> [lock, training_is_off, not_this_interval]
        is_training_on >> Label("dry run") >> planned
        lock >> snapshot
        is_retraining_due >> Label("enough new images") >> checked >> plan >> are_images_enough
        is_retraining_due >> Label("a training was begun") >> resumed
        are_images_enough >> resumed
        [is_retraining_due, are_images_enough] >> nothing_to_do
        are_images_enough >> manifests >> create_project >> datasets
        train >> [evaluated, training_failed]
        evaluated >> is_deployment_wanted >> [compared, trained]
        judgements >> curve
        is_good_enough >> Label("every gate holds") >> is_approval_needed >> Label("ask a person") >> approve
        is_good_enough >> Label("a gate fails") >> gate_failed
        is_approval_needed >> [deployment_lock, rejected]
        approve >> Label("Approve") >> deployment_lock >> deployment.first
        approve >> Label("Reject, or no answer in time") >> rejected
        deployment.done >> deployed
        [*judgements, curve, nothing_to_do, training_failed, deployment.rolled_back] >> release_locks
    return dag


for each in load_projects():
    globals()[f"{each.name}_train"] = train_dag(each)
