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
class TriggerEvents:
    """Collects the events of a trigger for as long as it takes, however slow the machine is.

    :param fired: what it fired with so far; ``fired_at``: when, in seconds of the monotonic clock.
    """

    aws: LocalAws
    fired: list[int] = field(default_factory=list)
    fired_at: list[float] = field(default_factory=list)

    def polls(self) -> None:
        """Wait until the trigger has polled its queue some times more."""
        enough = self._looked() + LOOKS
        wait_until(lambda: self._looked() >= enough)

    def fired_times(self, times: int) -> None:
        """Wait until the trigger has fired so often since the beginning."""
        wait_until(lambda: len(self.fired) >= times)

    def _looked(self) -> int:
        return int(self.aws.control.calls().get("sqs.GetQueueAttributes", {}).get("calls", 0))

    async def collect(self, trigger: QueueTrigger) -> None:
        async for fired in trigger.run():
            self.fired.append(fired.payload["waiting"])
            self.fired_at.append(time.monotonic())


def events_of(
    aws: LocalAws, trigger: QueueTrigger, story: Callable[[TriggerEvents], object] = TriggerEvents.polls
) -> TriggerEvents:
    """Run a trigger while a story happens beside it; give its events."""
    events = TriggerEvents(aws)

    async def both() -> None:
        task = asyncio.create_task(events.collect(trigger))
        await asyncio.to_thread(story, events)
        task.cancel()

    asyncio.run(both())
    return events
