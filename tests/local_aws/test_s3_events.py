"""S3 events name an object's key as AWS does: encoded for a URL, with its slashes as they are."""

from __future__ import annotations

import json

import pytest

from tests.local_aws.support import BUCKET, Aws


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("inbox/a.png", "inbox/a.png"),
        ("in box/Happy (1).png", "in+box/Happy+%281%29.png"),
        ("inbox/a+b%2F.png", "inbox/a%2Bb%252F.png"),
        ("größe/日.png", "gr%C3%B6%C3%9Fe/%E6%97%A5.png"),
    ],
    ids=["plain", "blanks", "plus and percent", "letters outside of ASCII"],
)
def test_event_has_the_key_encoded_when_an_object_is_put(aws: Aws, key: str, expected: str) -> None:
    queues = aws.client("sqs")
    queue = queues.create_queue(QueueName="events")["QueueUrl"]
    arn = queues.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    aws.s3.put_bucket_notification_configuration(
        Bucket=BUCKET,
        NotificationConfiguration={"QueueConfigurations": [{"QueueArn": arn, "Events": ["s3:ObjectCreated:*"]}]},
    )
    aws.put(key, b"x")
    keys = []
    while found := queues.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages"):
        events = [json.loads(message["Body"]) for message in found]
        keys += [record["s3"]["object"]["key"] for event in events for record in event.get("Records", [])]
    assert keys == [expected]
