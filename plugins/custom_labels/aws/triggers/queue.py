"""The trigger that fires when messages wait in an SQS queue."""

from __future__ import annotations

import asyncio
import inspect
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

from airflow.providers.amazon.aws.hooks.base_aws import AwsBaseHook
from airflow.triggers.base import BaseEventTrigger, TriggerEvent
from botocore.exceptions import BotoCoreError, ClientError


class Numbers(NamedTuple):
    """What is in a queue.

    :param waiting: messages that can be received; ``taken`` are invisible, since a consumer has them.
    """

    waiting: int
    taken: int


@dataclass
class _Fired:
    """When the trigger fired last, the numbers then, and whether a later poll found others."""

    at: float
    numbers: Numbers
    is_changed: bool = False


class QueueTrigger(BaseEventTrigger):
    """Fire when messages begin to wait in a queue, and again from time to time while they go on waiting.

    It reads their number only. A message that it received would be invisible to the run which it triggers, and would
    come closer to its queue's dead-letter queue each time; and an event for every ten messages would make as many runs.

    :param queue_url: the queue.
    :param poll_seconds: seconds between two polls; at 2, SQS asks half a dollar a month for them.
    :param busy_seconds: seconds after which it fires again where messages wait and others came or went since: they may
        have come after the run that it triggered had drained the queue.
    :param repeat_seconds: seconds after which it fires again where the same number waits and none was received.
    :param aws_conn_id: the Airflow connection; likewise ``region_name`` and ``verify``.
    :param botocore_config: keywords for a botocore ``Config``.
    """

    queue_setting: ClassVar[str] = "'queue_url' of this trigger"
    """What the URL is set by, for the words of a warning; a subclass may know better."""

    def __init__(
        self,
        *,
        queue_url: str,
        poll_seconds: float = 2,
        busy_seconds: float = 20,
        repeat_seconds: float = 300,
        aws_conn_id: str | None = "aws_default",
        region_name: str | None = None,
        verify: bool | str | None = None,
        botocore_config: dict[str, Any] | None = None,
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.queue_url = queue_url
        self.poll_seconds = poll_seconds
        self.busy_seconds = busy_seconds
        self.repeat_seconds = repeat_seconds
        self.aws_conn_id = aws_conn_id
        self.region_name = region_name
        self.verify = verify
        self.botocore_config = botocore_config
        self.queue_arn = ""

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Give the class path and the arguments."""
        names = inspect.signature(QueueTrigger.__init__).parameters.keys() - {"self"}
        return f"{type(self).__module__}.{type(self).__qualname__}", {name: getattr(self, name) for name in names}

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Poll for ever; a queue that cannot be polled is logged and polled again."""
        self._fired: _Fired | None = None
        while True:
            try:
                # One client for as long as it goes well: to make one takes more than a hundred polls.
                async with await self.hook("sqs").get_async_conn() as client:
                    while True:
                        numbers = await self._poll(client)
                        if self.is_due(numbers) and await self.is_relevant(client):
                            self._fired = _Fired(time.monotonic(), numbers)
                            yield TriggerEvent({"queue": self.queue_url, "waiting": numbers.waiting})
                        await asyncio.sleep(self.poll_seconds)
            except (ClientError, BotoCoreError) as error:
                # A watcher that dies is the worse end: messages would wait with no run.
                self.log.warning(
                    "Queue %s could not be polled: %s. Check %s and the connection '%s'; polling again in %s s.",
                    self.queue_url,
                    error,
                    self.queue_setting,
                    self.aws_conn_id,
                    self.poll_seconds,
                )
                await asyncio.sleep(self.poll_seconds)

    def hook(self, service: str) -> AwsBaseHook:
        """Give the hook of a service of the connection."""
        return AwsBaseHook(
            client_type=service,
            aws_conn_id=self.aws_conn_id,
            region_name=self.region_name,
            verify=self.verify,
            config=self.botocore_config,
        )

    async def _poll(self, client: Any) -> Numbers:
        """Count the messages, about."""
        found = await client.get_queue_attributes(
            QueueUrl=self.queue_url,
            AttributeNames=["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible", "QueueArn"],
        )
        attributes = found["Attributes"]
        self.queue_arn = attributes["QueueArn"]
        return Numbers(
            int(attributes["ApproximateNumberOfMessages"]), int(attributes["ApproximateNumberOfMessagesNotVisible"])
        )

    def is_due(self, numbers: Numbers) -> bool:
        """Whether it is time to fire, now that so many messages wait."""
        if numbers.waiting == 0:
            self._fired = None
            return False
        if self._fired is None:
            return True
        # Numbers that are as they were may have changed in between: as many came as a run took and deleted.
        self._fired.is_changed |= numbers != self._fired.numbers
        wait = self.busy_seconds if self._fired.is_changed else self.repeat_seconds
        return time.monotonic() - self._fired.at >= wait

    async def is_relevant(self, client: Any) -> bool:  # noqa: ARG002
        """Say whether the messages that wait are worth a run; all are, unless a subclass knows better."""
        return True
