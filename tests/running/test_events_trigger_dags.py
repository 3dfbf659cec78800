"""What happens at AWS triggers DAGs: S3's event in a queue, seen by the triggerer, makes a run."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest

from custom_labels.detection.announcement_trigger import INSPECT_SECONDS
from tests.kit.support import BUCKET, client, picture, s3
from tests.running.conftest import FINAL, Running, wait_for

pytestmark = [pytest.mark.slow, pytest.mark.matrix, pytest.mark.xdist_group("running")]

QUEUE = f"{BUCKET}-detections"


def test_an_image_triggers_the_detect_dag(running: Running) -> None:
    running.api.unpause("digits_detect")
    running.ended("digits_detect", lambda run: run["run_type"] == "scheduled")

    s3(running.aws).put_object(
        Bucket=BUCKET, Key="images_for_detection/new image.png", Body=picture("rows", 1), ContentType="image/png"
    )

    run = running.ended("digits_detect", lambda run: run["run_type"] == "asset_triggered", seconds=60)
    assert run["state"] == "success"
    assert "no version was deployed yet" in run["note"]


@pytest.fixture
def wide(running: Running) -> Iterator[str]:
    """A bucket that announces every object to the queue of new images, which is empty; give the queue's URL."""
    before: Any = s3(running.aws).get_bucket_notification_configuration(Bucket=BUCKET)
    found: Any = {"QueueConfigurations": before["QueueConfigurations"]}
    every: Any = [
        {name: value for name, value in each.items() if name != "Filter"} for each in found["QueueConfigurations"]
    ]
    s3(running.aws).put_bucket_notification_configuration(
        Bucket=BUCKET, NotificationConfiguration={"QueueConfigurations": every}
    )
    url = client(running.aws, "sqs").get_queue_url(QueueName=QUEUE)["QueueUrl"]
    client(running.aws, "sqs").purge_queue(QueueUrl=url)
    yield str(url)
    s3(running.aws).put_bucket_notification_configuration(Bucket=BUCKET, NotificationConfiguration=found)


@pytest.mark.timeout(900)
def test_what_the_project_writes_itself_makes_no_run(running: Running, wide: str) -> None:
    """No version serves, so that no run takes a message: what is gone from the queue, the trigger has deleted."""
    running.api.unpause("digits_detect")
    running.ended("digits_detect", lambda run: run["run_type"] == "scheduled")

    def is_empty() -> bool:
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        found = client(running.aws, "sqs").get_queue_attributes(QueueUrl=wide, AttributeNames=names)["Attributes"]
        return all(found[name] == "0" for name in names)

    def write(number: int) -> None:
        s3(running.aws).put_object(Bucket=BUCKET, Key=f"detections/{number}.json", Body=b"{}")

    def runs_by_event() -> int:
        return sum(run["run_type"] == "asset_triggered" for run in running.runs("digits_detect"))

    time.sleep(INSPECT_SECONDS + 1)  # so long the trigger believes what it found of the notification before
    wait_for(lambda: all(run["state"] in FINAL for run in running.runs("digits_detect")), 150)
    before = runs_by_event()
    for number in range(10):
        write(number)
        time.sleep(2)
    wait_for(is_empty, 60)
    time.sleep(15)

    assert runs_by_event() == before
