"""A bucket that announces every object to the project's queues: what the project writes itself makes no further run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.kit.dag_runs import Variables, record, trigger_by_queue
from tests.kit.detect_runs import (
    count_messages,
    detect,
    end_of,
    make_queues,
    put,
    results,
    serve,
)
from tests.kit.queue_events import events_of, queue_trigger
from tests.kit.support import BUCKET, client, s3

if TYPE_CHECKING:
    from include.local_aws.process import LocalAws

pytestmark = pytest.mark.slow

NEVER_SECONDS = 1000


@pytest.fixture
def bucket(digits: LocalAws, variables: Variables) -> LocalAws:
    """A project whose bucket announces all that is written to it to the queue of new images."""
    variables.set(detections_per_unit_second=1000, enable_a2i_workflow="false", minimum_label_detection_confidence=0)
    make_queues(digits)
    s3(digits).create_bucket(Bucket=BUCKET)
    arn = f"arn:aws:sqs:us-east-1:123456789012:{BUCKET}-detections"
    notification: Any = {"QueueConfigurations": [{"QueueArn": arn, "Events": ["s3:ObjectCreated:*"]}]}
    s3(digits).put_bucket_notification_configuration(Bucket=BUCKET, NotificationConfiguration=notification)
    return digits


def fired(aws: LocalAws) -> int:
    """Count how often the queue's trigger, begun anew, fires by what lies in the queue now."""
    url = client(aws, "sqs").get_queue_url(QueueName=f"{BUCKET}-detections")["QueueUrl"]
    return len(events_of(aws, queue_trigger(url, bucket=BUCKET, busy_seconds=NEVER_SECONDS)).fired)


def test_one_image_makes_one_run_when_the_notification_has_no_prefix(
    bucket: LocalAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    trigger_by_queue(monkeypatch)
    serve(bucket)
    assert (fired(bucket), count_messages(bucket)) == (0, 0), "training wrote dozens of objects"
    put(bucket, "a.png")
    assert fired(bucket) == 1

    run = detect()

    assert (end_of(run), len(results(bucket))) == (("success", "detected"), 1)
    assert (fired(bucket), count_messages(bucket), count_messages(bucket, "dead-letters")) == (0, 0, 0)


def test_own_writes_are_counted_and_no_dead_letters_when_a_run_meets_them(bucket: LocalAws) -> None:
    serve(bucket)
    put(bucket, "a.png")

    run = detect()

    facts = record(bucket, "last_run/digits_detect")["facts"]
    assert end_of(run) == ("success", "detected")
    assert facts["Objects outside the inbox"] > 10
    assert facts["Images"] == 1
    assert count_messages(bucket, "dead-letters") == 0
