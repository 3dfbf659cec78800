"""<project>_teardown: list what there is, wait for trainings, set the records aside, take away models and reviews."""

from __future__ import annotations

from airflow.sdk import DAG, TaskGroup, TriggerRule

from custom_labels.core.dag_arguments import connection, custom_labels_arguments
from custom_labels.core.lock_tasks import AcquireProjectLockOperator, release_locks
from custom_labels.core.settings import Project, load_projects
from custom_labels.core.settings_tasks import read_settings
from custom_labels.core.steps import each_of, earlier, follow, order, task_of, text_of
from custom_labels.deployment.deploy_tasks import take_deployment_lock
from custom_labels.deployment.version_operator import DeleteVersionOperator, StopVersionOperator
from custom_labels.operations import teardown_tasks
from custom_labels.operations.settings import TeardownSettings
from custom_labels.operations.teardown import TearingDown
from custom_labels.operations.teardown_operator import (
    TearDownDatasetOperator,
    TearDownProjectOperator,
    WaitForTrainingSensor,
)
from custom_labels.web.dag_arguments import teardown_dag_arguments

MIN_ONE_SUCCESS = TriggerRule.NONE_FAILED_MIN_ONE_SUCCESS
"""A task that is mapped over no version is skipped, and what comes behind it runs all the same."""
BY_VERSION = {"map_index_template": "{{ task.version_name }}"}


def teardown_dag(project: Project) -> DAG:
    """Build the teardown DAG of one project."""
    aws = {"project": project.name, **custom_labels_arguments(project)}
    with DAG(schedule=None, **teardown_dag_arguments(project)) as dag:
        settings = read_settings(project, TeardownSettings)
        listed = teardown_tasks.list_what_there_is(project, settings)

        with TaskGroup("wait", prefix_group_id=False, tooltip="Let other runs and trainings end; nothing else begins"):
            lock = AcquireProjectLockOperator(task_id="acquire_lock", project=project.name, deferrable=True)
            trainings = teardown_tasks.find_trainings(project)
            settled = WaitForTrainingSensor.partial(
                task_id="trainings_are_over",
                project=project.name,
                poll_seconds=settings.status_poll_seconds,
                timeout_hours=settings.training_timeout_hours,
                pool=project.pool,
                deferrable=True,
                **connection(project),
                **BY_VERSION,
            ).expand_kwargs(each_of(trainings.versions))
            deployment_lock = take_deployment_lock(project, trigger_rule=MIN_ONE_SUCCESS)

        begun = teardown_tasks.set_records_aside(project)

        with TaskGroup("take_away_models", prefix_group_id=False, tooltip="Stop versions, delete all there is"):
            versions = each_of(begun.versions)
            stop = StopVersionOperator.partial(task_id="stop_version", **aws, **BY_VERSION).expand_kwargs(
                versions.map(lambda version: teardown_tasks.arguments_of(version, only_billed=True))
            )
            delete = DeleteVersionOperator.partial(
                task_id="delete_version", trigger_rule=MIN_ONE_SUCCESS, **aws, **BY_VERSION
            ).expand_kwargs(versions.map(lambda version: teardown_tasks.arguments_of(version, only_billed=False)))
            datasets = [
                TearDownDatasetOperator(
                    task_id=f"delete_{kind}_dataset",
                    project_arn=begun.project_arn,
                    dataset_type=kind.upper(),
                    trigger_rule=MIN_ONE_SUCCESS,
                    **aws,
                )
                for kind in ("train", "test")
            ]
            delete_project = TearDownProjectOperator(
                task_id="delete_project", project_arn=earlier(begun.project_arn), **aws
            )

        reviews = teardown_tasks.take_away_reviews(project)
        proven = teardown_tasks.prove_nothing_is_left(project, earlier(begun))
        deleted = teardown_tasks.delete_images_and_records(project, proven)
        finish = teardown_tasks.finish.having(trigger_rule=TriggerRule.NONE_FAILED)(
            project, settings, earlier(listed), earlier(begun), earlier(reviews), earlier(proven), earlier(deleted)
        )
        release = task_of(
            release_locks(project, [earlier(text_of(lock)), earlier(text_of(deployment_lock))])
        ).as_teardown()

        order(settings, listed)
        follow(listed, {TearingDown.DUE: lock})
        order(lock, trainings)
        order([trainings, settled], deployment_lock, begun)
        order(stop, delete, datasets, delete_project, reviews, proven)
        order([proven, deleted], finish, release)
    return dag


for each in load_projects():
    globals()[f"{each.name}_teardown"] = teardown_dag(each)
