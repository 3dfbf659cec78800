"""The trigger that waits for a project's lock, and the heartbeat of a run that holds it while a trigger waits."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

from airflow.triggers.base import BaseTrigger, TriggerEvent
from asgiref.sync import sync_to_async
from botocore.exceptions import BotoCoreError, ClientError

from custom_labels.core.lock import BEATS, LEASE_SECONDS, may_take
from custom_labels.core.lock_records import LockFile, LockLost
from custom_labels.errors import CustomLabelsError
from custom_labels.s3.store import S3Store

log = logging.getLogger(__name__)


class ProjectLockTrigger(BaseTrigger):
    """Fire when a run may take a lock, by the rule that decides when it tries.

    :param owner: the run.
    :param key: which lock, relative to the prefix.
    :param bucket: the project's bucket.
    :param prefix: what the keys of the project begin with.
    :param poll_seconds: seconds between two polls.
    """

    def __init__(
        self,
        *,
        owner: str,
        key: str,
        bucket: str,
        prefix: str,
        poll_seconds: float = 15,
        aws_conn_id: str | None = "aws_default",
        region_name: str | None = None,
        verify: bool | str | None = None,
        botocore_config: dict[str, Any] | None = None,
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.owner = owner
        self.key = key
        self.bucket = bucket
        self.prefix = prefix
        self.poll_seconds = poll_seconds
        self.aws_conn_id = aws_conn_id
        self.region_name = region_name
        self.verify = verify
        self.botocore_config = botocore_config

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Give class path and arguments, for the triggerer."""
        arguments = {
            "owner": self.owner,
            "key": self.key,
            "bucket": self.bucket,
            "prefix": self.prefix,
            "poll_seconds": self.poll_seconds,
            "aws_conn_id": self.aws_conn_id,
            "region_name": self.region_name,
            "verify": self.verify,
            "botocore_config": self.botocore_config,
        }
        return f"{type(self).__module__}.{type(self).__qualname__}", arguments

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Poll until the lock is free or its lease is over."""
        store = S3Store(self.bucket, self.prefix, self.aws_conn_id, self.region_name, self.verify, self.botocore_config)
        read = sync_to_async(LockFile(store, self.owner, self.key).read, thread_sensitive=False)
        while True:
            await asyncio.sleep(self.poll_seconds)
            holder, _ = await read()
            if may_take(holder, owner=self.owner, now=datetime.now(UTC)):
                yield TriggerEvent({"status": "success"})
                return


async def keep_lease(lock: LockFile) -> None:
    """Extend the lease of a run's lock for as long as the run waits in a trigger, until this is cancelled.

    A lock that another run took over is left to it: the run finds out before it pays for anything.
    """
    hold = sync_to_async(lock.hold, thread_sensitive=False)
    pause = LEASE_SECONDS / BEATS
    while True:
        try:
            pause = (await hold()).lease_seconds / BEATS
        except LockLost as error:
            log.warning("%s", error)
            return
        except (CustomLabelsError, ClientError, BotoCoreError) as error:
            log.warning("The lease of %s was not extended, which is tried again: %s", lock.key, error)
        await asyncio.sleep(pause)
