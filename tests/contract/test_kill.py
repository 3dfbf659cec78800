"""What a user's killing of a waiting task does at AWS: a training goes on, a model is not left starting."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from custom_labels.aws.operators.versions import CustomLabelsStartVersionOperator
from custom_labels.aws.triggers.rekognition import ProjectVersionStatusTrigger
from tests.contract.test_operators import QUICK, create_project, replace, train, version
from tests.kit.support import effects, manifests, rekognition

if TYPE_CHECKING:
    from include.local_aws.process import LocalAws


@pytest.fixture
def trained(aws: LocalAws) -> str:
    arn = create_project()
    for dataset_type, uri in manifests(aws).items():
        replace(arn, uri, dataset_type)
    train(arn)
    return arn


def trigger(project_arn: str, **more: Any) -> ProjectVersionStatusTrigger:
    waiter = "project_version_running"
    return ProjectVersionStatusTrigger(project_arn=project_arn, version_name="v1", waiter_name=waiter, **more)


def status(aws: LocalAws, project_arn: str) -> str:
    return rekognition(aws).describe_project_versions(ProjectArn=project_arn)["ProjectVersionDescriptions"][0]["Status"]


def start(aws: LocalAws, project_arn: str) -> None:
    found = rekognition(aws).describe_project_versions(ProjectArn=project_arn)["ProjectVersionDescriptions"]
    rekognition(aws).start_project_version(ProjectVersionArn=found[0]["ProjectVersionArn"], MinInferenceUnits=1)


def test_a_killed_start_stops_the_version(aws: LocalAws, trained: str) -> None:
    start(aws, trained)
    assert status(aws, trained) == "RUNNING"

    asyncio.run(trigger(trained, stop_on_kill=True).on_kill())

    assert effects(aws, "StopProjectVersion") == 1


def test_a_killed_start_that_cannot_be_stopped_yet_is_left_to_the_run(aws: LocalAws, trained: str) -> None:
    aws.control.durations(version_start=30)
    start(aws, trained)

    asyncio.run(trigger(trained, stop_on_kill=True).on_kill())

    assert status(aws, trained) == "STARTING"


def test_a_killed_wait_for_anything_else_leaves_aws_alone(aws: LocalAws, trained: str) -> None:
    start(aws, trained)

    asyncio.run(trigger(trained).on_kill())

    assert status(aws, trained) == "RUNNING"


def test_a_start_killed_in_its_worker_stops_the_version(aws: LocalAws, trained: str) -> None:
    version(CustomLabelsStartVersionOperator, trained)
    task = CustomLabelsStartVersionOperator(task_id="a_task", project_arn=trained, version_name="v1", **QUICK)

    task.on_kill()

    assert effects(aws, "StopProjectVersion") == 1
