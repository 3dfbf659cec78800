"""The trigger of a queue: it fires when messages wait, rarely again while they go on waiting, and takes none."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest

from tests.kit.detect_runs import event
from tests.kit.queue_events import TriggerEvents, events_of, queue_trigger
from tests.kit.support import BUCKET, client, s3, wait_until

if TYPE_CHECKING:
    from include.local_aws.process import LocalAws

NEVER_SECONDS = 1000


@pytest.fixture
def url(aws: LocalAws) -> str:
    made: str = client(aws, "sqs").create_queue(QueueName="queue_trigger")["QueueUrl"]
    return made


def send(aws: LocalAws, url: str, count: int = 1) -> None:
    for _ in range(count):
        client(aws, "sqs").send_message(QueueUrl=url, MessageBody="{}")


def test_it_is_silent_while_the_queue_is_empty(aws: LocalAws, url: str) -> None:
    assert events_of(aws, queue_trigger(url)).fired == []


def test_it_fires_once_for_many_messages_and_takes_none(aws: LocalAws, url: str) -> None:
    send(aws, url, 3)

    assert events_of(aws, queue_trigger(url)).fired == [3]
    answer = client(aws, "sqs").receive_message(
        QueueUrl=url, MaxNumberOfMessages=10, AttributeNames=["ApproximateReceiveCount"]
    )
    assert [each["Attributes"]["ApproximateReceiveCount"] for each in answer["Messages"]] == ["1", "1", "1"]


def test_it_fires_when_a_message_comes(aws: LocalAws, url: str) -> None:
    def story(events: TriggerEvents) -> None:
        events.polls()
        assert events.fired == []
        send(aws, url)
        events.polls()

    assert events_of(aws, queue_trigger(url), story).fired == [1]


def test_it_fires_anew_when_the_queue_was_empty_in_between(aws: LocalAws, url: str) -> None:
    send(aws, url)

    def story(events: TriggerEvents) -> None:
        events.polls()
        client(aws, "sqs").purge_queue(QueueUrl=url)
        events.polls()
        send(aws, url)
        events.polls()

    assert events_of(aws, queue_trigger(url), story).fired == [1, 1]


def test_it_fires_again_from_time_to_time_while_messages_wait(aws: LocalAws, url: str) -> None:
    send(aws, url)

    # Its second poll after it fired is the first that comes late enough, by a tenth of a second.
    trigger = queue_trigger(url, poll_seconds=0.2, repeat_seconds=0.3)
    fired_at = events_of(aws, trigger, lambda events: events.fired_times(3)).fired_at

    assert all(later - earlier >= 0.3 for earlier, later in pairwise(fired_at))


@pytest.mark.parametrize(
    ("busy_seconds", "fired"), [(0.3, [2, 1]), (NEVER_SECONDS, [2])], ids=["after a while", "not at once"]
)
def test_it_fires_again_where_messages_come_and_go(
    aws: LocalAws, url: str, busy_seconds: float, fired: list[int]
) -> None:
    """A message that comes while a run takes others must not wait as one that nobody takes."""
    send(aws, url, 2)

    def story(events: TriggerEvents) -> None:
        events.fired_times(1)
        client(aws, "sqs").receive_message(QueueUrl=url)
        events.fired_times(len(fired))
        events.polls()

    trigger = queue_trigger(url, busy_seconds=busy_seconds, repeat_seconds=NEVER_SECONDS)
    assert events_of(aws, trigger, story).fired == fired


def test_it_fires_again_soon_when_as_many_came_as_were_taken(aws: LocalAws, url: str) -> None:
    """The numbers are as they were when it fired, and yet a run took those: these are others."""
    send(aws, url, 2)

    def story(events: TriggerEvents) -> None:
        events.fired_times(1)
        sqs = client(aws, "sqs")
        taken = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=1)["Messages"]
        events.polls()
        sqs.delete_message(QueueUrl=url, ReceiptHandle=taken[0]["ReceiptHandle"])
        send(aws, url)
        events.fired_times(2)

    # Long enough for all of the above: it fires for the numbers that are as they were, not for those in between.
    assert events_of(aws, queue_trigger(url, busy_seconds=3, repeat_seconds=NEVER_SECONDS), story).fired == [2, 2]


def test_it_goes_on_when_the_queue_cannot_be_polled_for_a_while(aws: LocalAws) -> None:
    late = "https://sqs.us-east-1.amazonaws.com/123456789012/late"

    def story(events: TriggerEvents) -> None:
        events.polls()
        send(aws, client(aws, "sqs").create_queue(QueueName="late")["QueueUrl"])
        events.polls()

    assert events_of(aws, queue_trigger(late), story).fired == [1]


INBOX = "images_for_detection/"
OWN = ["registry/last_run/digits_detect.json", "detections/a.png/0/v1.json", "images_labeled_by_folder/7/copy.png"]


def announce_all(aws: LocalAws, url: str, prefix: str | None = None) -> None:
    """Let the bucket announce its objects to the queue by a notification with this prefix, or without one."""
    found = client(aws, "sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
    rules = [{"Name": "prefix", "Value": prefix}] if prefix else []
    entry: Any = {"QueueArn": found["Attributes"]["QueueArn"], "Events": ["s3:ObjectCreated:*"]}
    entry |= {"Filter": {"Key": {"FilterRules": rules}}} if rules else {}
    s3(aws).create_bucket(Bucket=BUCKET)
    s3(aws).put_bucket_notification_configuration(
        Bucket=BUCKET, NotificationConfiguration={"QueueConfigurations": [entry]}
    )


def put(aws: LocalAws, *keys: str) -> None:
    for key in keys:
        s3(aws).put_object(Bucket=BUCKET, Key=key, Body=b"x")


def messages(aws: LocalAws, url: str) -> list[str]:
    """Give what waits: an object's key, or the text of a message that is no event."""
    answer = client(aws, "sqs").receive_message(QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=0)
    bodies = [each["Body"] for each in answer.get("Messages", [])]
    return [json.loads(body)["Records"][0]["s3"]["object"]["key"] if "Records" in body else body for body in bodies]


