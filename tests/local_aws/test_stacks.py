"""Stacks of CloudFormation: what moto leaves out of them, and deletes with them, is there as at AWS."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.local_aws.support import Aws

QUEUE = {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": {"Fn::Join": ["-", {"Ref": "Words"}]}}}
BUCKET = {
    "Type": "AWS::S3::Bucket",
    "DeletionPolicy": "RetainExceptOnCreate",
    "Properties": {
        "BucketName": "pictures",
        "VersioningConfiguration": {"Status": "Enabled"},
        "CorsConfiguration": {"CorsRules": [{"AllowedMethods": ["GET"], "AllowedOrigins": ["*"]}]},
        "NotificationConfiguration": {
            "QueueConfigurations": [
                {
                    "Event": "s3:ObjectCreated:*",
                    "Queue": {"Fn::GetAtt": ["Queue", "Arn"]},
                    "Filter": {"S3Key": {"Rules": [{"Name": "prefix", "Value": "in/"}]}},
                }
            ]
        },
    },
}
TEMPLATE = {
    "Parameters": {"Words": {"Type": "CommaDelimitedList", "Default": ""}, "Colour": {"Type": "String", "Default": ""}},
    "Resources": {"Queue": QUEUE, "Bucket": BUCKET},
    "Outputs": {"Url": {"Value": {"Ref": "Queue"}}, "Colour": {"Value": {"Ref": "Colour"}}},
}


@pytest.fixture
def stack(aws: Aws) -> Any:
    """A client, and a stack `s` that a change set made."""
    client = aws.client("cloudformation")
    change(client, "CREATE", Words="a,b")
    return client


def change(client: Any, kind: str, **values: str | bool) -> None:
    """Execute a change set; `True` is the value that the stack has."""
    given = [
        {"ParameterKey": name, **({"UsePreviousValue": True} if value is True else {"ParameterValue": value})}
        for name, value in values.items()
    ]
    made = client.create_change_set(
        StackName="s",
        ChangeSetName=f"c{kind}",
        ChangeSetType=kind,
        TemplateBody=json.dumps(TEMPLATE),
        Parameters=given,
    )
    client.execute_change_set(ChangeSetName=made["Id"])


def described(client: Any) -> tuple[dict[str, str], dict[str, str]]:
    (found,) = client.describe_stacks(StackName="s")["Stacks"]
    return (
        {each["ParameterKey"]: each["ParameterValue"] for each in found["Parameters"]},
        {each["OutputKey"]: each["OutputValue"] for each in found["Outputs"]},
    )


def test_stack_has_outputs_and_parameters_as_texts_when_a_change_set_made_it(stack: Any) -> None:
    parameters, outputs = described(stack)
    assert parameters == {"Words": "a,b", "Colour": ""}
    assert outputs["Url"].endswith("/a-b")


def test_stack_takes_over_values_when_a_change_set_names_the_previous_ones(stack: Any) -> None:
    change(stack, "UPDATE", Words=True, Colour="red")
    parameters, outputs = described(stack)
    assert (parameters, outputs["Colour"]) == ({"Words": "a,b", "Colour": "red"}, "red")
    with pytest.raises(stack.exceptions.ClientError, match="No updates are to be performed"):
        change(stack, "UPDATE", Words=True, Colour=True)


def test_bucket_of_a_stack_announces_shows_and_keeps_versions(aws: Aws, stack: Any) -> None:
    s3, sqs = aws.client("s3"), aws.client("sqs")
    url = sqs.get_queue_url(QueueName="a-b")["QueueUrl"]
    sqs.purge_queue(QueueUrl=url)
    for key in ("in/1", "out/1"):
        s3.put_object(Bucket="pictures", Key=key, Body=b"1")
    (message,) = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]
    assert [each["s3"]["object"]["key"] for each in json.loads(message["Body"])["Records"]] == ["in/1"]
    assert s3.get_bucket_cors(Bucket="pictures")["CORSRules"][0]["AllowedMethods"] == ["GET"]
    assert s3.get_bucket_versioning(Bucket="pictures")["Status"] == "Enabled"


def test_bucket_stays_when_its_stack_is_deleted_and_it_is_retained_except_on_create(aws: Aws, stack: Any) -> None:
    stack.delete_stack(StackName="s")
    assert "pictures" in [each["Name"] for each in aws.client("s3").list_buckets()["Buckets"]]
    assert "QueueUrls" not in aws.client("sqs").list_queues()
