"""The trigger that fires when messages wait in an SQS queue."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from airflow.providers.amazon.aws.hooks.base_aws import AwsBaseHook
from airflow.triggers.base import BaseEventTrigger, TriggerEvent
from botocore.exceptions import BotoCoreError, ClientError

from custom_labels.detection.events import is_news
from custom_labels.detection.notifications import may_send_own_objects
from custom_labels.s3.keys import INBOX

INSPECT_SECONDS = 60
SIEVED_AT_ONCE = 1_000
"""Messages without news that one poll deletes at most."""
SIEVE_SECONDS = 30
"""How long a message that is being read is invisible, should the triggerer die over it."""
RECEIVED_OFTEN = 3
"""Receipts of a message from which on it is read less and less often: at ten the queue gives it up as a dead letter."""


class Numbers(NamedTuple):
    """What is in a queue.

    :param waiting: messages to be taken; ``taken`` are somebody's for now.
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
    """Ring when messages begin to wait in a queue, and again from time to time while they go on waiting.

    It looks at their number only. A message that it took would be invisible to the run which it wakes, and would come
    closer to its queue's dead-letter queue each time; and an event for every ten messages would make as many runs.

    Where the bucket's notifications may send more than new images - the project's own writes, of which each run makes
    dozens, and each of these another run - it does read the messages, deletes those without news, and fires only for
    others.

    :param queue_url: the queue.
    :param bucket: the project's bucket; without one the messages are never read.
    :param prefix: what the project's keys in it begin with.
    :param of_images: whether the queue announces images; else nothing of the bucket belongs into it.
    :param inspect_seconds: seconds for which what was found of the bucket's notifications is believed.
    :param poll_seconds: seconds between two looks.
    :param busy_seconds: seconds after which it rings again where messages wait and others came or went since: they may
        have come after the run that it woke looked.
    :param repeat_seconds: seconds after which it rings again where the same number waits and nobody took any.
    :param aws_conn_id: the Airflow connection; likewise ``region_name`` and ``verify``.
    :param botocore_config: keywords for a botocore ``Config``.
    """

    def __init__(
        self,
        *,
        queue_url: str,
        bucket: str | None = None,
        prefix: str = "",
        of_images: bool = True,
        inspect_seconds: float = INSPECT_SECONDS,
        poll_seconds: float = 5,
        busy_seconds: float = 20,
        repeat_seconds: float = 300,
        aws_conn_id: str | None = "aws_default",
        region_name: str | None = None,
        verify: bool | str | None = None,
        botocore_config: dict[str, Any] | None = None,
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.queue_url = queue_url
        self.bucket = bucket
        self.prefix = prefix
        self.of_images = of_images
        self.inspect_seconds = inspect_seconds
        self.poll_seconds = poll_seconds
        self.busy_seconds = busy_seconds
        self.repeat_seconds = repeat_seconds
        self.aws_conn_id = aws_conn_id
        self.region_name = region_name
        self.verify = verify
        self.botocore_config = botocore_config

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Give the class path and the arguments."""
        return (
            f"{type(self).__module__}.{type(self).__qualname__}",
            {
                "queue_url": self.queue_url,
                "bucket": self.bucket,
                "prefix": self.prefix,
                "of_images": self.of_images,
                "inspect_seconds": self.inspect_seconds,
                "poll_seconds": self.poll_seconds,
                "busy_seconds": self.busy_seconds,
                "repeat_seconds": self.repeat_seconds,
                "aws_conn_id": self.aws_conn_id,
                "region_name": self.region_name,
                "verify": self.verify,
                "botocore_config": self.botocore_config,
            },
        )

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Look for ever; a queue that cannot be looked at is said in the log and looked at again."""
        self._fired: _Fired | None = None
        self._inspected: tuple[float, bool] | None = None
        self._queue_arn = ""
        self._not_read_until = 0.0
        while True:
            try:
                # One client for as long as it goes well: to make one takes more than a hundred looks.
                async with await self._hook("sqs").get_async_conn() as client:
                    while True:
                        numbers = await self._look(client)
                        if self._is_due(numbers) and await self._has_news(client):
                            self._fired = _Fired(time.monotonic(), numbers)
                            yield TriggerEvent({"queue": self.queue_url, "waiting": numbers.waiting})
                        await asyncio.sleep(self.poll_seconds)
            except (ClientError, BotoCoreError) as error:
                # A watcher that dies is the worse end: the sweep on the DAG's schedule finds what is not announced.
                self.log.warning(
                    "Queue %s could not be looked at: %s. Check 'queues' in the project's YAML file and the connection "
                    "'%s'; looking again in %s s.",
                    self.queue_url,
                    error,
                    self.aws_conn_id,
                    self.poll_seconds,
                )
                await asyncio.sleep(self.poll_seconds)

    def _hook(self, service: str) -> AwsBaseHook:
        return AwsBaseHook(
            client_type=service,
            aws_conn_id=self.aws_conn_id,
            region_name=self.region_name,
            verify=self.verify,
            config=self.botocore_config,
        )

    async def _look(self, client: Any) -> Numbers:
        """Count the messages, about."""
        found = await client.get_queue_attributes(
            QueueUrl=self.queue_url,
            AttributeNames=["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible", "QueueArn"],
        )
        attributes = found["Attributes"]
        self._queue_arn = attributes["QueueArn"]
        return Numbers(
            int(attributes["ApproximateNumberOfMessages"]), int(attributes["ApproximateNumberOfMessagesNotVisible"])
        )

    def _is_due(self, numbers: Numbers) -> bool:
        """Whether it is time to fire, now that so many messages wait."""
        if numbers.waiting == 0:
            self._fired = None
            self._not_read_until = 0.0
            return False
        if self._fired is None:
            return True
        # Numbers that are as they were may have changed in between: as many came as a run took and deleted.
        self._fired.is_changed |= numbers != self._fired.numbers
        wait = self.busy_seconds if self._fired.is_changed else self.repeat_seconds
        return time.monotonic() - self._fired.at >= wait

    async def _has_news(self, client: Any) -> bool:
        """Whether a message waits that a run has to see; any does, unless the bucket may send more than that."""
        if time.monotonic() < self._not_read_until or not await self._may_hold_own_objects():
            return True
        for _ in range(SIEVED_AT_ONCE // 10):
            answer = await client.receive_message(
                QueueUrl=self.queue_url,
                MaxNumberOfMessages=10,
                VisibilityTimeout=SIEVE_SECONDS,
                AttributeNames=["ApproximateReceiveCount"],
            )
            if not (messages := answer.get("Messages", [])):
                return False
            if await self._sieve(client, messages):
                return True
        return False

    async def _sieve(self, client: Any, messages: list[dict[str, Any]]) -> bool:
        """Delete the messages that are no news, and put the others back; give whether there are such."""
        back: list[dict[str, Any]] = []
        dropped: list[dict[str, Any]] = []
        receipts = 0
        for number, message in enumerate(messages):
            entry = {"Id": str(number), "ReceiptHandle": message["ReceiptHandle"]}
            if is_news(message["Body"], bucket=str(self.bucket), prefix=self.prefix, of_images=self.of_images):
                back.append({**entry, "VisibilityTimeout": 0})
                receipts = max(receipts, int(message["Attributes"]["ApproximateReceiveCount"]))
            else:
                dropped.append(entry)
        if receipts >= RECEIVED_OFTEN:
            self._not_read_until = time.monotonic() + self.repeat_seconds * 4 ** (receipts - RECEIVED_OFTEN)
        if dropped:
            self.log.info("%s messages of %s announce nothing that is awaited: deleted.", len(dropped), self.queue_url)
            await client.delete_message_batch(QueueUrl=self.queue_url, Entries=dropped)
        if back:
            await client.change_message_visibility_batch(QueueUrl=self.queue_url, Entries=back)
        return bool(back)

    async def _may_hold_own_objects(self) -> bool:
        """Whether the bucket may send more to the queue than belongs into it, as far as that can be seen."""
        if self.bucket is None:
            return False
        now = time.monotonic()
        if self._inspected is None or now - self._inspected[0] >= self.inspect_seconds:
            self._inspected = now, await self._inspect()
        return self._inspected[1]

    async def _inspect(self) -> bool:
        folder = f"{self.prefix}{INBOX}" if self.of_images else None
        try:
            async with await self._hook("s3").get_async_conn() as client:
                found: Mapping[str, Any] = await client.get_bucket_notification_configuration(Bucket=self.bucket)
        except (ClientError, BotoCoreError) as error:
            self.log.warning(
                "The notifications of bucket %s cannot be read: %s. So the messages of %s are read, since they may "
                "announce what the project wrote itself. Allow s3:GetBucketNotification to the connection '%s'.",
                self.bucket,
                error,
                self.queue_url,
                self.aws_conn_id,
            )
            return True
        return may_send_own_objects(found, self._queue_arn, folder)
