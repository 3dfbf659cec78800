"""Every operator, sensor and trigger for anybody's DAG, found by walking over modules, with arguments to make one.

What a room makes of them for a project looks at the registry first, and is tested there.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from typing import Any

from airflow.sdk import BaseOperator, BaseSensorOperator
from airflow.triggers.base import BaseTrigger

import custom_labels
import custom_labels.aws
from custom_labels.review.backends.a2i.setup_tasks import CustomLabelsSetupReviewOperator

PROJECT = "arn:aws:rekognition:us-east-1:123456789012:project/birds/1700000000000"
DATASET = "arn:aws:rekognition:us-east-1:123456789012:project/birds/dataset/train/1700000000001"
HOOK = {
    "aws_conn_id": "other",
    "region_name": "eu-west-1",
    "verify": False,
    "botocore_config": {"read_timeout": 42},
}
ARGUMENTS: dict[str, dict[str, Any]] = {
    "CustomLabelsCreateProjectOperator": {"project_name": "birds"},
    "CustomLabelsReplaceDatasetOperator": {
        "project_arn": PROJECT,
        "dataset_type": "TRAIN",
        "manifest_uri": "s3://bucket/train.manifest",
    },
    "CustomLabelsCreateDatasetOperator": {
        "project_arn": PROJECT,
        "dataset_type": "TRAIN",
        "manifest_uri": "s3://bucket/train.manifest",
    },
    "CustomLabelsDeleteDatasetOperator": {"project_arn": PROJECT, "dataset_type": "TRAIN"},
    "CustomLabelsDeleteProjectOperator": {"project_arn": PROJECT},
    "CustomLabelsCopyVersionOperator": {
        "project_arn": PROJECT,
        "version_name": "v1",
        "source_project_arn": PROJECT.replace("birds", "source"),
        "source_version_arn": PROJECT.replace("birds", "source/version/v1"),
        "output_uri": "s3://bucket/evaluation",
        "tags": {"a": "b"},
    },
    "CustomLabelsDetectOperator": {
        "version_arn": PROJECT.replace("birds", "birds/version/v1"),
        "image_uris": ["s3://bucket/a.png"],
    },
    "CustomLabelsTrainVersionOperator": {
        "project_arn": PROJECT,
        "version_name": "v1",
        "output_uri": "s3://bucket/evaluation",
        "tags": {"a": "b"},
    },
    "CustomLabelsStartVersionOperator": {
        "project_arn": PROJECT,
        "version_name": "v1",
        "min_inference_units": 1,
        "max_inference_units": 2,
    },
    "CustomLabelsStopVersionOperator": {"project_arn": PROJECT, "version_name": "v1"},
    "CustomLabelsDeleteVersionOperator": {"project_arn": PROJECT, "version_name": "v1"},
    "CustomLabelsDatasetSensor": {"dataset_arn": DATASET, "until": "created"},
    "CustomLabelsVersionSensor": {"project_arn": PROJECT, "version_name": "v1", "until": "running"},
    "WaitUntilOperator": {"moment": "2026-11-20T12:00:00+00:00"},
    "CustomLabelsSetupReviewOperator": {"project": "digits", "reviewers": 1},
    "ProjectStatusTrigger": {"project_name": "birds", "waiter_name": "project_created"},
    "DatasetStatusTrigger": {"dataset_arn": DATASET, "waiter_name": "dataset_created"},
    "ProjectVersionStatusTrigger": {
        "project_arn": PROJECT,
        "version_name": "v1",
        "waiter_name": "project_version_running",
        "stop_on_kill": True,
    },
    "ReviewFlowTrigger": {"flow_name": "birds-0123", "waiter_name": "flow_definition_active"},
    "QueueTrigger": {"queue_url": "https://sqs.us-east-1.amazonaws.com/123456789012/q"},
    "AnnouncementTrigger": {
        "queue_url": "https://sqs.us-east-1.amazonaws.com/123456789012/q",
        "bucket": "b",
        "prefix": "p/",
        "of_images": False,
        "inspect_seconds": 7,
    },
    "TrainingTrigger": {
        "owner": "a run",
        "bucket": "b",
        "prefix": "p/",
        "project_arn": PROJECT,
        "version_name": "v1",
        "waiter_name": "project_version_trained",
        "stop_on_kill": False,
    },
    "AnswersTrigger": {
        "folder": "label_assist/a/round-1/",
        "since": "2026-11-20T12:00:00+00:00",
        "until": "2026-11-23T12:00:00+00:00",
        "bucket": "b",
        "prefix": "p/",
    },
    "ProjectLockTrigger": {"owner": "a run", "key": "registry/lock.json", "bucket": "b", "prefix": "p/"},
}
BASES = {
    "CustomLabelsOperator",
    "WaitingOperator",
    "RemovalOperator",
    "VersionOperator",
    "StatusSensor",
    "StatusTrigger",
}


def classes(package: Any, base: type) -> list[type]:
    """List the package's own concrete subclasses of ``base``."""
    found = {
        each
        for module in _modules(package)
        for each in vars(module).values()
        if inspect.isclass(each) and issubclass(each, base) and each.__module__.startswith("custom_labels.")
    }
    return sorted((each for each in found if each.__name__ not in BASES), key=lambda each: each.__name__)


def _modules(package: Any) -> Iterator[Any]:
    for info in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
        yield importlib.import_module(info.name)


_TASKS = [*classes(custom_labels.aws, BaseOperator), CustomLabelsSetupReviewOperator]
SENSORS = [each for each in _TASKS if issubclass(each, BaseSensorOperator)]
OPERATORS = [each for each in _TASKS if each not in SENSORS]
TRIGGERS = classes(custom_labels, BaseTrigger)
ON_AWS = [each for each in (*OPERATORS, *SENSORS) if hasattr(each, "aws_hook_class")]


def make(cls: type, **more: Any) -> Any:
    """Make one of a class, with arguments that are not the defaults."""
    task_id = {"task_id": "a_task"} if issubclass(cls, BaseOperator) else {}
    return cls(**task_id, **ARGUMENTS[cls.__name__], **more)
