"""A bucket's notifications are read as they were written, EventBridge included."""

from __future__ import annotations

from typing import Any

import pytest

from tests.local_aws.support import BUCKET, Aws

QUEUE = "arn:aws:sqs:us-east-1:123456789012:images"


@pytest.mark.parametrize("with_queue", [True, False])
@pytest.mark.parametrize("with_bridge", [True, False])
def test_a_configuration_is_read_as_it_was_written(aws: Aws, with_queue: bool, with_bridge: bool) -> None:
    aws.client("sqs").create_queue(QueueName="images")
    queues = [{"Id": "n", "QueueArn": QUEUE, "Events": ["s3:ObjectCreated:*"]}] if with_queue else []
    written: Any = {"QueueConfigurations": queues, **({"EventBridgeConfiguration": {}} if with_bridge else {})}
    aws.s3.put_bucket_notification_configuration(Bucket=BUCKET, NotificationConfiguration=written)

    read = aws.s3.get_bucket_notification_configuration(Bucket=BUCKET)

    assert ("EventBridgeConfiguration" in read) is with_bridge
    assert [each["QueueArn"] for each in read.get("QueueConfigurations", [])] == [QUEUE] * with_queue
