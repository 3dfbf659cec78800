"""The trigger that waits for a project's lock to change hands."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from airflow.providers.amazon.aws.hooks.s3 import S3Hook
from airflow.triggers.base import BaseTrigger, TriggerEvent
from botocore.exceptions import ClientError


class ProjectLockTrigger(BaseTrigger):
    """Fire when the lock's object is no longer what it was, and at the latest after so many polls.

    Whether the lock may then be taken is decided by the task, by the same rules as at its first try: a lease that runs
    out or a training that ends changes nothing in the object.

    :param bucket: bucket of the lock; ``key`` its full key.
    :param etag: the object's ETag when it was found held.
    :param poll_seconds: seconds between two polls.
    :param polls: number of polls before firing in any case.
    """

    def __init__(
        self,
        *,
        bucket: str,
        key: str,
        etag: str | None,
        poll_seconds: float = 15,
        polls: int = 20,
        aws_conn_id: str | None = "aws_default",
        region_name: str | None = None,
        verify: bool | str | None = None,
        botocore_config: dict[str, Any] | None = None,
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.bucket = bucket
        self.key = key
        self.etag = etag
        self.poll_seconds = poll_seconds
        self.polls = polls
        self.aws_conn_id = aws_conn_id
        self.region_name = region_name
        self.verify = verify
        self.botocore_config = botocore_config

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Give class path and arguments, for the triggerer."""
        arguments = {
            "bucket": self.bucket,
            "key": self.key,
            "etag": self.etag,
            "poll_seconds": self.poll_seconds,
            "polls": self.polls,
            "aws_conn_id": self.aws_conn_id,
            "region_name": self.region_name,
            "verify": self.verify,
            "botocore_config": self.botocore_config,
        }
        return f"{type(self).__module__}.{type(self).__qualname__}", arguments

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Look until the object changes."""
        hook = S3Hook(
            aws_conn_id=self.aws_conn_id,
            region_name=self.region_name,
            verify=self.verify,
            config=self.botocore_config,
        )
        async with await hook.get_async_conn() as client:
            for _ in range(self.polls):
                await asyncio.sleep(self.poll_seconds)
                if await self._etag_now(client) != self.etag:
                    yield TriggerEvent({"status": "success", "reason": "the lock changed"})
                    return
        yield TriggerEvent({"status": "success", "reason": "time to look at its holder again"})

    async def _etag_now(self, client: Any) -> str | None:
        try:
            head = await client.head_object(Bucket=self.bucket, Key=self.key)
        except ClientError as error:
            if error.response["Error"]["Code"] in {"404", "NoSuchKey"}:
                return None
            raise
        return str(head["ETag"])
