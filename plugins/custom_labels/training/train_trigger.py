"""The trigger that waits for a training and holds the project meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from airflow.triggers.base import TriggerEvent

from custom_labels.aws.triggers.rekognition import ProjectVersionStatusTrigger
from custom_labels.core.lock_records import LockFile
from custom_labels.core.lock_trigger import keep_lease
from custom_labels.s3.store import S3Store


class TrainingTrigger(ProjectVersionStatusTrigger):
    """Wait for a training, and extend the lease of the run's lock: no other run begins one meanwhile.

    :param owner: the run that holds the project.
    :param bucket: the project's bucket.
    :param prefix: what the keys of the project begin with.
    """

    def __init__(self, *, owner: str, bucket: str, prefix: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.owner = owner
        self.bucket = bucket
        self.prefix = prefix
        self.serialized_fields.update(owner=owner, bucket=bucket, prefix=prefix)

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Poll, with a heartbeat beside it."""
        store = S3Store(self.bucket, self.prefix, self.aws_conn_id, self.region_name, self.verify, self.botocore_config)
        heartbeat = asyncio.create_task(keep_lease(LockFile(store, self.owner)))
        try:
            async for event in super().run():
                yield event
        finally:
            heartbeat.cancel()
