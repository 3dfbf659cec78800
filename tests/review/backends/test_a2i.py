"""Reviews at Amazon A2I: opened once each, whatever is repeated, lost or refused, and answered."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import pytest

from custom_labels.core.codec import from_json, to_json
from custom_labels.core.settings import load_project
from custom_labels.review.backends.a2i.backend import A2IReviewBackend, loop_input
from custom_labels.review.backends.base import ReviewBackendError, ReviewBackendFull, ReviewBackendNotReady
from custom_labels.review.backends.registry import make_backend
from custom_labels.review.review import ReviewRequest, ReviewStatus
from tests.kit.review_project import (
    ReviewProject,
    loops,
    make_request,
    make_store,
    open_one,
    set_up_surroundings,
    since_long,
    stop,
    wait_until_ended,
)
from tests.kit.review_requests import labels_of
from tests.kit.support import client

if TYPE_CHECKING:
    from include.local_aws.process import LocalAws


def test_an_answer_comes_back_with_its_question(aws: LocalAws, review_project: ReviewProject) -> None:
    aws.control.workforce(seconds=0)
    request = make_request(aws)

    assert open_one(review_project.backend, request)
    wait_until_ended(review_project, request.name)
    ((state,),) = review_project.backend.states(since_long())
    answered = review_project.backend.answers(state)

    assert (state.name, state.status) == (request.name, ReviewStatus.COMPLETED)
    assert answered is not None
    assert answered.request == request
    assert labels_of(answered) == ["rows"]


def test_a_review_costs_one_call_to_open_and_one_to_read(aws: LocalAws, review_project: ReviewProject) -> None:
    aws.control.workforce(seconds=0)
    request, warm_up = make_request(aws, 1), make_request(aws, 2)
    open_one(review_project.backend, warm_up)
    aws.control.clear_calls()

    open_one(review_project.backend, request)
    opening = {name: counts["calls"] for name, counts in aws.control.calls().items()}
    wait_until_ended(review_project, request.name, warm_up.name)
    (page,) = review_project.backend.states(since_long())
    aws.control.clear_calls()
    for state in page:
        review_project.backend.answers(state)

    assert opening == {"sagemaker-a2i-runtime.StartHumanLoop": 1}
    assert {name: counts["calls"] for name, counts in aws.control.calls().items()} == {"s3.GetObject": 2}


def test_three_people_are_asked_where_the_request_says_so(aws: LocalAws, review_project: ReviewProject) -> None:
    aws.control.workforce(seconds=0)
    request = make_request(aws, reviewers=3)

    open_one(review_project.backend, request)
    wait_until_ended(review_project, request.name)
    answered = review_project.backend.answers(next(review_project.backend.states(since_long()))[0])

    assert answered is not None
    assert len({answer.reviewer for answer in answered.answers}) == 3


def other_labels(request: ReviewRequest) -> ReviewRequest:
    return replace(request, labels=("another",))


def other_flow(request: ReviewRequest) -> ReviewRequest:
    return replace(request, reviewers=2)


@pytest.mark.parametrize("has_ended", [False, True], ids=["open", "ended"])
@pytest.mark.parametrize("change", [other_labels, other_flow])
def test_a_review_that_was_opened_with_another_question_is_adopted(
    aws: LocalAws, review_project: ReviewProject, change: Callable[[ReviewRequest], ReviewRequest], has_ended: bool
) -> None:
    request = make_request(aws)
    open_one(review_project.backend, request)
    if has_ended:
        stop(review_project, request.name)
        wait_until_ended(review_project, request.name)

    assert open_one(review_project.backend, change(request)) is False
    assert len(loops(review_project)) == 1


def test_opening_again_makes_no_second_review(aws: LocalAws, review_project: ReviewProject) -> None:
    request = make_request(aws)

    open_one(review_project.backend, request)
    open_one(A2IReviewBackend(review_project.project, review_project.store), request)

    assert len(loops(review_project)) == 1


@pytest.mark.usefixtures("short_retries")
@pytest.mark.parametrize("kind", ["lost_response", "throttle", "error"])
def test_a_call_in_trouble_opens_one_review(aws: LocalAws, review_project: ReviewProject, kind: str) -> None:
    aws.control.faults({"operation": "sagemaker-a2i-runtime.StartHumanLoop", "kind": kind, "times": 3})

    assert open_one(review_project.backend, make_request(aws))
    assert len(loops(review_project)) == 1


@pytest.mark.usefixtures("short_retries")
def test_several_threads_open_each_review_once(aws: LocalAws, review_project: ReviewProject) -> None:
    requests = [make_request(aws, number) for number in range(20)]
    fault = {"operation": "sagemaker-a2i-runtime.StartHumanLoop", "share": 0.3}
    aws.control.faults({**fault, "kind": "throttle"}, {**fault, "kind": "lost_response"})

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(partial(open_one, review_project.backend), [*requests, *requests]))

    assert sorted(loops(review_project)) == sorted(request.name for request in requests)


def test_a_full_flow_says_so(aws: LocalAws, review_project: ReviewProject) -> None:
    aws.control.quotas(loops_per_flow=1)
    open_one(review_project.backend, make_request(aws, 1))

    with pytest.raises(ReviewBackendFull, match=r"waits until people have answered"):
        open_one(review_project.backend, make_request(aws, 2))


def test_nothing_is_opened_before_the_set_up(aws: LocalAws) -> None:
    set_up_surroundings(aws)
    request = make_request(aws)
    project = load_project("digits")

    with pytest.raises(ReviewBackendNotReady, match=r"no flow that asks 1 people.*Trigger digits_bootstrap"):
        open_one(make_backend(project, make_store(project)), request)


def test_a_project_without_reviewers_has_no_backend(aws: LocalAws, review_project: ReviewProject) -> None:
    project = review_project.project.model_copy(update={"review": None})

    with pytest.raises(ReviewBackendNotReady, match=r"'review' is missing in digits.yaml"):
        make_backend(project, review_project.store)


def test_a_flow_that_is_gone_says_so(aws: LocalAws, review_project: ReviewProject) -> None:
    for flow in review_project.backend.record.flows:
        client(aws, "sagemaker").delete_flow_definition(FlowDefinitionName=flow.name)

    with pytest.raises(ReviewBackendNotReady, match=r"is gone instead of Active.*Trigger digits_bootstrap"):
        open_one(review_project.backend, make_request(aws))


def test_a_refusal_keeps_the_words_of_aws(aws: LocalAws, review_project: ReviewProject) -> None:
    request = make_request(aws, labels=("é" * 1_600_000,))

    with pytest.raises(ReviewBackendError, match=r"InputContent has .* bytes; the limit is 3145728.*connection is"):
        open_one(review_project.backend, request)


def test_equal_requests_are_equal_bytes(aws: LocalAws, review_project: ReviewProject) -> None:
    request = make_request(aws, label="rows")
    again = from_json(ReviewRequest, dict(reversed(to_json(request).items())))

    assert loop_input(again) == loop_input(request)
