"""Queues keep their promise to many consumers at once: a deleted message is gone, a sent one is there, once."""

from __future__ import annotations

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from tests.local_aws.support import Aws

SENDERS, CONSUMERS = 6, 6
BATCHES = 6
"""Of ten messages each, by each sender."""
VISIBLE, IN_FLIGHT = "ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"


def counts(sqs: Any, url: str) -> dict[str, int]:
    attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=[VISIBLE, IN_FLIGHT])["Attributes"]
    return {name: int(number) for name, number in attributes.items()}


def test_deleted_messages_stay_away_when_many_delete_at_once(aws: Aws) -> None:
    """As two workers of a detection do: what came back would be in flight until its visibility ends, for nobody."""
    sqs = aws.client("sqs")
    url = sqs.create_queue(QueueName="work")["QueueUrl"]
    for batch in range(60):
        entries = [{"Id": str(n), "MessageBody": f"{batch}-{n}"} for n in range(10)]
        sqs.send_message_batch(QueueUrl=url, Entries=entries)
    taken = []
    while found := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=600).get("Messages"):
        taken.append([{"Id": str(n), "ReceiptHandle": each["ReceiptHandle"]} for n, each in enumerate(found)])

    with ThreadPoolExecutor(CONSUMERS) as pool:
        answers = list(pool.map(lambda entries: sqs.delete_message_batch(QueueUrl=url, Entries=entries), taken))

    assert sum(len(answer["Successful"]) for answer in answers) == 600
    assert counts(sqs, url) == {VISIBLE: 0, IN_FLIGHT: 0}


def test_queue_is_empty_when_many_have_sent_received_and_deleted_at_once(aws: Aws) -> None:
    sqs = aws.client("sqs")
    url = sqs.create_queue(QueueName="work")["QueueUrl"]
    received: Counter[str] = Counter()
    counting = threading.Lock()
    all_sent = threading.Event()

    def send(sender: int) -> None:
        for batch in range(BATCHES):
            entries = [{"Id": str(n), "MessageBody": f"{sender}-{batch}-{n}"} for n in range(10)]
            assert not sqs.send_message_batch(QueueUrl=url, Entries=entries).get("Failed")

    def consume(_: int) -> None:
        while True:
            was_all_sent = all_sent.is_set()
            found = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=600).get("Messages", [])
            if not found and was_all_sent:
                return
            with counting:
                received.update(message["Body"] for message in found)
            entries = [{"Id": str(n), "ReceiptHandle": each["ReceiptHandle"]} for n, each in enumerate(found)]
            if entries:
                assert not sqs.delete_message_batch(QueueUrl=url, Entries=entries).get("Failed")

    with ThreadPoolExecutor(SENDERS + CONSUMERS) as pool:
        consumers = [pool.submit(consume, number) for number in range(CONSUMERS)]
        senders = [pool.submit(send, number) for number in range(SENDERS)]
        for each in senders:
            each.result()
        all_sent.set()
        for each in consumers:
            each.result()

    sent = {f"{sender}-{batch}-{n}" for sender in range(SENDERS) for batch in range(BATCHES) for n in range(10)}
    assert (dict(received - Counter(sent)), sent - received.keys()) == ({}, set())
    assert counts(sqs, url) == {VISIBLE: 0, IN_FLIGHT: 0}


def test_long_poll_gets_what_is_sent_while_it_waits_and_holds_up_nobody(aws: Aws) -> None:
    sqs = aws.client("sqs")
    url = sqs.create_queue(QueueName="work")["QueueUrl"]
    with ThreadPoolExecutor(1) as pool:
        polling = pool.submit(sqs.receive_message, QueueUrl=url, WaitTimeSeconds=20)
        sqs.send_message(QueueUrl=url, MessageBody="sent meanwhile")
        assert [each["Body"] for each in polling.result()["Messages"]] == ["sent meanwhile"]


def test_message_comes_again_when_its_visibility_is_given_up(aws: Aws) -> None:
    sqs = aws.client("sqs")
    url = sqs.create_queue(QueueName="work")["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody="again")
    (first,) = sqs.receive_message(QueueUrl=url, VisibilityTimeout=600)["Messages"]
    assert "Messages" not in sqs.receive_message(QueueUrl=url)
    sqs.change_message_visibility(QueueUrl=url, ReceiptHandle=first["ReceiptHandle"], VisibilityTimeout=0)
    assert [each["Body"] for each in sqs.receive_message(QueueUrl=url, WaitTimeSeconds=5)["Messages"]] == ["again"]
