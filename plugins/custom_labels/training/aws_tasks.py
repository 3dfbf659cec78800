"""The operators on Custom Labels in the train DAG: project and datasets, and the training itself."""

from __future__ import annotations

from dataclasses import dataclass

from airflow.sdk import BaseOperator

from custom_labels.aws.operators.datasets import CustomLabelsCreateProjectOperator, CustomLabelsReplaceDatasetOperator
from custom_labels.aws.sensors.rekognition import CustomLabelsDatasetSensor
from custom_labels.core.dag_arguments import (
    connection,
    making_arguments,
    sensor_arguments,
)
from custom_labels.core.settings import Project
from custom_labels.core.steps import given, order, text_of
from custom_labels.training.retraining import PreparedTraining, TrainingAttempt
from custom_labels.training.settings import TrainingSettings
from custom_labels.training.train_operator import TrainingSensor, TrainVersionOperator


@dataclass(frozen=True)
class Datasets:
    """The tasks that make a project's datasets.

    :param first: the first of them.
    :param project_arn: what stands for the project.
    :param arns: what stands for the datasets.
    :param ready: the sensors that wait for the datasets.
    """

    first: BaseOperator
    project_arn: str
    arns: list[str | None]
    ready: list[BaseOperator]


def make_datasets(project: Project, prepared: PreparedTraining) -> Datasets:
    """Add the tasks that make the project, and give it the datasets of the manifests."""
    aws = making_arguments(project)
    create_project = CustomLabelsCreateProjectOperator(task_id="create_project", project_name=project.name, **aws)
    arns: list[str | None] = []
    ready: list[BaseOperator] = []
    for kind, uri in (("train", prepared.train_uri), ("test", prepared.test_uri)):
        create = CustomLabelsReplaceDatasetOperator(
            task_id=f"create_{kind}_dataset",
            project_arn=text_of(create_project),
            dataset_type=kind.upper(),
            manifest_uri=given(uri),
            wait_for_completion=False,
            **aws,
        )
        sensor = CustomLabelsDatasetSensor(
            task_id=f"{kind}_dataset_is_ready", dataset_arn=text_of(create), **sensor_arguments(project)
        )
        arns.append(text_of(create))
        ready.append(sensor)
    return Datasets(create_project, text_of(create_project), arns, ready)


def train(project: Project, settings: TrainingSettings, attempt: TrainingAttempt) -> BaseOperator:
    """Add the tasks that train the version of an attempt; give the one that waits for its end."""
    start = TrainVersionOperator(
        task_id="start_training",
        project=project.name,
        attempt=attempt,
        output_uri=f"s3://{project.bucket}/{project.prefix}evaluation/{project.name}",
        wait_for_completion=False,
        **making_arguments(project),
    )
    done = TrainingSensor(
        task_id="training_is_done",
        project=project.name,
        attempt=attempt,
        poll_seconds=settings.status_poll_seconds,
        timeout_hours=settings.training_timeout_hours,
        pool=project.pool,
        deferrable=True,
        **connection(project),
    )
    order(start, done)
    return done
