"""The record of the live version's service."""

from __future__ import annotations

from collections.abc import Callable

from custom_labels.core.records import Record
from custom_labels.deployment.service import ServiceMemory
from custom_labels.s3.store import S3Store

SERVICE = Record("registry/service.json", ServiceMemory)


def read_service(store: S3Store) -> ServiceMemory:
    """Read the record; an empty one before the cost guard did anything."""
    return SERVICE.read(store) or ServiceMemory()


def change_service(store: S3Store, change: Callable[[ServiceMemory], ServiceMemory]) -> ServiceMemory:
    """Change the record by compare-and-set; nothing is written where nothing changes."""
    return SERVICE.change(store, lambda memory: change(memory or ServiceMemory())) or ServiceMemory()
