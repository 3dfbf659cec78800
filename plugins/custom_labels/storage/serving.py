"""When each version ran, in S3: ``registry/serving/<version>.json``, written by compare-and-set.

Whoever starts or stops a version says so here; the cost guard adds what nobody said. Every call may be repeated.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from datetime import datetime

from custom_labels.domain.serving import ServingRecord
from custom_labels.storage.store import ObjectChanged, ObjectExists, S3Store

SERVING = "registry/serving/"
_LONGEST_PAUSE_MS = 200


class ServingLog:
    """The records below ``registry/serving/``.

    :param store: the project's bucket and prefix.
    """

    def __init__(self, store: S3Store) -> None:
        self.store = store

    def read(self, version_name: str) -> ServingRecord:
        """Read when a version ran; an empty record if nobody ever said that it did."""
        value, _ = self.store.read_json(serving_key(version_name))
        return ServingRecord.from_json(value) if value else ServingRecord()

    def started(self, version_name: str, units: int, at: datetime) -> None:
        """Record that a version is RUNNING; nothing changes while it is known to run.

        :param units: inference units that it runs on.
        :param at: when it was found to run, with a time zone.
        """
        self._change(version_name, lambda record: record.started(units, at))

    def stopped(self, version_name: str, at: datetime) -> None:
        """Record that a version does not run any more.

        :param at: when it was told to stop, with a time zone.
        """
        self._change(version_name, lambda record: record.stopped(at))

    def seen(self, version_name: str, units: int, status: str | None, at: datetime) -> None:
        """Record what AWS says of a version now, and so what nobody else recorded.

        :param units: ``MinInferenceUnits`` of the description; of no account unless it runs.
        :param status: AWS's status, ``None`` for a version that is gone.
        :param at: when AWS was asked, with a time zone.
        """
        self._change(version_name, lambda record: record.seen(units, status, at))

    def _change(self, version_name: str, change: Callable[[ServingRecord], ServingRecord]) -> None:
        """Change a record by compare-and-set; each refusal means that somebody else came further."""
        key = serving_key(version_name)
        while True:
            value, etag = self.store.read_json(key)
            before = ServingRecord.from_json(value) if value else ServingRecord()
            after = change(before)
            if after == before:
                return
            try:
                self.store.write_if_unchanged(key, after.to_json(), etag)
            except (ObjectExists, ObjectChanged):
                time.sleep(secrets.randbelow(_LONGEST_PAUSE_MS) / 1000)
            else:
                return


def serving_key(version_name: str) -> str:
    """Give the place of a version's record."""
    return f"{SERVING}{version_name}.json"
