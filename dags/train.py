"""<project>_train: count new images, train on them, judge the version beside the live one and swap it into service."""

from __future__ import annotations

from airflow.sdk import DAG, TaskGroup, TriggerRule

from custom_labels.core.lock_tasks import AcquireProjectLockOperator, release_locks
from custom_labels.core.settings import Project, load_projects
from custom_labels.core.settings_tasks import read_settings
from custom_labels.core.steps import earlier, follow, order, task_of, text_of
from custom_labels.deployment import end_tasks
from custom_labels.deployment.deploy_tasks import deploy, take_deployment_lock
from custom_labels.deployment.settings import TrainSettings
from custom_labels.evaluation.approval_tasks import ApproveVersionOperator
from custom_labels.evaluation.judge_tasks import judge_version
from custom_labels.evaluation.judgement import AfterEvaluation, AfterJudging
from custom_labels.training import train_tasks
from custom_labels.training.aws_tasks import make_datasets, train
from custom_labels.training.result_tasks import evaluate
from custom_labels.training.retraining import Due, Retrain
from custom_labels.web.assets import labeled_images, live_version, trained_version
from custom_labels.web.dag_arguments import train_dag_arguments
from custom_labels.web.data_flow import declare_data
from custom_labels.web.timetables import poll_or_assets

MIN_ONE_SUCCESS = TriggerRule.NONE_FAILED_MIN_ONE_SUCCESS


def train_dag(project: Project) -> DAG:
    """Build the train DAG of one project."""
    schedule = poll_or_assets(project, "automatic_training_poll_frequency", [labeled_images(project)])
    with DAG(schedule=schedule, **train_dag_arguments(project)) as dag:
        with TaskGroup("decide", prefix_group_id=False, tooltip="Is a training due?"):
            settings = read_settings(project, TrainSettings)
            decided = train_tasks.decide_training(project, settings)

        with TaskGroup("prepare_data", prefix_group_id=False, tooltip="Check the images, make the datasets"):
            lock = AcquireProjectLockOperator(task_id="acquire_lock", project=project.name, deferrable=True)
            prepared = train_tasks.prepare_images(project, settings, earlier(decided))
            datasets = make_datasets(project, prepared)

        with TaskGroup("train", prefix_group_id=False, tooltip="Pay for one training of these images"):
            attempt = train_tasks.claim_training.having(trigger_rule=MIN_ONE_SUCCESS)(
                project, settings, prepared, datasets.project_arn, datasets.arns
            )
            trained = train(project, settings, attempt)

        with TaskGroup("judge", prefix_group_id=False, tooltip="Compare with the live version, apply the gates"):
            evaluated = evaluate.having(outlets=[trained_version(project)])(project, settings, earlier(attempt))
            judged = judge_version(project, settings, evaluated)

        with TaskGroup("approve", prefix_group_id=False, tooltip="Ask a person, where that is wanted"):
            approval = ApproveVersionOperator(
                task_id="approve_version",
                project=project.name,
                judged=judged,
                hours=settings.approval_timeout_hours,
                approved="acquire_deployment_lock",
                rejected="finish",
            )

        with TaskGroup("deploy", prefix_group_id=False, tooltip="Start, smoke-test and swap in the version"):
            deployment_lock = take_deployment_lock(project, trigger_rule=MIN_ONE_SUCCESS)
            deployment = deploy(project, settings, earlier(judged.candidate), live_version(project))

        finish = end_tasks.finish.having(trigger_rule=TriggerRule.NONE_FAILED)(
            project, settings, earlier(decided), earlier(prepared), earlier(evaluated), earlier(judged)
        )
        release = task_of(
            release_locks(project, [earlier(text_of(lock)), earlier(text_of(deployment_lock))])
        ).as_teardown()

        order(settings, decided)
        follow(decided, {Due.YES: lock})
        order(lock, prepared)
        follow(prepared, {Retrain.TRAIN: datasets.first, Retrain.RESUME: attempt})
        order(datasets.ready, attempt)
        order(trained, evaluated)
        follow(evaluated, {AfterEvaluation.JUDGE: judged})
        follow(judged, {AfterJudging.DEPLOY: deployment_lock, AfterJudging.ASK: approval})
        order(approval, [deployment_lock, finish])
        order(deployment_lock, deployment.plan)
        order([deployment.swap, deployment.done], finish)
        order([finish, deployment.restart], release)
    declare_data(dag, project)
    return dag


for each in load_projects():
    globals()[f"{each.name}_train"] = train_dag(each)
