"""The trigger that waits until people have answered all that a round of label assist asks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

from airflow.triggers.base import BaseTrigger, TriggerEvent
from asgiref.sync import sync_to_async

from custom_labels.assist.assist_records import Unanswered, read_asked
from custom_labels.core.names import review_subject
from custom_labels.s3.store import S3Store


class AnswersTrigger(BaseTrigger):
    """Fire when the ledger has an end of every review that a round asked for, or when the time is over.

    :param folder: of the round, relative to the prefix.
    :param since: when the round began, ISO 8601 in UTC.
    :param until: when the wait ends whatever came, ISO 8601 in UTC.
    :param bucket: the project's bucket.
    :param prefix: what the keys of the project begin with.
    :param poll_seconds: seconds between two polls.
    """

    def __init__(
        self,
        *,
        folder: str,
        since: str,
        until: str,
        bucket: str,
        prefix: str,
        poll_seconds: float = 60,
        aws_conn_id: str | None = "aws_default",
        region_name: str | None = None,
        verify: bool | str | None = None,
        botocore_config: dict[str, Any] | None = None,
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.folder = folder
        self.since = since
        self.until = until
        self.bucket = bucket
        self.prefix = prefix
        self.poll_seconds = poll_seconds
        self.aws_conn_id = aws_conn_id
        self.region_name = region_name
        self.verify = verify
        self.botocore_config = botocore_config

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Give class path and arguments, for the triggerer."""
        names = ("folder", "since", "until", "bucket", "prefix", "poll_seconds")
        hook = ("aws_conn_id", "region_name", "verify", "botocore_config")
        arguments = {name: getattr(self, name) for name in (*names, *hook)}
        return f"{type(self).__module__}.{type(self).__qualname__}", arguments

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Poll until all is answered, or the time is over."""
        store = S3Store(self.bucket, self.prefix, self.aws_conn_id, self.region_name, self.verify, self.botocore_config)
        unanswered = await sync_to_async(find_unanswered, thread_sensitive=False)(store, self.folder, self.since)
        poll = sync_to_async(unanswered.poll, thread_sensitive=False)
        while True:
            left = await poll()
            if not left or datetime.now(UTC) >= datetime.fromisoformat(self.until):
                yield TriggerEvent({"status": "success", "left": left})
                return
            await asyncio.sleep(self.poll_seconds)


def find_unanswered(store: S3Store, folder: str, since: str) -> Unanswered:
    """Give the reviews of a round that people have to answer, as they were asked for.

    :param folder: of the round, relative to the project's prefix.
    :param since: when it began, ISO 8601 in UTC.
    """
    asked = read_asked(store, folder) or ()
    return Unanswered(store, (review_subject(each.name) for each in asked), datetime.fromisoformat(since))
