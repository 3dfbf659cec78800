"""A queue's trigger, and what it fires at while a story happens beside it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from custom_labels.aws.triggers.queue import QueueTrigger
from custom_labels.detection.announcement_trigger import AnnouncementTrigger
from tests.kit.support import wait_until

if TYPE_CHECKING:
    from include.local_aws.process import LocalAws

LOOKS = 8


def queue_trigger(url: str, **changes: Any) -> QueueTrigger:
    """Make a fast trigger: one that knows the project's bucket where that is given."""
    kind = AnnouncementTrigger if "bucket" in changes else QueueTrigger
    return kind(**{"queue_url": url, "poll_seconds": 0.05, "region_name": "us-east-1", **changes})


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
        async for fired in trigger.run():
            self.rung.append(fired.payload["waiting"])
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