def test_own_writes_do_not_fire_it_and_are_deleted_when_the_notification_has_no_prefix(aws: LocalAws, url: str) -> None:
    announce_all(aws, url)

    def story(events: TriggerEvents) -> None:
        put(aws, *OWN, INBOX, f"{INBOX}folder/")
        wait_until(lambda: messages(aws, url) == [])
        events.polls()
        assert events.fired == []
        put(aws, f"{INBOX}a.png")
        events.fired_times(1)
        put(aws, *OWN)
        events.polls()

    events = events_of(aws, queue_trigger(url, bucket=BUCKET, busy_seconds=NEVER_SECONDS), story)

    assert len(events.fired) == 1
    assert f"{INBOX}a.png" in messages(aws, url), "the image is left for the run"


def test_an_image_between_many_own_writes_fires_it(aws: LocalAws, url: str) -> None:
    announce_all(aws, url)
    put(aws, *(f"detections/{number}.json" for number in range(35)), f"{INBOX}a.png")

    assert len(events_of(aws, queue_trigger(url, bucket=BUCKET), lambda events: events.fired_times(1)).fired) == 1


@pytest.mark.parametrize(
    ("body", "stays"),
    [
        ("no event", True),
        ({"Records": [event("notes.txt")]}, True),
        ({"Records": [event("a.png", kind="ObjectRemoved:Delete")]}, False),
        ({"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": BUCKET}, False),
        ({"Records": [event("a.png", bucket="other")]}, True),
    ],
    ids=["no event", "a text in the inbox", "removed", "test event", "another bucket"],
)
def test_what_a_run_has_to_see_or_count_fires_it_and_nothing_else(
    aws: LocalAws, url: str, body: Any, stays: bool
) -> None:
    announce_all(aws, url)
    client(aws, "sqs").purge_queue(QueueUrl=url)
    client(aws, "sqs").send_message(QueueUrl=url, MessageBody=body if isinstance(body, str) else json.dumps(body))

    events = events_of(aws, queue_trigger(url, bucket=BUCKET))

    assert (events.fired, len(messages(aws, url))) == (([1], 1) if stays else ([], 0))


def test_no_message_is_read_where_the_notification_is_right(aws: LocalAws, url: str) -> None:
    announce_all(aws, url, INBOX)
    client(aws, "sqs").purge_queue(QueueUrl=url)
    put(aws, f"{INBOX}a.png", *OWN)

    assert events_of(aws, queue_trigger(url, bucket=BUCKET)).fired == [1]
    assert aws.control.calls().get("sqs.ReceiveMessage") is None


def test_objects_do_not_fire_the_harvest_when_they_are_announced_to_its_queue(aws: LocalAws, url: str) -> None:
    announce_all(aws, url)
    put(aws, *OWN, f"{INBOX}a.png")

    def story(events: TriggerEvents) -> None:
        wait_until(lambda: messages(aws, url) == [])
        events.polls()
        assert events.fired == []
        client(aws, "sqs").send_message(QueueUrl=url, MessageBody=json.dumps({"source": "aws.sagemaker"}))
        events.fired_times(1)

    assert events_of(aws, queue_trigger(url, bucket=BUCKET, of_images=False), story).fired == [1]


@pytest.mark.parametrize("folder", ["reviews/label_studio/", "ground-truth/output/digits-0/annotations/"])
@pytest.mark.parametrize("announced", ["", "reviews/label_studio/", "ground-truth/output/"])
def test_an_answer_in_s3_fires_the_harvest_and_stays_for_it(
    aws: LocalAws, url: str, announced: str, folder: str
) -> None:
    """Among the project's own objects, where the bucket announces these to the queue as well."""
    announce_all(aws, url, announced)
    client(aws, "sqs").purge_queue(QueueUrl=url)
    put(aws, *OWN, f"{folder}7")

    is_announced = folder.startswith(announced)
    events = events_of(aws, queue_trigger(url, bucket=BUCKET, of_images=False))

    assert len(events.fired) == is_announced
    assert (f"{folder}7" in messages(aws, url)) == is_announced


def test_a_message_that_waits_long_is_not_read_until_it_is_a_dead_letter(aws: LocalAws, url: str) -> None:
    announce_all(aws, url)
    put(aws, f"{INBOX}a.png")

    events_of(
        aws,
        queue_trigger(url, bucket=BUCKET, repeat_seconds=0.1, busy_seconds=0.1),
        lambda events: events.fired_times(12),
    )

    answer = client(aws, "sqs").receive_message(QueueUrl=url, AttributeNames=["ApproximateReceiveCount"])
    assert int(answer["Messages"][0]["Attributes"]["ApproximateReceiveCount"]) < 10
