"""Projects, their tags and their policies."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.local_aws.support import Aws, wait_for

POLICY = json.dumps({"Version": "2012-10-17", "Statement": []})


def code_of(call: Any, **params: Any) -> str:
    with pytest.raises(ClientError) as caught:
        call(**params)
    return str(caught.value.response["Error"]["Code"])


def test_project_is_described_when_created(aws: Aws) -> None:
    arn = aws.project("digits")
    (found,) = aws.rekognition.describe_projects()["ProjectDescriptions"]
    assert found["ProjectArn"] == arn
    assert arn.startswith("arn:aws:rekognition:us-east-1:123456789012:project/digits/1")
    assert (found["Status"], found["Datasets"], found["Feature"]) == ("CREATED", [], "CUSTOM_LABELS")


def test_project_is_creating_at_first(aws: Aws) -> None:
    aws.control.durations(project_create=60)
    aws.rekognition.create_project(ProjectName="slow")
    assert aws.rekognition.describe_projects()["ProjectDescriptions"][0]["Status"] == "CREATING"


def test_project_name_is_in_use_when_taken(aws: Aws) -> None:
    aws.project("digits")
    assert code_of(aws.rekognition.create_project, ProjectName="digits") == "ResourceInUseException"


def test_project_quota_is_reported_when_full(aws: Aws) -> None:
    aws.control.quotas(projects=1)
    aws.project("a")
    assert code_of(aws.rekognition.create_project, ProjectName="b") == "LimitExceededException"


def test_projects_are_listed_newest_first_over_pages(aws: Aws) -> None:
    for name in "abcde":
        aws.rekognition.create_project(ProjectName=name)
    pages = aws.rekognition.get_paginator("describe_projects").paginate(PaginationConfig={"PageSize": 2})
    names = [[item["ProjectArn"].split("/")[1] for item in page["ProjectDescriptions"]] for page in pages]
    assert names == [["e", "d"], ["c", "b"], ["a"]]


def test_projects_of_another_region_are_not_seen(aws: Aws) -> None:
    aws.project("here")
    assert aws.client("rekognition", region="eu-west-1").describe_projects()["ProjectDescriptions"] == []


def test_project_disappears_when_deleted(aws: Aws) -> None:
    arn = aws.project("digits")
    assert aws.rekognition.delete_project(ProjectArn=arn)["Status"] == "DELETING"
    wait_for(lambda: aws.rekognition.describe_projects()["ProjectDescriptions"], [])


def test_project_is_in_use_while_it_has_a_dataset(aws: Aws) -> None:
    arn = aws.project("digits")
    aws.dataset(arn, "TRAIN")
    with pytest.raises(ClientError, match=r"ResourceInUseException.*still has 1 datasets: delete them first"):
        aws.rekognition.delete_project(ProjectArn=arn)


def test_unknown_project_is_not_found(aws: Aws) -> None:
    arn = "arn:aws:rekognition:us-east-1:123456789012:project/none/1700000000000"
    with pytest.raises(ClientError, match=rf"ResourceNotFoundException.*{arn}"):
        aws.rekognition.describe_project_versions(ProjectArn=arn)


def test_tags_are_kept_when_given_at_creation_and_changed_after(aws: Aws) -> None:
    arn = aws.rekognition.create_project(ProjectName="p", Tags={"team": "a", "cost": "1"})["ProjectArn"]
    aws.rekognition.tag_resource(ResourceArn=arn, Tags={"team": "b"})
    aws.rekognition.untag_resource(ResourceArn=arn, TagKeys=["cost", "never there"])
    assert aws.rekognition.list_tags_for_resource(ResourceArn=arn)["Tags"] == {"team": "b"}


def test_tags_of_an_unknown_resource_are_not_found(aws: Aws) -> None:
    arn = "arn:aws:rekognition:us-east-1:123456789012:project/none/1700000000000"
    assert code_of(aws.rekognition.list_tags_for_resource, ResourceArn=arn) == "ResourceNotFoundException"


def test_policy_is_replaced_only_with_its_revision(aws: Aws) -> None:
    arn = aws.project()
    put = aws.rekognition.put_project_policy
    first = put(ProjectArn=arn, PolicyName="copy", PolicyDocument=POLICY)["PolicyRevisionId"]
    again = {"ProjectArn": arn, "PolicyName": "copy", "PolicyDocument": POLICY}
    assert code_of(put, **again) == "ResourceAlreadyExistsException"
    assert code_of(put, **again, PolicyRevisionId="0abc") == "InvalidPolicyRevisionIdException"
    assert put(**again, PolicyRevisionId=first)["PolicyRevisionId"] != first


@pytest.mark.parametrize("document", ["no json", "[]", '{"Version": "1"}'], ids=["text", "list", "no statement"])
def test_policy_is_refused_when_malformed(aws: Aws, document: str) -> None:
    params = {"ProjectArn": aws.project(), "PolicyName": "copy", "PolicyDocument": document}
    assert code_of(aws.rekognition.put_project_policy, **params) == "MalformedPolicyDocumentException"


def test_policies_are_listed_over_pages_up_to_the_quota_and_deleted(aws: Aws) -> None:
    arn = aws.project()
    for number in range(5):
        aws.rekognition.put_project_policy(ProjectArn=arn, PolicyName=f"n{number}", PolicyDocument=POLICY)
    sixth = {"ProjectArn": arn, "PolicyName": "n5", "PolicyDocument": POLICY}
    assert code_of(aws.rekognition.put_project_policy, **sixth) == "ServiceQuotaExceededException"
    pages = aws.rekognition.get_paginator("list_project_policies").paginate(
        ProjectArn=arn, PaginationConfig={"PageSize": 3}
    )
    assert [len(page["ProjectPolicies"]) for page in pages] == [3, 2]
    aws.rekognition.delete_project_policy(ProjectArn=arn, PolicyName="n0")
    gone = {"ProjectArn": arn, "PolicyName": "n0"}
    assert code_of(aws.rekognition.delete_project_policy, **gone) == "ResourceNotFoundException"
