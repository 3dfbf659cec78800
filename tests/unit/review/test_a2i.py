"""Reviews at Amazon A2I, from opening to reading the answers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from custom_labels.domain.review import ReviewStatus
from tests.review_support import ReviewPlace, make_request, set_up_review, wait_until_ended

if TYPE_CHECKING:
    from include.local_aws.process import LocalAws


@pytest.fixture
def place(aws: LocalAws) -> ReviewPlace:
    return set_up_review(aws)


def started(aws: LocalAws) -> int:
    return int(aws.control.calls()["sagemaker-a2i-runtime.StartHumanLoop"]["effects"])


def test_an_answer_comes_back_with_its_question(aws: LocalAws, place: ReviewPlace) -> None:
    aws.control.workforce(seconds=0)
    request = make_request(aws)

    assert place.backend.open(request)
    wait_until_ended(place, request.name)
    ((state,),) = place.backend.states(datetime.now(UTC) - timedelta(hours=1))
    answered = place.backend.answers(state)

    assert (state.name, state.status) == (request.name, ReviewStatus.COMPLETED)
    assert answered is not None
    assert answered.request == request
    assert [answer.label for answer in answered.answers] == ["rows"]
