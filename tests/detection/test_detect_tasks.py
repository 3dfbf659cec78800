"""What the first step of the detect DAG decides: detect, start a version that is stopped first, or nothing."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from custom_labels.core.codec import from_json, to_json
from custom_labels.core.service_window import ServiceWindow
from custom_labels.deployment.deployment import Units
from custom_labels.detection.detect_tasks import START_SECONDS, collect_images
from custom_labels.detection.settings import DetectionSettings
from custom_labels.detection.work import Collected, NextStep, VersionToStart
from tests.kit.detect_runs import (
    announce,
    count_messages,
    count_visible,
    event,
    make_queues,
    point_to,
    put,
    train_versions,
)
from tests.kit.guard_runs import CLOSED, hold_deployment_lock, know
from tests.kit.support import BUCKET, s3
from tests.kit.task_contexts import default_settings, project_context

if TYPE_CHECKING:
    from include.local_aws.process import LocalAws

pytestmark = pytest.mark.slow


@pytest.fixture
def stopped(aws: LocalAws) -> str:
    """A version that is to serve and does not run; give the project's ARN."""
    make_queues(aws)
    s3(aws).create_bucket(Bucket=BUCKET)
    project = train_versions(aws, "v1")
    point_to(aws, project, "v1")
    return project


def collected(*, by_queue: bool = False, **settings: Any) -> Collected:
    asked = default_settings(DetectionSettings, **{"start_when_images_wait": True, **settings})
    ctx = project_context("digits_detect", triggered_by_queue_only=by_queue)
    found = collect_images(ctx, asked)
    assert from_json(Collected, to_json(found)) == found
    return found


def put_and_announce(aws: LocalAws, name: str) -> None:
    announce(aws, event(name, put(aws, name)))


def test_images_start_the_version_that_is_stopped_and_stay_ours_until_it_runs(aws: LocalAws, stopped: str) -> None:
    know("v1", minimum_inference_units=2)
    put_and_announce(aws, "a.png")

    found = collected(by_queue=True)

    assert found.choice is NextStep.START
    assert found.start == VersionToStart(stopped, "v1", Units(2))
    (batch,) = found.batches
    assert [image.key for item in batch.items or () for image in item.images] == ["images_for_detection/a.png"]
    assert (batch.units, batch.workers) == (2, 1)
    assert (count_visible(aws), count_messages(aws)) == (0, 1)
    assert START_SECONDS >= 3600


CLOSED_WINDOW = from_json(ServiceWindow, json.loads(CLOSED))


@pytest.mark.parametrize(
    ("settings", "is_locked", "why"),
    [
        ({"start_when_images_wait": False}, False, "'digits__start_when_images_wait' is off"),
        ({"service_window": CLOSED_WINDOW}, False, f"the service window ({CLOSED_WINDOW}) is closed"),
        ({}, True, "a deployment is under way: digits_train/another"),
    ],
    ids=["switched off", "outside the window", "during a deployment"],
)
def test_images_start_nothing_unless_all_is_as_it_should_be(
    aws: LocalAws, stopped: str, settings: dict[str, Any], is_locked: bool, why: str
) -> None:
    put_and_announce(aws, "a.png")
    if is_locked:
        hold_deployment_lock()

    found = collected(**settings)

    assert (found.choice, found.start, found.batches) == (NextStep.FINISH, None, ())
    assert found.trouble.partition("not RUNNING, and ")[2] == why
    assert count_visible(aws) == 1, "nothing is taken from the queue"


@pytest.mark.parametrize(
    "name", ["folder/", "notes.txt", None], ids=["a folder marker", "a text", "what it wrote itself"]
)
def test_no_version_is_started_for_money_when_only_these_are_announced(
    aws: LocalAws, stopped: str, name: str | None
) -> None:
    if name:
        announce(aws, event(name, put(aws, name, b"")))
    else:
        s3(aws).put_object(Bucket=BUCKET, Key="detections/a.png/x/v1.json", Body=b"{}")

    assert collected().trouble.endswith("and no image waits for it")


def test_many_images_lie_in_files_and_few_go_along(aws: LocalAws, stopped: str) -> None:
    for number in range(5):
        put(aws, f"{number}.png")

    along = collected()
    in_files = collected(detection_batch_images=2)

    assert [(batch.images, batch.items is None) for batch in along.batches] == [(5, False)]
    assert [(batch.images, batch.items is None) for batch in in_files.batches] == [(2, True), (2, True), (1, True)]
