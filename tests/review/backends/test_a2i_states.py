"""What has become of reviews: every status, in lists and in events, and where the answers are."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import botocore.session
import pytest

from custom_labels.aws.hooks.sagemaker import ReviewSetupHook
from custom_labels.review.backends.a2i.backend import A2IReviewBackend
from custom_labels.review.backends.a2i.events import EVENT
from custom_labels.review.backends.a2i.setup import A2ISetup, plan_review
from custom_labels.review.review import ReviewState, ReviewStatus
from tests.kit.review_project import (
    ReviewProject,
    make_request,
    open_one,
    since_long,
    stop,
    wait_until_ended,
    with_review,
)
from tests.kit.support import BUCKET, client, s3, wait_until

if TYPE_CHECKING:
    from include.local_aws.process import LocalAws


def change_setup(review_project: ReviewProject, **changes: Any) -> A2IReviewBackend:
    """Set review up as another project file would ask for it."""
    assert review_project.project.review is not None
    project = with_review(review_project.project, **changes)
    plan = plan_review(project, review_project.store, [1])
    setup = A2ISetup(project, review_project.store, ReviewSetupHook(region_name="us-east-1"), plan)
    setup.create()
    wait_until(lambda: {each.status for each in setup.describe().values()} == {"Active"})
    setup.record(setup.describe())
    return A2IReviewBackend(project, review_project.store)


def listed(backend: A2IReviewBackend) -> list[ReviewState]:
    return [state for page in backend.states(since_long()) for state in page]


def test_every_status_is_distinguished(aws: LocalAws, review_project: ReviewProject) -> None:
    assert review_project.backend.record.current, "it is read before another set-up is recorded"
    short_lived = change_setup(review_project, lifetime_hours=1 / 3600)
    expired, stopped, waiting = (make_request(aws, number) for number in (1, 2, 3))
    failed = make_request(aws, 4, image="no address of an image")
    answered = make_request(aws, 5)
    open_one(short_lived, expired)
    for request in (stopped, waiting, failed):
        open_one(review_project.backend, request)
    stop(review_project, stopped.name)
    wait_until_ended(review_project, expired.name, stopped.name, failed.name)
    aws.control.workforce(seconds=0, workers=1)
    open_one(review_project.backend, answered)
    wait_until_ended(review_project, answered.name, waiting.name)
    aws.control.dismiss_workforce()
    still_open = make_request(aws, 6)
    open_one(review_project.backend, still_open)

    found = {state.name: state for state in listed(short_lived)}

    assert {name: state.status for name, state in found.items()} == {
        expired.name: ReviewStatus.EXPIRED,
        stopped.name: ReviewStatus.STOPPED,
        waiting.name: ReviewStatus.COMPLETED,
        failed.name: ReviewStatus.FAILED,
        answered.name: ReviewStatus.COMPLETED,
        still_open.name: ReviewStatus.OPEN,
    }
    assert "TaskAvailabilityLifetimeInSeconds" in found[expired.name].reason
    assert "not a valid S3 URI" in found[failed.name].reason
    assert found[failed.name].answers_uri is None
    assert short_lived.answers(found[failed.name]) is None
    for name in (expired.name, stopped.name):
        empty = short_lived.answers(found[name])
        assert empty is not None
        assert empty.answers == ()


def test_reviews_of_all_flows_come_oldest_first(aws: LocalAws, review_project: ReviewProject) -> None:
    requests = [make_request(aws, number, reviewers=1 + number % 3) for number in range(9)]
    for request in requests:
        open_one(review_project.backend, request)

    states = listed(review_project.backend)

    assert [state.name for state in states] == [request.name for request in requests]
    assert [state.created_at for state in states] == sorted(state.created_at for state in states)


def test_reviews_opened_with_a_replaced_page_are_still_found(aws: LocalAws, review_project: ReviewProject) -> None:
    old, new = make_request(aws, 1), make_request(aws, 2)
    open_one(review_project.backend, old)

    changed = change_setup(review_project, instructions="Look twice.")
    open_one(changed, new)

    assert changed.record.flow_for(1) != review_project.backend.record.flow_for(1)
    assert [state.name for state in listed(changed)] == [old.name, new.name]


def test_reviews_from_before_the_moment_are_left_out(aws: LocalAws, review_project: ReviewProject) -> None:
    open_one(review_project.backend, make_request(aws))

    assert list(review_project.backend.states(datetime.now(UTC) + timedelta(seconds=5))) == []


@pytest.mark.slow
def test_a_hundred_and_fifty_finished_reviews_cost_a_handful_of_calls(
    aws: LocalAws, review_project: ReviewProject
) -> None:
    aws.control.workforce(seconds=0)
    requests = [make_request(aws, number) for number in range(150)]
    for request in requests:
        open_one(review_project.backend, request)
    wait_until_ended(review_project, *(request.name for request in requests))
    aws.control.clear_calls()

    pages = list(review_project.backend.states(since_long()))

    assert [len(page) for page in pages] == [100, 50]
    assert all(state.answers_uri for page in pages for state in page)
    calls = {name: counts["calls"] for name, counts in aws.control.calls().items()}
    # Three flows, two of them empty.
    assert calls == {"sagemaker-a2i-runtime.ListHumanLoops": 4, "s3.ListObjectsV2": 1}


def test_answers_that_the_list_of_outputs_lacks_are_described(aws: LocalAws, review_project: ReviewProject) -> None:
    aws.control.workforce(seconds=0)
    request = make_request(aws)
    open_one(review_project.backend, request)
    wait_until_ended(review_project, request.name)
    (state,) = listed(review_project.backend)
    s3(aws).delete_object(Bucket=BUCKET, Key=str(state.answers_uri).removeprefix(f"s3://{BUCKET}/"))

    (again,) = listed(review_project.backend)

    assert again == state
    assert review_project.backend.answers(again) is None


def test_a_flow_that_cannot_be_listed_does_not_hide_the_others(aws: LocalAws, review_project: ReviewProject) -> None:
    request = make_request(aws)
    open_one(review_project.backend, request)
    unused = next(flow for flow in review_project.backend.record.flows if flow.reviewers == 3)
    client(aws, "sagemaker").delete_flow_definition(FlowDefinitionName=unused.name)
    wait_until(lambda: ReviewSetupHook(region_name="us-east-1").describe_flow(unused.name).status is None)

    assert [state.name for state in listed(review_project.backend)] == [request.name]


def test_every_status_of_the_api_is_known() -> None:
    from custom_labels.review.backends.a2i.backend import _STATUSES

    model: Any = botocore.session.get_session().get_service_model("sagemaker-a2i-runtime")

    assert set(_STATUSES) == set(model.shape_for("HumanLoopStatus").enum)


def test_a_status_that_nobody_knows_is_never_guessed_at(aws: LocalAws, review_project: ReviewProject) -> None:
    state = review_project.backend.state_from_event(event(review_project, humanLoopStatus="Deleting"))

    assert state is not None
    assert (state.status, state.status.is_final) == (ReviewStatus.UNKNOWN, False)
    assert "'Deleting'" in state.reason


# -- events ----------------------------------------------------------------------------------------


def event(review_project: ReviewProject, **changes: Any) -> dict[str, Any]:
    flow = review_project.backend.record.flows[0]
    detail = {
        "creationTime": "2026-11-20T12:00:00.500Z",
        "failureCode": None,
        "failureReason": None,
        "flowDefinitionArn": flow.arn,
        "humanLoopArn": "arn:aws:sagemaker:us-east-1:123456789012:human-loop/digits-1",
        "humanLoopName": "digits-1",
        "humanLoopOutput": {"outputS3Uri": f"{flow.output}/{flow.name}/2026/11/20/12/00/00/digits-1/output.json"},
        "humanLoopStatus": "Completed",
    }
    return {"source": "aws.sagemaker", "detail-type": EVENT, "detail": {**detail, **changes}}


def test_an_event_from_the_queue_says_what_the_list_says(aws: LocalAws, review_project: ReviewProject) -> None:
    aws.control.workforce(seconds=0)
    request = make_request(aws)
    open_one(review_project.backend, request)
    wait_until_ended(review_project, request.name)
    (message,) = client(aws, "sqs").receive_message(QueueUrl=review_project.queues["reviews"])["Messages"]
    (state,) = listed(review_project.backend)

    by_event = review_project.backend.state_from_event(json.loads(message["Body"]))

    assert by_event is not None
    # The event's time has milliseconds, the list's has more.
    assert (by_event.name, by_event.status, by_event.answers_uri) == (state.name, state.status, state.answers_uri)
    assert abs(datetime.fromisoformat(by_event.created_at) - datetime.fromisoformat(state.created_at)) < timedelta(
        milliseconds=1
    )


@pytest.mark.parametrize(
    ("status", "code", "expected"),
    [
        ("Completed", None, ReviewStatus.COMPLETED),
        ("Stopped", None, ReviewStatus.STOPPED),
        ("Failed", "Expired", ReviewStatus.EXPIRED),
        ("Failed", "ValidationError", ReviewStatus.FAILED),
        ("Failed", None, ReviewStatus.FAILED),
    ],
)
def test_an_event_has_the_status(
    review_project: ReviewProject, status: str, code: str | None, expected: ReviewStatus
) -> None:
    state = review_project.backend.state_from_event(event(review_project, humanLoopStatus=status, failureCode=code))

    assert state is not None
    assert state.status is expected
    assert state.created_at == "2026-11-20T12:00:00.500000+00:00"


def test_an_event_without_output_has_no_answers(review_project: ReviewProject) -> None:
    state = review_project.backend.state_from_event(
        event(review_project, humanLoopStatus="Failed", humanLoopOutput=None)
    )

    assert state is not None
    assert state.answers_uri is None


@pytest.mark.parametrize(
    "changes",
    [
        {"flowDefinitionArn": "arn:aws:sagemaker:us-east-1:123456789012:flow-definition/another"},
        {"flowDefinitionArn": ["a list"]},
        {"humanLoopOutput": {"outputS3Uri": "s3://another-bucket/a2i-human-loop-data/f/output.json"}},
        {"humanLoopOutput": {"outputS3Uri": f"s3://{BUCKET}/registry/live.json"}},
        {"humanLoopOutput": {"outputS3Uri": f"s3://{BUCKET}/a2i-human-loop-data/../registry/live.json"}},
        {"humanLoopOutput": "no object"},
        {"creationTime": "yesterday"},
        {"creationTime": None},
    ],
    ids=str,
)
def test_an_event_that_is_not_ours_or_cannot_be_read_is_left_out(
    review_project: ReviewProject, changes: dict[str, Any]
) -> None:
    assert review_project.backend.state_from_event(event(review_project, **changes)) is None


@pytest.mark.parametrize(
    "body",
    [{}, {"source": "aws.s3"}, {"source": "aws.sagemaker", "detail-type": EVENT, "detail": "text"}, {"Records": []}],
    ids=str,
)
def test_another_message_is_left_out(review_project: ReviewProject, body: dict[str, Any]) -> None:
    assert review_project.backend.state_from_event(body) is None


def test_what_is_cancelled_is_answered_by_nobody_any_more(aws: LocalAws, review_project: ReviewProject) -> None:
    waiting, ended = make_request(aws, 1), make_request(aws, 2)
    for request in (waiting, ended):
        open_one(review_project.backend, request)
    stop(review_project, ended.name)
    wait_until_ended(review_project, ended.name)

    review_project.backend.cancel([waiting.name, ended.name, "digits-unknown-r1"])
    wait_until_ended(review_project, waiting.name)

    assert {state.name: state.status for state in listed(review_project.backend)} == {
        waiting.name: ReviewStatus.STOPPED,
        ended.name: ReviewStatus.STOPPED,
    }
