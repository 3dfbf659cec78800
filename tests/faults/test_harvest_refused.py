"""Throttling and lost answers while answers are harvested: slower, and nothing is lost or done twice."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.kit.harvests import Harvest, ask, copies, fates, keys, ledger, messages
from tests.kit.review_project import ReviewProject, loops, make_request, set_up_review, stop, wait_until_ended

if TYPE_CHECKING:
    from include.local_aws.process import LocalAws

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("short_retries")]

IMAGES, STOPPED = 12, 3
A2I = "sagemaker-a2i-runtime"


@pytest.fixture
def answered(aws: LocalAws, monkeypatch: pytest.MonkeyPatch) -> ReviewProject:
    """Images that people have labelled, and some whose reviews were stopped, which ask for a further round."""
    monkeypatch.setattr("custom_labels.s3.store.LONGEST_PAUSE", 0.3)
    monkeypatch.setattr("custom_labels.review.backends.one_by_one.LONGEST_PAUSE", 0.3)
    review_project = set_up_review(aws, reviewers=(1,))
    asked = [make_request(aws, number) for number in range(IMAGES + STOPPED)]
    ask(review_project, *asked[IMAGES:])
    for request in asked[IMAGES:]:
        stop(review_project, request.name)
    wait_until_ended(review_project, *(request.name for request in asked[IMAGES:]))
    aws.control.workforce(seconds=0)
    ask(review_project, *asked[:IMAGES])
    wait_until_ended(review_project, *(request.name for request in asked[:IMAGES]))
    aws.control.dismiss_workforce()
    return review_project


def assert_all_is_harvested_once(aws: LocalAws, review_project: ReviewProject) -> None:
    aws.control.faults()
    assert copies(aws) == ["rows"] * IMAGES
    assert sorted(fates(aws)) == ["asked_again"] * STOPPED + ["copied"] * IMAGES
    assert len({line["review"] for line in ledger(aws)}) == IMAGES + STOPPED
    assert len(loops(review_project)) == len(set(loops(review_project))) == IMAGES + 2 * STOPPED
    assert messages(aws, review_project) == 0
    for work in ("waiting", "harvest_work"):
        assert keys(aws, f"reviews/{work}/") == []


@pytest.mark.parametrize(
    ("operation", "share"),
    [("s3.CopyObject", 0.5), ("s3.CopyObject", 0.9), (f"{A2I}.*", 0.5), (f"{A2I}.*", 0.9), ("s3.*Object*", 0.5)],
)
def test_all_is_harvested_when_calls_are_throttled(
    aws: LocalAws, answered: ReviewProject, operation: str, share: float
) -> None:
    aws.control.faults({"operation": operation, "kind": "throttle", "share": share})

    Harvest(answered).run()

    assert_all_is_harvested_once(aws, answered)


@pytest.mark.parametrize(
    "operation",
    ["s3.CopyObject", "s3.PutObject", "s3.DeleteObject", f"{A2I}.StartHumanLoop", "sqs.DeleteMessageBatch"],
)
def test_nothing_is_done_twice_when_answers_are_lost_of(aws: LocalAws, answered: ReviewProject, operation: str) -> None:
    aws.control.faults({"operation": operation, "kind": "lost_response", "times": 4})

    Harvest(answered).run()

    assert_all_is_harvested_once(aws, answered)


@pytest.mark.parametrize(
    "fault",
    [{"operation": "s3.*", "kind": "error", "share": 0.1}, {"operation": "*", "kind": "throttle", "share": 0.5}],
    ids=["a tenth of all calls of S3 fail", "half of all calls are throttled"],
)
def test_all_is_harvested_when(aws: LocalAws, answered: ReviewProject, fault: dict[str, Any]) -> None:
    aws.control.faults(fault)

    Harvest(answered).run()

    assert_all_is_harvested_once(aws, answered)
