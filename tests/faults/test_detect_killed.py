"""A worker killed with SIGKILL in the middle of a detection run: one result and one review each, nothing is lost."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.dags.detect_support import count_messages, detect, end_of, keys, put, results, serve
from tests.dags.running import Variables
from tests.faults.killed import Airflow
from tests.review_support import ReviewPlace, set_up_review
from tests.support import effects, picture

if TYPE_CHECKING:
    from include.local_aws.process import LocalAws

pytestmark = pytest.mark.slow

Happened = Callable[["LocalAws"], bool]
NAMES = [f"{number}.png" for number in range(6)]
VISIBLE_AGAIN_SECONDS = 8


@pytest.fixture
def doubt(digits: LocalAws, variables: Variables) -> tuple[LocalAws, ReviewPlace]:
    """A version that serves, and people who are asked about everything it says."""
    variables.set(detections_per_unit_second=4, minimum_label_detection_confidence=100)
    place = set_up_review(digits, reviewers=(1,))
    serve(digits)
    return digits, place


def received(aws: LocalAws) -> bool:
    """Messages were taken and nothing was planned yet."""
    return int(aws.control.calls().get("sqs.ReceiveMessage", {}).get("effects", 0)) > 0


def asking(aws: LocalAws) -> bool:
    """Some images were put to the version."""
    return effects(aws, "DetectCustomLabels") >= 2


def asked_for(aws: LocalAws) -> bool:
    """Reviews were asked for; results may not be written yet."""
    return bool(keys(aws, "reviews/waiting/"))


def written(aws: LocalAws) -> bool:
    """All results are written, and the messages not deleted yet."""
    return len(keys(aws, "detections/")) == len(NAMES)


@pytest.mark.parametrize("happened", [received, asking, asked_for, written], ids=lambda one: one.__name__)
def test_every_image_has_one_result_and_one_review_when_a_worker_is_killed(
    doubt: tuple[LocalAws, ReviewPlace], tmp_path: Path, happened: Happened
) -> None:
    aws, place = doubt
    aws.control.clear_calls()
    for number, name in enumerate(NAMES):  # S3 announces them: set_up_review has set up its notifications
        put(aws, name, picture("rows", number))
    aws.control.faults({"operation": "sqs.DeleteMessageBatch", "kind": "slow", "seconds": 3})
    with Airflow(tmp_path, aws.endpoint_url, "detect", visibility_seconds=VISIBLE_AGAIN_SECONDS) as airflow:
        airflow.kill_when(lambda: happened(aws))
    aws.control.faults()
    left = count_messages(aws)
    time.sleep(VISIBLE_AGAIN_SECONDS)

    run = detect()

    assert left >= len(NAMES)
    assert end_of(run)[0] == "success"
    found = [(each["key"], each["etag"]) for each in results(aws)]
    assert len(found) == len(set(found)) == len(NAMES)
    assert count_messages(aws) == 0
    assert len(loops(place)) == len(set(loops(place))) == len(NAMES)
    assert keys(aws, "reviews/waiting/") == []


def loops(place: ReviewPlace) -> list[str]:
    since = datetime.now(UTC) - timedelta(hours=1)
    return [state.name for page in place.backend.states(since) for state in page]
