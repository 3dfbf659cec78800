"""Statuses that descriptions are made to tell: also unknown ones, and only where a rule says so."""

from __future__ import annotations

from typing import Any

import pytest

from include.local_aws.process import LocalAwsError
from tests.local_aws.support import Aws


@pytest.fixture
def project(aws: Aws) -> str:
    arn: str = aws.rekognition.create_project(ProjectName="birds")["ProjectArn"]
    return arn


def statuses_of(aws: Aws) -> list[str]:
    return [each["Status"] for each in aws.rekognition.describe_projects()["ProjectDescriptions"]]


def test_a_status_is_given_that_the_service_model_lacks(aws: Aws, project: str) -> None:
    aws.control.statuses({"resource": project, "status": "FROZEN"})

    assert statuses_of(aws) == ["FROZEN"]


def test_a_status_is_given_as_often_as_it_is_asked_for_and_then_the_next(aws: Aws, project: str) -> None:
    aws.control.statuses(
        {"resource": "*/birds/*", "status": "DELETING", "times": 2}, {"resource": "*", "status": "FROZEN"}
    )

    assert [statuses_of(aws) for _ in range(3)] == [["DELETING"], ["DELETING"], ["FROZEN"]]


def test_other_resources_tell_the_truth(aws: Aws, project: str) -> None:
    aws.control.statuses({"resource": "*/cats/*", "status": "FROZEN"})

    assert statuses_of(aws)[0] in {"CREATING", "CREATED"}


def test_the_real_status_is_given_again_after_the_rules_are_taken_away(aws: Aws, project: str) -> None:
    aws.control.statuses({"resource": "*", "status": "FROZEN"})
    aws.control.statuses()

    assert statuses_of(aws)[0] in {"CREATING", "CREATED"}


def test_a_dataset_tells_the_message_too(aws: Aws, project: str) -> None:
    arn = aws.rekognition.create_dataset(ProjectArn=project, DatasetType="TRAIN")["DatasetArn"]
    aws.control.statuses({"resource": arn, "status": "CREATE_FAILED", "message": "The sky fell."})

    found = aws.rekognition.describe_dataset(DatasetArn=arn)["DatasetDescription"]

    assert (found["Status"], found["StatusMessage"]) == ("CREATE_FAILED", "The sky fell.")


@pytest.mark.parametrize(
    ("rule", "says"),
    [
        ({"status": "CREATED"}, "'resource' of the status is None"),
        ({"resource": "*", "status": 7}, "'status' of the status is 7"),
        ({"resource": "*", "status": "A", "message": 7}, "'message' of the status is 7"),
        ({"resource": "*", "status": "A", "times": 0}, "'times' of the status is 0"),
        ({"resource": "*", "status": "A", "name": "b"}, "unknown members"),
    ],
    ids=["no resource", "no text", "a message that is no text", "no times", "an unknown member"],
)
def test_a_rule_that_says_nothing_is_refused(aws: Aws, rule: dict[str, Any], says: str) -> None:
    with pytest.raises(LocalAwsError, match=says):
        aws.control.statuses(rule)
