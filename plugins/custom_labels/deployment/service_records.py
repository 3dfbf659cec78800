"""The record of the live version's service, ``registry/service.json``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from custom_labels.core.codec import from_json, to_json
from custom_labels.deployment.service import ServiceMemory
from custom_labels.s3.changes import change_json
from custom_labels.s3.store import S3Store

SERVICE = "registry/service.json"


def read_service(store: S3Store) -> ServiceMemory:
    """Read the record; an empty one before the cost guard did anything."""
    return _read(store.read_json(SERVICE)[0])


def change_service(store: S3Store, change: Callable[[ServiceMemory], ServiceMemory]) -> ServiceMemory:
    """Change the record by compare-and-set; nothing is written where nothing changes."""

    def changed(value: Any) -> Any:
        before = _read(value)
        after = change(before)
        return value if after == before else to_json(after)

    return _read(change_json(store, SERVICE, changed))


def _read(value: Any) -> ServiceMemory:
    return from_json(ServiceMemory, value) if value else ServiceMemory()
