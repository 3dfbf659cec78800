"""The CloudFormation template: what it grants, and what it does not."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from custom_labels.core.keys import (
    A2I_OUTPUT,
    IMAGES,
    IMPORTED_IMAGES,
    INBOX,
    LABEL_STUDIO_ANSWERS,
    OWN_FOLDERS,
    REVIEWED_IMAGES,
    UNLABELED,
)
from custom_labels.core.names import slug
from custom_labels.operations.teardown_records import FOLDERS
from custom_labels.review.backends.a2i.events import EVENT
from custom_labels.review.backends.page_check import TEST_IMAGE

TEMPLATE = Path(__file__).resolve().parents[2] / "include" / "infra" / "custom-labels-project.yaml"
WITHOUT_NARROWER_RESOURCE = {
    "events:ListRuleNamesByTarget",
    "rekognition:CreateProject",
    "rekognition:DescribeProjects",
    "sagemaker:ListHumanLoops",
    "sagemaker:RenderUiTemplate",
}
TAG = [{"Key": "custom-labels-project", "Value": {"Ref": "ProjectName"}}]


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
    """What Airflow may do, whatever the parameters."""
    policies = (resources[name]["Properties"] for name in ("AirflowPolicy", "StoragePolicy", "ReviewPolicy"))
    return [statement for each in policies for statement in each["PolicyDocument"]["Statement"]]


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def test_only_what_aws_demands_is_allowed_on_everything(statements: list[dict[str, Any]]) -> None:
    on_everything = {
        action for each in statements if "*" in _list(each["Resource"]) for action in _list(each["Action"])
    }
    assert on_everything == WITHOUT_NARROWER_RESOURCE


LONGEST = {
    "AWS::Partition": "aws-us-gov",
    "AWS::Region": "ap-northeast-1",
    "AWS::AccountId": "1" * 12,
    "Bucket.Arn": f"arn:aws-us-gov:s3:::{'b' * 63}",
    "BucketName": "b" * 63,
    "Prefix": "p" * 128,
    "ProjectName": "n" * 100,
    "ReviewPrefix": "r" * 24,
}
"""What CloudFormation puts in, as long as the parameters allow it."""
LONGEST_ARN = "a" * 160
"""Of a queue, topic, rule or role, whose names CloudFormation makes."""
LONGEST_POLICY = 6144
"""Characters of a managed policy without white space (IAM quotas)."""


def resolved(value: Any, values: Mapping[str, str], other: str | None = None) -> Any:
    """Put the values into a part of the template.

    :param other: stands for every reference to something else; without it they stay as they are.
    """
    match value:
        case {"Sub": text}:
            return re.sub(r"\$\{([^}]+)\}", lambda hit: values[hit[1]], text)
        case {"GetAtt": name} | {"Ref": name}:
            return values.get(name, value if other is None else other)
        case dict():
            return {name: resolved(each, values, other) for name, each in value.items()}
        case list():
            return [resolved(each, values, other) for each in value]
    return value


MANAGED = (
    "AirflowPolicy",
    "StoragePolicy",
    "ReviewPolicy",
    "GroundTruthPolicy",
    "TeardownPolicy",
    "TeardownDeletePolicy",
)


@pytest.mark.parametrize("name", MANAGED)
def test_iam_takes_each_policy_however_long_names_are(resources: dict[str, Any], name: str) -> None:
    document = resolved(resources[name]["Properties"]["PolicyDocument"], LONGEST, LONGEST_ARN)

    assert len(json.dumps(document, separators=(",", ":")).replace(" ", "")) <= LONGEST_POLICY


def test_every_managed_policy_is_measured_but_the_one_that_parameters_fill(resources: dict[str, Any]) -> None:
    managed = {name for name, each in resources.items() if each["Type"] == "AWS::IAM::ManagedPolicy"}

    assert managed == {*MANAGED, "ImportPolicy"}


def test_no_action_is_a_pattern(statements: list[dict[str, Any]]) -> None:
    assert not [action for each in statements for action in _list(each["Action"]) if "*" in action]


def test_rekognition_resources_name_the_project(statements: list[dict[str, Any]]) -> None:
    narrow = [
        each["Resource"]["Sub"]
        for each in statements
        if _list(each["Action"])[0].startswith("rekognition:") and each["Resource"] != "*"
    ]
    assert narrow
    assert [resource for resource in narrow if ":project/${ProjectName}/" not in resource] == []


def test_bucket_and_prefix_bound_all_s3_actions(statements: list[dict[str, Any]]) -> None:
    for each in statements:
        for resource in _list(each["Resource"]):
            if _list(each["Action"])[0] == "s3:PutObject":
                assert resource["Sub"].startswith("${Bucket.Arn}/${Prefix}")
    reads = next(each for each in statements if "s3:GetObject" in _list(each["Action"]))
    assert reads["Resource"] == {"Sub": "${Bucket.Arn}/${Prefix}*"}


def folders(statements: list[dict[str, Any]], action: str) -> set[str]:
    """Name the folders on whose objects an action is allowed."""
    return {
        resource["Sub"].removeprefix("${Bucket.Arn}/${Prefix}")
        for each in statements
        if action in _list(each["Action"])
        for resource in _list(each["Resource"])
    }


def test_what_is_written_is_what_the_package_keeps(statements: list[dict[str, Any]]) -> None:
    assert folders(statements, "s3:PutObject") == {
        "annotations/imported/*",
        "annotations/reviewed/*",
        "audit/*",
        "detection_log/*",
        "detection_work/*",
        "detections/*",
        "evaluation/*",
        "images_labeled_by_folder/*",
        "images_imported/*",
        "images_replaced/*",
        "images_reviewed/*",
        "imports/*",
        "label_assist/*",
        "manifests/*",
        "registry/*",
        "reviews/*",
        "reviews/none_of_the_above/*",
        "snapshots/*",
    }


def test_every_folder_that_the_package_makes_can_be_written(statements: list[dict[str, Any]]) -> None:
    written = folders(statements, "s3:PutObject")
    of_others = {A2I_OUTPUT, "ground-truth/"}
    """A2I writes to the first by its own role; the second has GroundTruthPolicy."""

    assert [each for each in OWN_FOLDERS if not any(key.startswith(each) for key in written)] == [
        each for each in OWN_FOLDERS if each in of_others
    ]


def test_images_snapshots_results_and_answers_cannot_be_deleted(statements: list[dict[str, Any]]) -> None:
    assert folders(statements, "s3:DeleteObject") == {"detection_work/*", "manifests/*", "reviews/*"}


def test_a_teardown_deletes_the_projects_own_folders_and_only_where_a_parameter_allows_it(
    resources: dict[str, Any],
) -> None:
    project, flows = resources["TeardownPolicy"]["Properties"]["PolicyDocument"]["Statement"]
    reads, deletes = resources["TeardownDeletePolicy"]["Properties"]["PolicyDocument"]["Statement"]
    parameters = yaml.load(TEMPLATE.read_text(), Loader)["Parameters"]

    assert (flows["Action"], flows["Resource"]) == ("sagemaker:ListFlowDefinitions", "*")
    assert project["Action"] == "rekognition:DeleteProject"
    assert project["Resource"]["Sub"].endswith(":project/${ProjectName}/*")
    assert parameters["TeardownMayDelete"]["Default"] == "false"
    assert resources["TeardownDeletePolicy"]["Condition"] == "TeardownDeletes"
    assert (reads["Action"], reads["Resource"]) == (
        ["s3:GetBucketVersioning", "s3:ListBucketVersions"],
        {"GetAtt": "Bucket.Arn"},
    )
    assert deletes["Action"] == ["s3:DeleteObject", "s3:DeleteObjectVersion"]
    assert folders([deletes], "s3:DeleteObject") == {f"{folder}*" for folder in FOLDERS}


def test_imports_read_and_move_only_what_the_parameters_allow(resources: dict[str, Any]) -> None:
    policy = resources["ImportPolicy"]
    allowed = [each["If"] for each in policy["Properties"]["PolicyDocument"]["Statement"]]

    assert policy["Condition"] == "HasImports"
    assert [(condition, each["Action"], each["Resource"], no) for condition, each, no in allowed] == [
        (condition, actions, resource, {"Ref": "AWS::NoValue"})
        for condition, actions, resource in (
            ("ImportsFromBuckets", ["s3:GetObject", "s3:ListBucket"], {"Ref": "ImportBucketArns"}),
            ("ImportsFromDatasets", "rekognition:ListDatasetEntries", {"Ref": "ImportDatasetArns"}),
            ("ImportsReplace", "s3:DeleteObject", {"Sub": "${Bucket.Arn}/${Prefix}images_labeled_by_folder/*"}),
        )
    ]


def test_versions_of_this_project_only_can_be_stopped_and_deleted(statements: list[dict[str, Any]]) -> None:
    for action in ("StartProjectVersion", "StopProjectVersion", "DeleteProjectVersion"):
        (allowed,) = [each for each in statements if f"rekognition:{action}" in _list(each["Action"])]
        assert allowed["Resource"]["Sub"].endswith(":project/${ProjectName}/version/*")


def test_what_is_made_may_be_tagged_and_tags_may_be_read(statements: list[dict[str, Any]]) -> None:
    """The project itself, its datasets and versions: their ARNs go on behind the project's name."""
    for action in ("TagResource", "ListTagsForResource"):
        (allowed,) = [each for each in statements if f"rekognition:{action}" in _list(each["Action"])]
        assert allowed["Resource"]["Sub"].endswith(":project/${ProjectName}/*")


