"""Every status of a human loop that AWS's enum names, and one that it does not, as the review backend reads it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from custom_labels.review.review import ReviewState, ReviewStatus
from tests.contract.test_waiters import statuses
from tests.kit.review_project import ReviewProject, open_one, set_up_review
from tests.kit.review_requests import request_for

if TYPE_CHECKING:
    from include.local_aws.process import LocalAws

UNKNOWN = "SomethingNew"
REQUEST = request_for()
READ_AS = {
    "InProgress": ReviewStatus.OPEN,
    "Stopping": ReviewStatus.OPEN,
    "Completed": ReviewStatus.COMPLETED,
    "Failed": ReviewStatus.FAILED,
    "Stopped": ReviewStatus.STOPPED,
    UNKNOWN: ReviewStatus.UNKNOWN,
}


def test_every_status_of_a_loop_has_a_meaning() -> None:
    assert set(READ_AS) == {*statuses("sagemaker-a2i-runtime", "HumanLoopStatus"), UNKNOWN}


@pytest.fixture
def review_project(aws: LocalAws) -> ReviewProject:
    made = set_up_review(aws, (1,))
    open_one(made.backend, REQUEST)
    return made


def listed(review_project: ReviewProject) -> ReviewState:
    since = datetime.now(UTC) - timedelta(hours=1)
    found = [state for page in review_project.backend.states(since) for state in page]
    assert len(found) == 1
    return found[0]


def test_a_loop_is_read_alike_whether_it_is_described_or_listed(aws: LocalAws, review_project: ReviewProject) -> None:
    for status, read_as in READ_AS.items():
        aws.control.statuses({"resource": REQUEST.name, "status": status, "message": "AWS's own words."})
        for state in (review_project.backend.status(REQUEST.name), listed(review_project)):
            assert state is not None
            assert state.status is read_as
            assert state.answers_uri is None
            if read_as is ReviewStatus.FAILED:
                assert state.reason == "AWS's own words."
            if read_as is ReviewStatus.UNKNOWN:
                assert f"'{UNKNOWN}'" in state.reason


@pytest.mark.parametrize("status", READ_AS)
def test_only_a_loop_that_has_ended_for_sure_counts_as_ended(
    aws: LocalAws, review_project: ReviewProject, status: str
) -> None:
    aws.control.statuses({"resource": REQUEST.name, "status": status})

    assert listed(review_project).status.is_final is (status in {"Completed", "Failed", "Stopped"})
