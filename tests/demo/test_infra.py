"""The CloudFormation template: what it grants, and what it does not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

TEMPLATE = Path(__file__).resolve().parents[2] / "include" / "infra" / "custom-labels-project.yaml"
WITHOUT_NARROWER_RESOURCE = {"rekognition:CreateProject", "rekognition:DescribeProjects"}


class Loader(yaml.SafeLoader):
    """Reads CloudFormation's short tags as their long forms."""


def _function(loader: yaml.SafeLoader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    if isinstance(node, yaml.SequenceNode):
        return {suffix: loader.construct_sequence(node, deep=True)}
    assert isinstance(node, yaml.ScalarNode)
    return {suffix: loader.construct_scalar(node)}


Loader.add_multi_constructor("!", _function)


@pytest.fixture(scope="module")
def resources() -> dict[str, Any]:
    return dict(yaml.load(TEMPLATE.read_text(), Loader)["Resources"])


@pytest.fixture(scope="module")
def statements(resources: dict[str, Any]) -> list[dict[str, Any]]:
    return list(resources["AirflowPolicy"]["Properties"]["PolicyDocument"]["Statement"])


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def test_only_what_aws_demands_is_allowed_on_everything(statements: list[dict[str, Any]]) -> None:
    on_everything = {
        action for each in statements if "*" in _list(each["Resource"]) for action in _list(each["Action"])
    }
    assert on_everything == WITHOUT_NARROWER_RESOURCE


def test_no_action_is_a_pattern(statements: list[dict[str, Any]]) -> None:
    assert not [action for each in statements for action in _list(each["Action"]) if "*" in action]


def test_rekognition_resources_name_the_project(statements: list[dict[str, Any]]) -> None:
    for each in statements:
        if _list(each["Action"])[0].startswith("rekognition:") and each["Resource"] != "*":
            assert ":project/${ProjectName}/" in each["Resource"]["Sub"]


def test_bucket_and_prefix_bound_all_s3_actions(statements: list[dict[str, Any]]) -> None:
    for each in statements:
        for resource in _list(each["Resource"]):
            if _list(each["Action"])[0] == "s3:PutObject":
                assert resource["Sub"].startswith("${Bucket.Arn}/${Prefix}")
    reads = next(each for each in statements if "s3:GetObject" in _list(each["Action"]))
    assert reads["Resource"] == {"Sub": "${Bucket.Arn}/${Prefix}*"}


def test_nobody_may_write_training_images_or_delete(statements: list[dict[str, Any]]) -> None:
    actions = {action for each in statements for action in _list(each["Action"])}
    assert not {action for action in actions if action.startswith("s3:Delete")}
    writes = next(each for each in statements if "s3:PutObject" in _list(each["Action"]))
    assert {resource["Sub"].removeprefix("${Bucket.Arn}/${Prefix}") for resource in writes["Resource"]} == {
        "evaluation/*",
        "manifests/*",
        "registry/*",
        "snapshots/*",
    }


def test_bucket_is_private_encrypted_kept_and_tls_only(resources: dict[str, Any]) -> None:
    bucket = resources["Bucket"]
    assert bucket["DeletionPolicy"] == bucket["UpdateReplacePolicy"] == "Retain"
    assert set(bucket["Properties"]["PublicAccessBlockConfiguration"].values()) == {True}
    assert "BucketEncryption" in bucket["Properties"]
    (denial,) = resources["BucketPolicy"]["Properties"]["PolicyDocument"]["Statement"]
    assert (denial["Effect"], denial["Principal"]) == ("Deny", "*")
    assert denial["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


def test_what_can_be_tagged_carries_the_project(resources: dict[str, Any]) -> None:
    for name in ("Bucket", "Topic"):
        assert resources[name]["Properties"]["Tags"] == [
            {"Key": "custom-labels-project", "Value": {"Ref": "ProjectName"}}
        ]