def test_review_resources_name_the_project(statements: list[dict[str, Any]]) -> None:
    narrow = [
        resource["Sub"]
        for each in statements
        if not {"sagemaker:DescribeWorkteam", *WITHOUT_NARROWER_RESOURCE}.intersection(_list(each["Action"]))
        and any(action.startswith("sagemaker:") for action in _list(each["Action"]))
        for resource in _list(each["Resource"])
    ]
    assert narrow
    assert [resource for resource in narrow if not resource.endswith("/${ReviewPrefix}-*")] == []


def test_images_may_not_be_shown_to_the_public(statements: list[dict[str, Any]]) -> None:
    teams = next(each for each in statements if each["Action"] == "sagemaker:DescribeWorkteam")
    assert all("public-crowd" not in resource["Sub"] for resource in teams["Resource"])


def test_the_review_role_is_lent_to_sagemaker_only(statements: list[dict[str, Any]]) -> None:
    (lent,) = [each for each in statements if each["Action"] == "iam:PassRole"]
    assert lent["Resource"] == {"GetAtt": "ReviewRole.Arn"}
    assert lent["Condition"] == {"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}}


def test_the_review_role_reads_images_and_writes_answers_and_nothing_else(resources: dict[str, Any]) -> None:
    role = resources["ReviewRole"]["Properties"]
    (trust,) = role["AssumeRolePolicyDocument"]["Statement"]
    (policy,) = role["Policies"]
    assert trust["Principal"] == {"Service": "sagemaker.amazonaws.com"}
    allowed = {
        each["Action"]: {one["Sub"].rpartition("${Prefix}")[2] for one in _list(each["Resource"])}
        for each in policy["PolicyDocument"]["Statement"]
    }
    shown = (IMAGES, IMPORTED_IMAGES, INBOX, REVIEWED_IMAGES, UNLABELED)
    assert allowed == {
        "s3:GetObject": {TEST_IMAGE, *(f"{folder}*" for folder in shown)},
        "s3:PutObject": {f"{A2I_OUTPUT}*"},
    }


def test_the_bucket_announces_new_images_and_answers_to_their_queues(resources: dict[str, Any]) -> None:
    bucket = resources["Bucket"]
    notifications = bucket["Properties"]["NotificationConfiguration"]["QueueConfigurations"]
    assert {each["Event"] for each in notifications} == {"s3:ObjectCreated:*"}
    assert [(each["Queue"], each["Filter"]["S3Key"]["Rules"]) for each in notifications] == [
        ({"GetAtt": f"{queue}.Arn"}, [{"Name": "prefix", "Value": {"Sub": f"${{Prefix}}{folder}"}}])
        for queue, folder in (("DetectionQueue", INBOX), ("ReviewQueue", LABEL_STUDIO_ANSWERS))
    ]
    assert bucket["DependsOn"] == ["DetectionQueuePolicy", "ReviewQueuePolicy"]


def test_only_this_bucket_and_this_rule_may_send_to_the_queues(resources: dict[str, Any]) -> None:
    (images,) = resources["DetectionQueuePolicy"]["Properties"]["PolicyDocument"]["Statement"]
    reviews, by_jobs, answers = resources["ReviewQueuePolicy"]["Properties"]["PolicyDocument"]["Statement"]
    condition, of_jobs, otherwise = by_jobs["If"]
    for each in (images, answers):
        assert each["Principal"] == {"Service": "s3.amazonaws.com"}
        assert each["Condition"]["ArnEquals"]["aws:SourceArn"]["Sub"].endswith(":s3:::${BucketName}")
        assert each["Condition"]["StringEquals"] == {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}
    assert (condition, otherwise) == ("AsksByLabelingJobs", {"Ref": "AWS::NoValue"})
    for each, rule in ((reviews, "ReviewRule"), (of_jobs, "AnswerRule")):
        assert each["Principal"] == {"Service": "events.amazonaws.com"}
        assert each["Condition"] == {"ArnEquals": {"aws:SourceArn": {"GetAtt": f"{rule}.Arn"}}}


def test_what_nobody_can_handle_ends_among_the_dead_letters(resources: dict[str, Any]) -> None:
    redrive = resources["DetectionQueue"]["Properties"]["RedrivePolicy"]
    assert redrive == {"deadLetterTargetArn": {"GetAtt": "DeadLetterQueue.Arn"}, "maxReceiveCount": 10}


def test_the_rule_hears_of_this_projects_reviews(resources: dict[str, Any]) -> None:
    pattern = resources["ReviewRule"]["Properties"]["EventPattern"]
    (flow,) = pattern["detail"]["flowDefinitionArn"]
    assert (pattern["source"], pattern["detail-type"]) == (["aws.sagemaker"], [EVENT])
    assert flow["prefix"]["Sub"].endswith(":flow-definition/${ReviewPrefix}-")


def test_nothing_waits_for_itself(resources: dict[str, Any]) -> None:
    needs = {name: _named(body, set(resources) - {name}) for name, body in resources.items()}
    while free := [name for name, wanted in needs.items() if not wanted]:
        for name in free:
            del needs[name]
        needs = {name: wanted - set(free) for name, wanted in needs.items()}
    assert needs == {}


def _named(value: Any, names: set[str]) -> set[str]:
    """Find the resources that a part of the template refers to."""
    if isinstance(value, dict):
        return {name for each in value.values() for name in _named(each, names)}
    if isinstance(value, list):
        return {name for each in value for name in _named(each, names)}
    return {name for name in names if value == name or re.search(rf"(^|\$\{{){name}(\.|\}})", str(value))}


def test_the_review_prefix_is_what_names_begin_with() -> None:
    parameter = yaml.load(TEMPLATE.read_text(), Loader)["Parameters"]["ReviewPrefix"]
    for project in ("digits", "My_Birds--2", "x" * 100):
        assert re.fullmatch(parameter["AllowedPattern"], slug(project))
        assert len(slug(project)) <= parameter["MaxLength"]


def test_bucket_is_private_encrypted_kept_and_tls_only(resources: dict[str, Any]) -> None:
    bucket = resources["Bucket"]
    assert (bucket["DeletionPolicy"], bucket["UpdateReplacePolicy"]) == ("RetainExceptOnCreate", "Retain")
    assert set(bucket["Properties"]["PublicAccessBlockConfiguration"].values()) == {True}
    assert "BucketEncryption" in bucket["Properties"]
    (denial,) = resources["BucketPolicy"]["Properties"]["PolicyDocument"]["Statement"]
    assert (denial["Effect"], denial["Principal"]) == ("Deny", "*")
    assert denial["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


def test_what_can_be_tagged_carries_the_project(resources: dict[str, Any]) -> None:
    for name in ("Bucket", "Topic", "DetectionQueue", "DeadLetterQueue", "ReviewQueue", "ReviewRole"):
        assert resources[name]["Properties"]["Tags"] == TAG
