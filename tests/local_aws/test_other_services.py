"""The services that solutions around Custom Labels use beside it are there: moto's, with the packages they need."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from tests.local_aws.support import Aws

ROLE = "arn:aws:iam::123456789012:role/r"
MACHINE = json.dumps({"StartAt": "A", "States": {"A": {"Type": "Pass", "Result": 7, "End": True}}})
KEY = [{"AttributeName": "image", "AttributeType": "S"}]


def stack(aws: Aws) -> object:
    client = aws.client("cloudformation")
    resources = {"Topic": {"Type": "AWS::SNS::Topic"}, "Queue": {"Type": "AWS::SQS::Queue"}}
    client.create_stack(StackName="s", TemplateBody=json.dumps({"Resources": resources}))
    return [made["ResourceStatus"] for made in client.describe_stack_resources(StackName="s")["StackResources"]]


def user(aws: Aws) -> object:
    client = aws.client("cognito-idp")
    pool = client.create_user_pool(PoolName="reviewers")["UserPool"]["Id"]
    flows = ["ADMIN_NO_SRP_AUTH"]
    made = client.create_user_pool_client(UserPoolId=pool, ClientName="c", ExplicitAuthFlows=flows)
    client.admin_create_user(UserPoolId=pool, Username="anna")
    client.admin_set_user_password(UserPoolId=pool, Username="anna", Password="Abcd1234!", Permanent=True)
    signed_in = client.admin_initiate_auth(
        UserPoolId=pool,
        ClientId=made["UserPoolClient"]["ClientId"],
        AuthFlow=flows[0],
        AuthParameters={"USERNAME": "anna", "PASSWORD": "Abcd1234!"},
    )
    return signed_in["AuthenticationResult"]["TokenType"]


def rest_api(aws: Aws) -> object:
    client = aws.client("apigateway")
    api = client.create_rest_api(name="predict")["id"]
    root = client.get_resources(restApiId=api)["items"][0]["id"]
    client.put_method(restApiId=api, resourceId=root, httpMethod="POST", authorizationType="NONE")
    client.put_integration(restApiId=api, resourceId=root, httpMethod="POST", type="MOCK")
    client.create_deployment(restApiId=api, stageName="prod")
    return client.get_stages(restApiId=api)["item"][0]["stageName"]


def http_api(aws: Aws) -> object:
    client = aws.client("apigatewayv2")
    client.create_api(Name="predict", ProtocolType="HTTP")
    return [api["Name"] for api in client.get_apis()["Items"]]


def schedule(aws: Aws) -> object:
    client = aws.client("events")
    client.put_rule(Name="poll", ScheduleExpression="rate(1 hour)")
    client.put_targets(Rule="poll", Targets=[{"Id": "1", "Arn": ROLE}])
    client.disable_rule(Name="poll")
    return client.describe_rule(Name="poll")["State"]


def item(aws: Aws) -> object:
    client = aws.client("dynamodb")
    keys = [{"AttributeName": "image", "KeyType": "HASH"}]
    client.create_table(TableName="log", AttributeDefinitions=KEY, KeySchema=keys, BillingMode="PAY_PER_REQUEST")
    client.put_item(TableName="log", Item={"image": {"S": "1.png"}, "label": {"S": "7"}})
    found = client.query(
        TableName="log", KeyConditionExpression="image = :i", ExpressionAttributeValues={":i": {"S": "1.png"}}
    )
    return [one["label"]["S"] for one in found["Items"]]


def execution(aws: Aws) -> object:
    client = aws.client("stepfunctions")
    machine = client.create_state_machine(name="train", definition=MACHINE, roleArn=ROLE)["stateMachineArn"]
    client.start_execution(stateMachineArn=machine, name="first")
    return [one["name"] for one in client.list_executions(stateMachineArn=machine)["executions"]]


@pytest.mark.parametrize(
    ("use", "expected"),
    [
        (stack, ["CREATE_COMPLETE", "CREATE_COMPLETE"]),
        (user, "Bearer"),
        (rest_api, "prod"),
        (http_api, ["predict"]),
        (schedule, "DISABLED"),
        (item, ["7"]),
        (execution, ["first"]),
    ],
    ids=["CloudFormation", "Cognito", "API Gateway", "API Gateway v2", "EventBridge", "DynamoDB", "Step Functions"],
)
def test_service_is_served_when_a_solution_around_custom_labels_uses_it(
    aws: Aws, use: Callable[[Aws], object], expected: object
) -> None:
    assert use(aws) == expected
