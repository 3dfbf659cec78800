"""The newest snapshot that a training was begun on, and what was found in it."""

from __future__ import annotations

from custom_labels.datasets.inspection.inspection import Inspection
from custom_labels.datasets.inspection.inspection_records import read_inspection
from custom_labels.s3.store import S3Store
from custom_labels.training.training_records import read_trainings


def newest_inspection(store: S3Store) -> Inspection | None:
    """Read what was found in the snapshot of the last training that was begun and inspected; ``None`` without one."""
    for attempt in reversed(read_trainings(store).every):
        if (found := read_inspection(store, attempt.digest)) is not None:
            return found
    return None
