"""Messages of the queue of new images: what they announce, what is passed over, what is trouble."""

from __future__ import annotations

import json
from typing import Any

import pytest

from custom_labels.aws.predictions import InferenceImage
from custom_labels.detection.events import PassedOver, read_event
from tests.kit.detect_runs import event
from tests.kit.support import BUCKET

ETAG = "d41d8cd98f00b204e9800998ecf8427e"


def s3(*records: dict[str, Any]) -> dict[str, Any]:
    return {"Records": list(records)}


def sns(body: Any) -> dict[str, Any]:
    return {"Type": "Notification", "TopicArn": "arn:aws:sns:us-east-1:1:t", "Message": json.dumps(body)}


def bridge(key: str, kind: str = "Object Created") -> dict[str, Any]:
    place = {"key": key, "size": 9, "etag": ETAG, "sequencer": "0055AE"}
    return {
        "version": "0",
        "detail-type": kind,
        "source": "aws.s3",
        "detail": {"version": "0", "bucket": {"name": BUCKET}, "object": place, "reason": "PutObject"},
    }


def images(body: Any) -> list[InferenceImage]:
    text = body if isinstance(body, str) else json.dumps(body)
    read = read_event(text, bucket=BUCKET, prefix="")
    assert read.trouble is None
    return [each.image for each in read.announcements]


def image(name: str) -> InferenceImage:
    return InferenceImage(f"images_for_detection/{name}", ETAG)


@pytest.mark.parametrize("kind", ["Put", "Post", "Copy", "CompleteMultipartUpload"])
def test_every_kind_of_creation_announces_an_image(kind: str) -> None:
    assert images(s3(event("a.png", ETAG, f"ObjectCreated:{kind}"))) == [image("a.png")]


@pytest.mark.parametrize("name", ["my photo é.jpg", "a+b.png", "100%25.png", "2026/11/deep er/a.JPEG", "日本 (1).png"])
def test_the_key_is_decoded_when_it_is_of(name: str) -> None:
    assert images(s3(event(name, ETAG))) == [image(name)]


@pytest.mark.parametrize(
    "body",
    [
        sns(s3(event("a b.png", ETAG))),
        bridge("images_for_detection/a b.png"),
        sns(bridge("images_for_detection/a b.png")),
        s3(event("a b.png", f'"{ETAG}"')),
    ],
    ids=["through SNS", "through EventBridge", "through EventBridge and SNS", "ETag in quotes"],
)
def test_an_event_is_read_however_it_came(body: Any) -> None:
    assert images(body) == [image("a b.png")]


def test_a_message_may_announce_several_images() -> None:
    assert images(s3(event("a.png", ETAG), event("b.png", ETAG))) == [image("a.png"), image("b.png")]


@pytest.mark.parametrize(
    ("body", "reason", "says"),
    [
        ({"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": BUCKET}, PassedOver.TEST_EVENT, BUCKET),
        (sns({"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": BUCKET}), PassedOver.TEST_EVENT, BUCKET),
        (s3(event("a.png", kind="ObjectRemoved:Delete")), PassedOver.OTHER_EVENT, "ObjectRemoved:Delete"),
        (bridge("images_for_detection/a.png", "Object Deleted"), PassedOver.OTHER_EVENT, "ObjectRemoved"),
        (s3(event("notes.txt")), PassedOver.NOT_AN_IMAGE, "notes.txt"),
        (s3(event("folder/")), PassedOver.FOLDER_MARKER, "folder/"),
        *(
            (s3(event("", object={"key": key})), PassedOver.OUTSIDE, key)
            for key in (
                "elsewhere/a.png",
                "images_labeled_by_folder/7/digits-x.png",
                "images_for_detection",
                "registry/last_run/digits_detect.json",
                "detection_work/0a/plan.json",
            )
        ),
    ],
    ids=[
        "test event",
        "test event through SNS",
        "removed",
        "removed, EventBridge",
        "text",
        "folder",
        "another folder",
        "our copy",
        "nearly the inbox",
        "our record",
        "our work",
    ],
)
def test_a_message_that_announces_no_image_is_passed_over_and_counted(body: Any, reason: PassedOver, says: str) -> None:
    read = read_event(json.dumps(body), bucket=BUCKET, prefix="")

    assert read.trouble is None
    assert read.announcements == ()
    assert read.passed_over == {reason: 1}
    assert says in read.examples[0]
    assert read.is_news is (reason is PassedOver.NOT_AN_IMAGE), "only what lies in the inbox is for a run to count"


def test_an_empty_file_is_announced_as_such() -> None:
    read = read_event(json.dumps(s3(event("a.png", ETAG, object={"size": 0}))), bucket=BUCKET, prefix="")

    assert [(each.image, each.image.is_empty) for each in read.announcements] == [(image("a.png"), True)]


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ("hello", "as S3 writes them: Invalid JSON"),
        ("[1]", "as S3 writes them: Input should be an object"),
        ("{}", "no event of S3"),
        ({"Message": "hello"}, "'Message': Invalid JSON"),
        (sns(sns({})), "no event of S3"),
        ({"Records": {}}, "'Records': Input should be a valid array"),
        ({"Records": ["x"]}, "'Records.0': Input should be an object"),
        ({"Records": [{"eventSource": "aws:sqs"}]}, "'Records.0.eventSource': Input should be 'aws:s3'"),
        ({"Records": [{"eventSource": "aws:s3", "eventName": "ObjectCreated:Put"}]}, "'Records.0.s3': Field required"),
        (s3(event("a.png", bucket="other")), "of bucket 'other'"),
        (s3(event("a.png", object={"key": "images_for_detection/%FF.png"})), "'Records.0.s3.object.key': "),
        (s3(event("a.png", object={"key": "images_for_detection/\ud800.png"})), "as S3 writes them: Invalid JSON"),
        (s3(event("a.png", object={"key": 7})), "'Records.0.s3.object.key': Input should be a valid string"),
        (s3(event("a.png", "")), "no ETag"),
        ({**bridge("images_for_detection/a.png"), "detail-type": ""}, "no event of S3"),
        ({"source": "aws.s3", "detail": {}, "detail-type": "Object Created"}, "'detail.bucket.name': Field required"),
        ({"source": "aws.ec2", "detail": {}}, "'source': Input should be 'aws.s3'"),
    ],
    ids=str,
)
def test_a_message_that_is_no_event_of_the_inbox_says_why(body: Any, why: str) -> None:
    read = read_event(body if isinstance(body, str) else json.dumps(body), bucket=BUCKET, prefix="")

    assert read.announcements == ()
    assert why in str(read.trouble)


def test_the_prefix_of_the_project_is_taken_off() -> None:
    body = json.dumps(s3(event("a.png", ETAG, object={"key": "birds/images_for_detection/a.png"})))

    read = read_event(body, bucket=BUCKET, prefix="birds/")

    assert [each.image for each in read.announcements] == [image("a.png")]


@pytest.mark.parametrize(("earlier", "later"), [("0055AED6", "0055AED7"), ("0055", "005501"), ("00ab", "00AC")])
def test_announcements_sort_as_their_events_happened(earlier: str, later: str) -> None:
    orders = [
        read_event(json.dumps(s3(event("a.png", object={"sequencer": text}))), bucket=BUCKET, prefix="")
        for text in (earlier, later)
    ]

    assert orders[0].announcements[0].order < orders[1].announcements[0].order
