"""Notifications of a bucket and rules of EventBridge: what they send to a project's queues, and what is wrong."""

from __future__ import annotations

from typing import Any

import pytest

from custom_labels.detection.announcement_trigger import ANSWERS
from custom_labels.detection.notifications import EVERY_CREATION, matches, may_send_own_objects, routes_of

QUEUE = "arn:aws:sqs:us-east-1:123456789012:digits-detections"
INBOX = "images_for_detection/"


def queue(prefix: str | None = INBOX, suffix: str | None = None, *events: str, arn: str = QUEUE) -> dict[str, Any]:
    rules = [
        {"Name": name, "Value": value} for name, value in (("Prefix", prefix), ("suffix", suffix)) if value is not None
    ]
    return {
        "Id": "n",
        "QueueArn": arn,
        "Events": list(events) or [EVERY_CREATION],
        **({"Filter": {"Key": {"FilterRules": rules}}} if rules else {}),
    }


def configuration(*queues: dict[str, Any], **others: Any) -> dict[str, Any]:
    return {"QueueConfigurations": list(queues), **others}


@pytest.mark.parametrize(
    ("entry", "faults"),
    [
        (queue(), []),
        (
            queue(
                INBOX,
                None,
                *(f"s3:ObjectCreated:{kind}" for kind in ("Put", "Post", "Copy", "CompleteMultipartUpload")),
            ),
            [],
        ),
        (queue(None), ["no prefix, so that what the project writes itself"]),
        (queue(""), ["no prefix, so that what the project writes itself"]),
        (queue("images_"), ["the prefix 'images_', so that what the project writes itself"]),
        (queue("images_for_detection/2026/"), ["so that other images of the inbox"]),
        (queue("image_for_detection/"), ["so that no images of the inbox"]),
        (queue(INBOX, ".jpg"), ["the suffix '.jpg'"]),
        (queue(INBOX, None, "s3:ObjectCreated:Put"), ["leaves out s3:ObjectCreated:CompleteMultipartUpload, s3:Obj"]),
        (queue(None, ".jpg", "s3:ObjectCreated:Put"), ["no prefix", "the suffix '.jpg'", "leaves out"]),
    ],
    ids=[
        "every creation",
        "each kind of creation",
        "no filter",
        "empty prefix",
        "too wide",
        "too narrow",
        "misspelt",
        "one ending",
        "one kind of creation",
        "all at once",
    ],
)
def test_a_notification_is_wrong_when(entry: dict[str, Any], faults: list[str]) -> None:
    (route,) = routes_of(configuration(entry))

    found = list(route.faults(INBOX))

    assert len(found) == len(faults)
    assert all(fault in text for fault, text in zip(faults, found, strict=True))


def test_the_prefix_of_a_notification_may_be_written_as_in_a_url() -> None:
    (route,) = routes_of(configuration(queue("my%20birds/images_for_detection/")))

    assert list(route.faults("my birds/images_for_detection/")) == []


@pytest.mark.parametrize(
    ("found", "folders", "expected"),
    [
        (configuration(queue()), (INBOX,), False),
        (configuration(queue(f"{INBOX}2026/")), (INBOX,), False),
        (configuration(queue(None)), (INBOX,), True),
        (configuration(queue("images_")), (INBOX,), True),
        (configuration(queue(None, arn="arn:aws:sqs:us-east-1:1:other")), (INBOX,), False),
        (configuration(queue()), ANSWERS, True),
        (configuration(queue("reviews/label_studio/")), ANSWERS, False),
        (configuration(queue("ground-truth/output/digits")), ANSWERS, False),
        (configuration(queue("reviews/")), ANSWERS, True),
        (configuration(), ANSWERS, False),
        ({}, (INBOX,), False),
        (configuration(queue(), EventBridgeConfiguration={}), (INBOX,), True),
        (configuration(TopicConfigurations=[{"TopicArn": "t", "Events": [EVERY_CREATION]}]), (INBOX,), True),
    ],
    ids=[
        "the inbox",
        "a part of it",
        "all",
        "too much",
        "another queue",
        "images to a queue of reviews",
        "answers to it",
        "answers of labeling jobs to it",
        "more than answers to it",
        "nothing",
        "nothing at all",
        "EventBridge",
        "a topic",
    ],
)
def test_own_objects_may_be_announced_when(found: dict[str, Any], folders: tuple[str, ...], expected: bool) -> None:
    assert may_send_own_objects(found, QUEUE, folders) is expected


EVENT = {
    "source": "aws.s3",
    "detail-type": "Object Created",
    "detail": {"object": {"key": "images_for_detection/a.png"}},
}


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ({}, True),
        ({"source": ["aws.s3"]}, True),
        ({"source": ["aws.ec2", "aws.s3"], "detail-type": ["Object Created"]}, True),
        ({"source": ["aws.ec2"]}, False),
        ({"source": ["aws.ec2"], "account": ["1"]}, False),
        ({"account": ["1"]}, None),
        ({"detail": {"object": {"key": [{"prefix": "images_for_detection/"}]}}}, True),
        ({"detail": {"object": {"key": [{"prefix": "registry/"}]}}}, False),
        ({"detail": {"object": {"key": [{"suffix": ".png"}, {"suffix": ".jpg"}]}}}, True),
        ({"detail": {"object": {"key": [{"wildcard": "*.png"}]}}}, None),
        ({"detail": {"object": {"key": [{"wildcard": "*.jpg"}, {"prefix": "images"}]}}}, True),
        ({"detail": {"object": {"key": [{"exists": True}]}}}, True),
        ({"$or": [{"source": ["aws.s3"]}]}, None),
    ],
    ids=str,
)
def test_a_pattern_matches_an_event(pattern: dict[str, Any], expected: bool | None) -> None:
    assert matches(pattern, EVENT) is expected
