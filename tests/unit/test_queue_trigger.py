"""The bell of a queue: rings when messages wait, rarely again while they go on waiting, and takes none."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest

from custom_labels.triggers.queue import QueueTrigger
from tests.support import client, wait_until

if TYPE_CHECKING:
    from include.local_aws.process import LocalAws

LOOKS = 8
NEVER_SECONDS = 1000


@pytest.fixture
def url(aws: LocalAws) -> str:
    made: str = client(aws, "sqs").create_queue(QueueName="bell")["QueueUrl"]
    return made


def bell(url: str, **changes: Any) -> QueueTrigger:
    return QueueTrigger(**{"queue_url": url, "poll_seconds": 0.05, "region_name": "us-east-1", **changes})


@dataclass
class Listener:
    """Listens to a bell for as long as it takes, however slow the machine is.

    :param rung: the numbers that it rang with so far; ``rung_at``: when, in seconds of the monotonic clock.
    """

    aws: LocalAws
    rung: list[int] = field(default_factory=list)
    rung_at: list[float] = field(default_factory=list)

    def looks(self) -> None:
        """Wait until the bell has looked at its queue for some times more."""
        enough = self._looked() + LOOKS
        wait_until(lambda: self._looked() >= enough)

    def rings(self, times: int) -> None:
        """Wait until the bell has rung so often since the beginning."""
        wait_until(lambda: len(self.rung) >= times)

    def _looked(self) -> int:
        return int(self.aws.control.calls().get("sqs.GetQueueAttributes", {}).get("calls", 0))

    async def collect(self, trigger: QueueTrigger) -> None:
        async for event in trigger.run():
            self.rung.append(event.payload["waiting"])
            self.rung_at.append(time.monotonic())


def listen(aws: LocalAws, trigger: QueueTrigger, story: Callable[[Listener], object] = Listener.looks) -> Listener:
    """Listen to a bell while a story happens beside it."""
    listener = Listener(aws)

    async def both() -> None:
        task = asyncio.create_task(listener.collect(trigger))
        await asyncio.to_thread(story, listener)
        task.cancel()

    asyncio.run(both())
    return listener


def send(aws: LocalAws, url: str, count: int = 1) -> None:
    for _ in range(count):
        client(aws, "sqs").send_message(QueueUrl=url, MessageBody="{}")


def test_it_is_silent_while_the_queue_is_empty(aws: LocalAws, url: str) -> None:
    assert listen(aws, bell(url)).rung == []


def test_it_rings_once_for_many_messages_and_takes_none(aws: LocalAws, url: str) -> None:
    send(aws, url, 3)

    assert listen(aws, bell(url)).rung == [3]
    answer = client(aws, "sqs").receive_message(
        QueueUrl=url, MaxNumberOfMessages=10, AttributeNames=["ApproximateReceiveCount"]
    )
    assert [each["Attributes"]["ApproximateReceiveCount"] for each in answer["Messages"]] == ["1", "1", "1"]


def test_it_rings_when_a_message_comes(aws: LocalAws, url: str) -> None:
    def story(listener: Listener) -> None:
        listener.looks()
        assert listener.rung == []
        send(aws, url)
        listener.looks()

    assert listen(aws, bell(url), story).rung == [1]


def test_it_rings_anew_when_the_queue_was_empty_in_between(aws: LocalAws, url: str) -> None:
    send(aws, url)

    def story(listener: Listener) -> None:
        listener.looks()
        client(aws, "sqs").purge_queue(QueueUrl=url)
        listener.looks()
        send(aws, url)
        listener.looks()

    assert listen(aws, bell(url), story).rung == [1, 1]


def test_it_rings_again_from_time_to_time_while_messages_wait(aws: LocalAws, url: str) -> None:
    send(aws, url)

    # Its second look after a ring is the first that comes late enough, by a tenth of a second.
    bells = bell(url, poll_seconds=0.2, repeat_seconds=0.3)
    rung_at = listen(aws, bells, lambda listener: listener.rings(3)).rung_at

    assert all(later - earlier >= 0.3 for earlier, later in pairwise(rung_at))


@pytest.mark.parametrize(
    ("busy_seconds", "rung"), [(0.3, [2, 1]), (NEVER_SECONDS, [2])], ids=["after a while", "not at once"]
)
def test_it_rings_again_where_messages_come_and_go(
    aws: LocalAws, url: str, busy_seconds: float, rung: list[int]
) -> None:
    """A message that comes while a run takes others must not wait until it is rung for as one that nobody takes."""
    send(aws, url, 2)

    def story(listener: Listener) -> None:
        listener.rings(1)
        client(aws, "sqs").receive_message(QueueUrl=url)
        listener.rings(len(rung))
        listener.looks()

    bells = bell(url, busy_seconds=busy_seconds, repeat_seconds=NEVER_SECONDS)
    assert listen(aws, bells, story).rung == rung


def test_it_fires_again_soon_when_as_many_came_as_were_taken(aws: LocalAws, url: str) -> None:
    """The numbers are as they were when it fired, and yet a run took those: these are others."""
    send(aws, url, 2)

    def story(listener: Listener) -> None:
        listener.rings(1)
        sqs = client(aws, "sqs")
        taken = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=1)["Messages"]
        listener.looks()
        sqs.delete_message(QueueUrl=url, ReceiptHandle=taken[0]["ReceiptHandle"])
        send(aws, url)
        listener.rings(2)

    # Long enough for all of the above: it fires for the numbers that are as they were, not for those in between.
    assert listen(aws, bell(url, busy_seconds=3, repeat_seconds=NEVER_SECONDS), story).rung == [2, 2]


def test_it_goes_on_when_the_queue_cannot_be_looked_at_for_a_while(aws: LocalAws) -> None:
    late = "https://sqs.us-east-1.amazonaws.com/123456789012/late"

    def story(listener: Listener) -> None:
        listener.looks()
        send(aws, client(aws, "sqs").create_queue(QueueName="late")["QueueUrl"])
        listener.looks()

    assert listen(aws, bell(late), story).rung == [1]
