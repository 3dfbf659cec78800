"""The bell of a queue: rings when messages wait, rarely again while they go on waiting, and takes none."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from custom_labels.triggers.queue import QueueTrigger
from tests.support import client

if TYPE_CHECKING:
    from include.local_aws.process import LocalAws

A_WHILE = 1.0


@pytest.fixture
def url(aws: LocalAws) -> str:
    made: str = client(aws, "sqs").create_queue(QueueName="bell")["QueueUrl"]
    return made


def bell(url: str, **changes: Any) -> QueueTrigger:
    return QueueTrigger(**{"queue_url": url, "poll_seconds": 0.05, "region_name": "us-east-1", **changes})


async def listen(trigger: QueueTrigger, happen: Callable[[], object] | None = None) -> list[int]:
    """Collect the numbers that it rings with in a while; something happens in the middle of it."""
    rung: list[int] = []

    async def collect() -> None:
        nonlocal rung
        async for event in trigger.run():
            rung += [event.payload["waiting"]]

    task = asyncio.create_task(collect())
    await asyncio.sleep(A_WHILE)
    if happen:
        await asyncio.to_thread(happen)
        await asyncio.sleep(A_WHILE)
    task.cancel()
    return rung


def send(aws: LocalAws, url: str, count: int = 1) -> None:
    for _ in range(count):
        client(aws, "sqs").send_message(QueueUrl=url, MessageBody="{}")


def test_it_is_silent_while_the_queue_is_empty(url: str) -> None:
    assert asyncio.run(listen(bell(url))) == []


def test_it_rings_once_for_many_messages_and_takes_none(aws: LocalAws, url: str) -> None:
    send(aws, url, 3)

    assert asyncio.run(listen(bell(url))) == [3]
    answer = client(aws, "sqs").receive_message(
        QueueUrl=url, MaxNumberOfMessages=10, AttributeNames=["ApproximateReceiveCount"]
    )
    assert [each["Attributes"]["ApproximateReceiveCount"] for each in answer["Messages"]] == ["1", "1", "1"]


def test_it_rings_when_a_message_comes(aws: LocalAws, url: str) -> None:
    assert asyncio.run(listen(bell(url), lambda: send(aws, url))) == [1]


def test_it_rings_anew_when_the_queue_was_empty_in_between(aws: LocalAws, url: str) -> None:
    send(aws, url)

    def empty_and_send() -> None:
        client(aws, "sqs").purge_queue(QueueUrl=url)
        asyncio.run(asyncio.sleep(0.5))
        send(aws, url)

    assert asyncio.run(listen(bell(url), empty_and_send)) == [1, 1]


def test_it_rings_again_from_time_to_time_while_messages_wait(aws: LocalAws, url: str) -> None:
    send(aws, url)

    assert 2 <= len(asyncio.run(listen(bell(url, repeat_seconds=0.3)))) <= 5


@pytest.mark.parametrize(("busy_seconds", "rung"), [(0.3, [2, 1]), (20, [2])], ids=["after a while", "not at once"])
def test_it_rings_again_where_messages_come_and_go(
    aws: LocalAws, url: str, busy_seconds: float, rung: list[int]
) -> None:
    """A message that comes while a run takes others must not wait until it is rung for as one that nobody takes."""
    send(aws, url, 2)

    def take_one() -> None:
        client(aws, "sqs").receive_message(QueueUrl=url)

    assert asyncio.run(listen(bell(url, busy_seconds=busy_seconds), take_one)) == rung


def test_it_goes_on_when_the_queue_cannot_be_looked_at_for_a_while(aws: LocalAws) -> None:
    def make_and_send() -> None:
        send(aws, client(aws, "sqs").create_queue(QueueName="late")["QueueUrl"])

    late = "https://sqs.us-east-1.amazonaws.com/123456789012/late"

    assert asyncio.run(listen(bell(late), make_and_send)) == [1]
