"""The A2I runtime: human loops start, end, are listed, and tell S3 and EventBridge of their end."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.local_aws.review_support import Reviews
from tests.local_aws.support import BUCKET, Aws, wait_for

MISSING_FLOW = "arn:aws:sagemaker:us-east-1:123456789012:flow-definition/nope"


@pytest.fixture
def reviews(aws: Aws) -> Reviews:
    return Reviews(aws)


@pytest.fixture
def flow(reviews: Reviews) -> str:
    return reviews.flow()


def names(answer: dict[str, Any]) -> list[str]:
    return [loop["HumanLoopName"] for loop in answer["HumanLoopSummaries"]]


def test_loop_is_in_progress_without_output(reviews: Reviews, flow: str) -> None:
    arn = reviews.start(flow)
    described = reviews.loop()
    assert (described["HumanLoopArn"], described["FlowDefinitionArn"]) == (arn, flow)
    assert described["HumanLoopStatus"] == "InProgress"
    assert "HumanLoopOutput" not in described


def test_loop_is_answered_again_when_started_with_the_same_input(reviews: Reviews, flow: str) -> None:
    assert reviews.start(flow) == reviews.start(flow)
    assert names(reviews.a2i.list_human_loops(FlowDefinitionArn=flow)) == ["loop"]


def test_conflict_is_raised_only_for_another_input_of_an_active_loop(reviews: Reviews, flow: str) -> None:
    reviews.start(flow)
    with pytest.raises(ClientError) as raised:
        reviews.start(flow, content={"other": 1})
    assert raised.value.response["Error"]["Code"] == "ConflictException"
    assert raised.value.response["ResponseMetadata"]["HTTPStatusCode"] == 409


def test_name_is_taken_across_flows(reviews: Reviews, flow: str) -> None:
    reviews.start(flow)
    with pytest.raises(ClientError, match="ConflictException"):
        reviews.start(reviews.flow("second"))


def test_name_is_free_in_another_region(reviews: Reviews, flow: str) -> None:
    reviews.start(flow)
    other = Reviews(reviews.aws, "eu-west-1")
    assert ":eu-west-1:" in other.start(other.flow(), content={"other": 1})


def test_ended_loop_keeps_its_name_until_it_is_deleted(reviews: Reviews, flow: str) -> None:
    arn = reviews.start(flow)
    reviews.a2i.stop_human_loop(HumanLoopName="loop")
    reviews.ended(status="Stopped")
    assert reviews.start(flow) == arn
    assert reviews.loop()["HumanLoopStatus"] == "Stopped"
    with pytest.raises(ClientError, match="delete it first"):
        reviews.start(flow, content={"other": 1})
    reviews.a2i.delete_human_loop(HumanLoopName="loop")
    reviews.start(flow, content={"taskObject": f"s3://{BUCKET}/x"})


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("Loop", {}, "failed to satisfy constraint"),
        ("loop-", {}, "failed to satisfy constraint"),
        ("a" * 64, {}, "failed to satisfy constraint"),
        ("loop", "{", "not valid JSON"),
        ("loop", "[]", "not a JSON object"),
        ("loop", '{"x": "\\ud800"}', "not valid JSON"),
        ("loop", '{"x": NaN}', "not valid JSON"),
        ("loop", '{"x": ' + "[" * 300 + "]" * 300 + "}", "250 levels"),
        ("loop", json.dumps({"x": "é" * 1_600_000}, ensure_ascii=False), "3200009 bytes"),
        ("loop", json.dumps({"x": "a" * 3_145_728}), "failed to satisfy constraint"),
    ],
    ids=[
        *("upper case", "hyphen at the end", "long name", "no JSON", "no object", "half a letter", "no number"),
        *("too many levels", "bytes", "characters"),
    ],
)
def test_loop_is_refused_when_the_request_is_wrong(
    reviews: Reviews, flow: str, name: str, content: object, says: str
) -> None:
    with pytest.raises(ClientError, match="ValidationException") as raised:
        reviews.start(flow, name, content)
    assert says in str(raised.value)


def test_loop_is_refused_when_the_flow_is_missing(reviews: Reviews) -> None:
    with pytest.raises(ClientError, match="does not exist"):
        reviews.start(MISSING_FLOW)


def test_loop_is_refused_when_the_flow_is_not_active(reviews: Reviews) -> None:
    reviews.aws.control.durations(flow_create=60)
    flow = reviews.create_flow("f", reviews.task_ui(), reviews.workteam())
    with pytest.raises(ClientError, match="is Initializing: it must be Active"):
        reviews.start(flow)


def test_loop_is_refused_when_the_flow_has_its_quota_in_flight(reviews: Reviews, flow: str) -> None:
    reviews.aws.control.quotas(loops_per_flow=1)
    reviews.start(flow, "first")
    with pytest.raises(ClientError, match="ServiceQuotaExceededException"):
        reviews.start(flow, "second")
    reviews.a2i.stop_human_loop(HumanLoopName="first")
    reviews.ended("first", "Stopped")
    reviews.start(flow, "second")


def test_loop_fails_when_its_template_cannot_be_rendered(reviews: Reviews, flow: str) -> None:
    reviews.start(flow, content={"taskObject": "https://example.org/a.png"})
    failed = reviews.ended(status="Failed")
    assert failed["FailureCode"] == "ValidationError"
    assert "Task failed to render: [ InvalidParameters" in failed["FailureReason"]
    assert "HumanLoopOutput" not in failed


def test_loop_expires_and_has_an_empty_output(reviews: Reviews) -> None:
    reviews.start(reviews.flow("brief", TaskAvailabilityLifetimeInSeconds=1))
    expired = reviews.ended(status="Failed")
    assert expired["FailureCode"] == "Expired"
    assert reviews.output()["humanAnswers"] == []


def test_loop_fails_when_its_output_cannot_be_written(reviews: Reviews) -> None:
    reviews.start(reviews.flow("f", output="s3://no-such-bucket/out", TaskAvailabilityLifetimeInSeconds=1))
    failed = reviews.ended(status="Failed")
    assert "no-such-bucket does not exist" in failed["FailureReason"]


def test_loop_fails_when_its_output_is_denied(reviews: Reviews, flow: str) -> None:
    reviews.start(flow)
    reviews.aws.control.denied({"bucket": BUCKET, "operation": "s3.PutObject"})
    reviews.aws.control.workforce(seconds=0)
    assert "Access denied: s3.PutObject" in reviews.ended(status="Failed")["FailureReason"]


def test_loop_is_stopping_and_then_stopped(reviews: Reviews, flow: str) -> None:
    reviews.aws.control.durations(loop_stop=0.3)
    reviews.start(flow)
    reviews.a2i.stop_human_loop(HumanLoopName="loop")
    assert reviews.loop()["HumanLoopStatus"] == "Stopping"
    reviews.ended(status="Stopped")
    with pytest.raises(ClientError, match="cannot be stopped"):
        reviews.a2i.stop_human_loop(HumanLoopName="loop")


def test_loop_is_deleted_only_when_it_has_ended(reviews: Reviews, flow: str) -> None:
    reviews.start(flow)
    with pytest.raises(ClientError, match="is InProgress: only a Failed, Completed or Stopped one"):
        reviews.a2i.delete_human_loop(HumanLoopName="loop")
    reviews.a2i.stop_human_loop(HumanLoopName="loop")
    reviews.ended(status="Stopped")
    reviews.a2i.delete_human_loop(HumanLoopName="loop")
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        reviews.loop()


@pytest.mark.parametrize("operation", ["describe_human_loop", "stop_human_loop", "delete_human_loop"])
def test_loop_is_not_found_when_it_was_never_started(reviews: Reviews, operation: str) -> None:
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        getattr(reviews.a2i, operation)(HumanLoopName="nope")


@pytest.mark.parametrize("order", ["Ascending", "Descending"])
def test_loops_are_paged_in_order_while_more_are_started(reviews: Reviews, flow: str, order: str) -> None:
    started = [f"loop-{number}" for number in range(5)]
    for name in started:
        reviews.start(flow, name)
    reviews.start(reviews.flow("other"), "elsewhere")
    found: list[str] = []
    request: dict[str, Any] = {"FlowDefinitionArn": flow, "SortOrder": order, "MaxResults": 2}
    while True:
        page = reviews.a2i.list_human_loops(**request)
        found += names(page)
        if "NextToken" not in page:
            break
        request["NextToken"] = page["NextToken"]
        if order == "Descending":
            reviews.start(flow, f"late-{len(found)}")
    assert found == (started if order == "Ascending" else started[::-1])


def test_loops_are_listed_within_a_time_window(reviews: Reviews, flow: str) -> None:
    for name in ("first", "second", "third"):
        reviews.start(flow, name)
    created = reviews.loop("second")["CreationTime"]
    listed = reviews.a2i.list_human_loops
    moment = dt.timedelta(microseconds=1)
    assert names(listed(FlowDefinitionArn=flow, CreationTimeAfter=created + moment)) == ["third"]
    assert names(listed(FlowDefinitionArn=flow, CreationTimeBefore=created - moment)) == ["first"]


def test_list_is_refused_when_the_flow_or_the_token_is_unknown(reviews: Reviews, flow: str) -> None:
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        reviews.a2i.list_human_loops(FlowDefinitionArn=MISSING_FLOW)
    with pytest.raises(ClientError, match="ValidationException"):
        reviews.a2i.list_human_loops(FlowDefinitionArn=flow, NextToken="nope")


def queue_for_events(aws: Aws, pattern: dict[str, Any]) -> str:
    """Return the URL of a queue that a rule on the default bus sends to."""
    sqs, events = aws.client("sqs"), aws.client("events")
    url = sqs.create_queue(QueueName="reviews")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    events.put_rule(Name="reviews", EventPattern=json.dumps(pattern))
    events.put_targets(Rule="reviews", Targets=[{"Id": "queue", "Arn": arn}])
    return str(url)


def test_event_reaches_a_queue_when_nobody_asks_for_the_loop(reviews: Reviews) -> None:
    pattern = {
        "source": ["aws.sagemaker"],
        "detail-type": ["SageMaker A2I HumanLoop Status Change"],
        "detail": {"humanLoopStatus": ["Failed"]},
    }
    url = queue_for_events(reviews.aws, pattern)
    arn = reviews.start(reviews.flow("brief", TaskAvailabilityLifetimeInSeconds=1))
    received = reviews.aws.client("sqs").receive_message(QueueUrl=url, WaitTimeSeconds=10)["Messages"]
    event = json.loads(received[0]["Body"])
    assert event["resources"] == [arn]
    assert event["detail"]["failureCode"] == "Expired"
    assert event["detail"]["humanLoopName"] == "loop"
    assert event["detail"]["humanLoopOutput"]["outputS3Uri"].endswith("/loop/output.json")


def test_loop_ends_when_the_event_has_no_queue_left(reviews: Reviews, flow: str) -> None:
    url = queue_for_events(reviews.aws, {"source": ["aws.sagemaker"]})
    reviews.aws.client("sqs").delete_queue(QueueUrl=url)
    reviews.start(flow)
    reviews.a2i.stop_human_loop(HumanLoopName="loop")
    reviews.ended(status="Stopped")


def test_calls_and_faults_know_the_runtime_by_its_operations(reviews: Reviews, flow: str) -> None:
    fault = {"operation": "sagemaker-a2i-runtime.StartHumanLoop", "kind": "throttle", "times": 1}
    reviews.aws.control.faults(fault)
    with pytest.raises(ClientError, match="ThrottlingException"):
        reviews.start(flow)
    reviews.start(flow)
    counts = reviews.aws.control.calls()["sagemaker-a2i-runtime.StartHumanLoop"]
    assert counts == {"calls": 2, "errors": {"ThrottlingException": 1}, "effects": 1}


def test_loops_end_once_when_reset_comes_between(reviews: Reviews, flow: str) -> None:
    reviews.start(flow)
    reviews.aws.control.reset()
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        reviews.loop()
    wait_for(lambda: reviews.sagemaker.list_flow_definitions()["FlowDefinitionSummaries"], [])
