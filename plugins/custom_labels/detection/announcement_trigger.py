"""The trigger that fires when a project's queue holds messages that a run has to see.

It reads messages only where the bucket may announce more than new images: so a notification without a prefix makes no
run that triggers itself by what it writes, and no message is received for nothing elsewhere.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any, ClassVar

from botocore.exceptions import BotoCoreError, ClientError

from custom_labels.aws.triggers.queue import Numbers, QueueTrigger
from custom_labels.core.keys import INBOX, LABEL_STUDIO_ANSWERS, LABELING_OUTPUT
from custom_labels.core.names import PROJECT_FILE
from custom_labels.detection.events import announces_any_below, read_event
from custom_labels.detection.notifications import may_send_own_objects

ANSWERS = (LABEL_STUDIO_ANSWERS, LABELING_OUTPUT)
"""Where review backends write answers, each of which a run has to see; the project itself writes nothing there."""
INSPECT_SECONDS = 60
SIEVED_AT_ONCE = 1_000
"""Messages without news that one poll deletes at most."""
SIEVE_SECONDS = 30
"""How long a message that is being read is invisible, should the triggerer die over it."""
RECEIVED_OFTEN = 3
"""Receipts of a message from which on it is read less and less often: at ten the queue gives it up as a dead letter."""


class AnnouncementTrigger(QueueTrigger):
    """Fire when a project's queue holds messages that a run has to see.

    Where the bucket's notifications may send more than new images, or than answers of reviews - the project's own
    writes, of which each run makes dozens, and each of these another run - it reads the messages, deletes those without
    news, and fires only for others.

    All other parameters are those of :class:`custom_labels.aws.triggers.queue.QueueTrigger`.

    :param bucket: the project's bucket.
    :param prefix: what the project's keys in it begin with.
    :param of_images: whether the queue announces images; else it announces reviews, and nothing of the bucket belongs
        into it but the answers that a review backend writes there.
    :param inspect_seconds: seconds for which what was found of the bucket's notifications is believed.
    """

    queue_setting: ClassVar[str] = f"'queues' in {PROJECT_FILE}"

    def __init__(
        self,
        *,
        bucket: str,
        prefix: str = "",
        of_images: bool = True,
        inspect_seconds: float = INSPECT_SECONDS,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.bucket = bucket
        self.prefix = prefix
        self.of_images = of_images
        self.inspect_seconds = inspect_seconds
        self._inspected: tuple[float, bool] | None = None
        self._not_read_until = 0.0

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Give the class path and the arguments."""
        path, arguments = super().serialize()
        ours = ("bucket", "prefix", "of_images", "inspect_seconds")
        return path, {**arguments, **{name: getattr(self, name) for name in ours}}

    def is_due(self, numbers: Numbers) -> bool:
        """Forget what was put off when the queue is empty."""
        if numbers.waiting == 0:
            self._not_read_until = 0.0
        return super().is_due(numbers)

    async def is_relevant(self, client: Any) -> bool:
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
        read = [
            (self._is_news(message["Body"]), {"Id": str(number), "ReceiptHandle": message["ReceiptHandle"]}, message)
            for number, message in enumerate(messages)
        ]
        dropped = [entry for is_news, entry, _ in read if not is_news]
        back = [{**entry, "VisibilityTimeout": 0} for is_news, entry, _ in read if is_news]
        receipts = max(
            (int(each["Attributes"]["ApproximateReceiveCount"]) for is_news, _, each in read if is_news), default=0
        )
        if receipts >= RECEIVED_OFTEN:
            self._not_read_until = time.monotonic() + self.repeat_seconds * 4 ** (receipts - RECEIVED_OFTEN)
        if dropped:
            self.log.info("%s messages of %s announce nothing that is awaited: deleted.", len(dropped), self.queue_url)
            await client.delete_message_batch(QueueUrl=self.queue_url, Entries=dropped)
        if back:
            await client.change_message_visibility_batch(QueueUrl=self.queue_url, Entries=back)
        return bool(back)

    def _is_news(self, body: str) -> bool:
        read = read_event(body, bucket=self.bucket, prefix=self.prefix)
        if self.of_images:
            return read.is_news
        return read.trouble is not None or announces_any_below(body, self._folders(), bucket=self.bucket)

    def _folders(self) -> tuple[str, ...]:
        """Give the folders whose new objects are news."""
        return tuple(f"{self.prefix}{folder}" for folder in ((INBOX,) if self.of_images else ANSWERS))

    async def _may_hold_own_objects(self) -> bool:
        """Whether the bucket may send more to the queue than belongs into it, as far as that can be seen."""
        now = time.monotonic()
        if self._inspected is None or now - self._inspected[0] >= self.inspect_seconds:
            self._inspected = now, await self._inspect()
        return self._inspected[1]

    async def _inspect(self) -> bool:
        try:
            async with await self.hook("s3").get_async_conn() as client:
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
        return may_send_own_objects(found, self.queue_arn, self._folders())
