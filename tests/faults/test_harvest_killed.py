"""A worker killed with SIGKILL in the middle of a harvest: the next run brings it to its end, nothing is doubled."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.dags.running import Variables
from tests.faults.killed import Airflow
from tests.harvest_support import ask, copies, end_of, fates, harvest, keys, ledger
from tests.review_support import ReviewPlace, loops, make_request, set_up_review, wait_until_ended

if TYPE_CHECKING:
    from include.local_aws.process import LocalAws

pytestmark = pytest.mark.slow

Happened = Callable[["LocalAws"], bool]
IMAGES, STOPPED = 60, 3


@pytest.fixture
def answered(digits: LocalAws, variables: Variables) -> ReviewPlace:
    """More images than a chunk that people have labelled; reviews that were stopped, which ask for a further round."""
    variables.set(enable_automatic_training="false")
    place = set_up_review(digits, reviewers=(1,))
    asked = [make_request(digits, number) for number in range(IMAGES + STOPPED)]
    ask(place, *asked[IMAGES:])
    for request in asked[IMAGES:]:
        place.backend.cancel(request.name)
    digits.control.workforce(seconds=0)
    ask(place, *asked[:IMAGES])
    wait_until_ended(place, *(request.name for request in asked))
    digits.control.dismiss_workforce()
    return place


def found(aws: LocalAws) -> bool:
    """It is written down what there is to harvest."""
    return bool(keys(aws, "reviews/harvest_work/"))


def decided(aws: LocalAws) -> bool:
    """Answers were read and decided upon, and no image copied."""
    return bool(keys(aws, "reviews/unfinished/"))


def copied(aws: LocalAws) -> bool:
    """Some images are copied, and the ledger has none."""
    return len(copies(aws)) >= 3


def on_record(aws: LocalAws) -> bool:
    """A chunk is in the ledger, and its messages are not deleted yet."""
    return bool(keys(aws, "reviews/harvested/"))


def second_round_opened(aws: LocalAws) -> bool:
    """One more person was asked, and that is not on record yet."""
    return int(aws.control.calls()["sagemaker-a2i-runtime.StartHumanLoop"]["effects"]) > IMAGES + STOPPED


@pytest.mark.parametrize(
    "happened", [found, decided, copied, on_record, second_round_opened], ids=lambda one: one.__name__
)
def test_every_image_is_copied_once_when_a_worker_is_killed(
    aws: LocalAws, answered: ReviewPlace, tmp_path: Path, happened: Happened
) -> None:
    slow = ("s3.CopyObject", "s3.DeleteObject", "sqs.DeleteMessageBatch", "sagemaker-a2i-runtime.StartHumanLoop")
    aws.control.faults(*({"operation": name, "kind": "slow", "seconds": 0.5} for name in slow))
    with Airflow(tmp_path, aws.endpoint_url, "harvest_reviews") as airflow:
        airflow.kill_when(lambda: happened(aws))
    aws.control.faults()

    run = harvest()

    assert run.state == "success", run
    assert copies(aws) == ["rows"] * IMAGES
    assert sorted(fates(aws)) == ["asked_again"] * STOPPED + ["copied"] * IMAGES
    assert len({line["review"] for line in ledger(aws)}) == IMAGES + STOPPED
    assert len(loops(answered)) == len(set(loops(answered))) == IMAGES + 2 * STOPPED
    assert keys(aws, "reviews/waiting/") == keys(aws, "reviews/unfinished/") == []
    assert end_of(harvest()) == ("success", "nothing_to_harvest")
