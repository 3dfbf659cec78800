"""Requests that break the service model are refused as AWS refuses them."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.local_aws.support import Aws

VERSION_ARN = "arn:aws:rekognition:us-east-1:123456789012:project/p/version/v/1700000000000"


@pytest.mark.parametrize(
    ("operation", "params", "says"),
    [
        pytest.param("create_project", {}, "Value null at 'projectName'", id="required member missing"),
        pytest.param(
            "create_project",
            {"ProjectName": "bad name!"},
            "Value 'bad name!' at 'projectName' failed to satisfy constraint: Member must satisfy regular expression",
            id="pattern",
        ),
        pytest.param(
            "create_project", {"ProjectName": "x" * 256}, "length less than or equal to 255", id="string too long"
        ),
        pytest.param(
            "create_project",
            {"ProjectName": "p", "Feature": "NOPE"},
            "satisfy enum value set: [CONTENT_MODERATION, CUSTOM_LABELS]",
            id="enum",
        ),
        pytest.param("describe_projects", {"MaxResults": 0}, "value greater than or equal to 1", id="number too low"),
        pytest.param("describe_projects", {"MaxResults": 101}, "value less than or equal to 100", id="number too high"),
        pytest.param(
            "describe_projects", {"ProjectNames": list("abcdefghijk")}, "length less than or equal to 10", id="list"
        ),
        pytest.param(
            "describe_projects", {"ProjectNames": ["a", "b c"]}, "at 'projectNames.2.member'", id="member of a list"
        ),
        pytest.param("describe_project_versions", {"ProjectArn": "p"}, "at 'projectArn'", id="no ARN"),
        pytest.param(
            "start_project_version",
            {"ProjectVersionArn": VERSION_ARN, "MinInferenceUnits": 0},
            "at 'minInferenceUnits'",
            id="no inference unit",
        ),
        pytest.param(
            "detect_custom_labels",
            {"ProjectVersionArn": VERSION_ARN, "Image": {"Bytes": b"x"}, "MinConfidence": 101},
            "value less than or equal to 100",
            id="confidence",
        ),
        pytest.param(
            "create_project", {"ProjectName": "p", "Tags": {"a#b": "c"}}, "regular expression", id="key of a map"
        ),
        pytest.param(
            "create_project",
            {"ProjectName": "p", "Tags": {"größe": "#"}},
            "at 'tags.größe.member'",
            id="value of a map",
        ),
    ],
)
def test_request_is_refused_when_it_breaks_the_model(
    aws: Aws, operation: str, params: dict[str, Any], says: str
) -> None:
    with pytest.raises(ClientError) as caught:
        getattr(aws.rekognition, operation)(**params)
    error = caught.value.response["Error"]
    assert error["Code"] == "InvalidParameterException"
    assert says in error["Message"]


def test_every_broken_rule_is_reported_when_there_are_several(aws: Aws) -> None:
    with pytest.raises(ClientError, match=r"2 validation errors detected: .*projectName.*; .*feature"):
        aws.rekognition.create_project(ProjectName="a b", Feature="NOPE")


def test_value_of_another_type_is_a_serialization_error(aws: Aws) -> None:
    with pytest.raises(ClientError) as caught:
        aws.rekognition.create_project(ProjectName=7)
    assert caught.value.response["Error"]["Code"] == "SerializationException"


def test_tag_with_letters_of_any_script_is_accepted(aws: Aws) -> None:
    aws.rekognition.create_project(ProjectName="p", Tags={"größe": "日本"})


def test_operation_of_moto_is_reached_when_it_is_not_ours(aws: Aws) -> None:
    labels = aws.rekognition.detect_labels(Image={"S3Object": {"Bucket": "b", "Name": "n"}})
    assert labels["Labels"]


@pytest.mark.parametrize("token", ["garbage", "WyJvdGhlciIsIDFd"], ids=["no token at all", "token of another list"])
def test_pagination_token_is_refused_when_it_is_not_ours(aws: Aws, token: str) -> None:
    with pytest.raises(ClientError) as caught:
        aws.rekognition.describe_projects(NextToken=token)
    assert caught.value.response["Error"]["Code"] == "InvalidPaginationTokenException"
