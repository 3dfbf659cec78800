"""When each version ran, in S3: ``registry/serving/<version>.json``, written by compare-and-set.

Whoever starts or stops a version says so here; the cost guard adds what was not recorded. Every call may be repeated.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any

from custom_labels.core.codec import from_json, to_json
from custom_labels.deployment.serving import ServingRecord
from custom_labels.s3.changes import change_json
from custom_labels.s3.line_files import READERS, list_keys
from custom_labels.s3.store import S3Store

SERVING = "registry/serving/"


class ServingLog:
    """The records below ``registry/serving/``.

    :param store: the project's bucket and prefix.
    """

    def __init__(self, store: S3Store) -> None:
        self.store = store

    def read(self, version_name: str) -> ServingRecord:
        """Read when a version ran; an empty record if none was written."""
        value, _ = self.store.read_json(serving_key(version_name))
        return from_json(ServingRecord, value) if value else ServingRecord()

    def started(self, version_name: str, units: int, at: datetime) -> None:
        """Record that a version is RUNNING; nothing changes while it is known to run.

        :param units: inference units that it runs on.
        :param at: when it was found to run, with a time zone.
        """
        self._change(version_name, lambda record: record.started(units, at))

    def stopped(self, version_name: str, at: datetime) -> None:
        """Record that a version does not run any more.

        :param at: when it was asked to stop, with a time zone.
        """
        self._change(version_name, lambda record: record.stopped(at))

    def seen(self, version_name: str, units: int, status: str | None, at: datetime) -> None:
        """Record what AWS says of a version now, and so what was not recorded yet.

        :param units: ``MinInferenceUnits`` of the description; of no account unless it runs.
        :param status: AWS's status, ``None`` for a version that is gone.
        :param at: when AWS was asked, with a time zone.
        """
        self._change(version_name, lambda record: record.seen(units, status, at))

    def seen_all(self, states: Mapping[str, tuple[int, str]], at: datetime) -> dict[str, ServingRecord]:
        """Record what AWS says of all versions, as :meth:`seen` does of one, and read when each of them ran.

        :param states: inference units and status by version; one that ran once and is not among them is gone.
        :return: by version that ever ran, its record as it is then.
        """
        keys = [key for page in list_keys(self.store, SERVING) for key in page]
        names = {key.removeprefix(SERVING).removesuffix(".json") for key in keys}
        names |= {name for name, (_, status) in states.items() if status == "RUNNING"}

        def change(name: str) -> ServingRecord:
            units, status = states.get(name, (1, None))
            return self._change(name, lambda record: record.seen(units, status, at))

        with ThreadPoolExecutor(READERS) as pool:
            return dict(zip(sorted(names), pool.map(change, sorted(names)), strict=True))

    def _change(self, version_name: str, change: Callable[[ServingRecord], ServingRecord]) -> ServingRecord:
        def changed(value: Any) -> Any:
            before = from_json(ServingRecord, value) if value else ServingRecord()
            after = change(before)
            return value if after == before else to_json(after)

        value = change_json(self.store, serving_key(version_name), changed)
        return from_json(ServingRecord, value) if value else ServingRecord()


def serving_key(version_name: str) -> str:
    """Give the place of a version's record."""
    return f"{SERVING}{version_name}.json"
