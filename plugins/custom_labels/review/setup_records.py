"""The record of a project's review flows, ``registry/review.json``."""

from __future__ import annotations

from collections.abc import Iterable

from custom_labels.core.codec import from_json, to_json
from custom_labels.core.registry import REVIEW
from custom_labels.review.setup import ReviewFlow, ReviewRecord
from custom_labels.s3.store import ObjectChanged, ObjectExists, S3Store

_TRIES = 10


def read_review_record(store: S3Store) -> ReviewRecord:
    """Read the record; an empty one before the first set-up."""
    value, _ = store.read_json(REVIEW)
    return from_json(ReviewRecord, value) if value else ReviewRecord()


def record_flows(store: S3Store, task_ui: str, flows: Iterable[ReviewFlow]) -> bool:
    """Make these the flows to open reviews with, by compare-and-set, and keep every earlier one.

    :return: whether anything had to be written.
    :raises ObjectChanged: others changed the record all the time.
    """
    flows = tuple(flows)
    for attempt in range(_TRIES):
        value, etag = store.read_json(REVIEW)
        present = from_json(ReviewRecord, value) if value else ReviewRecord()
        wanted = present.with_current(task_ui, flows)
        if wanted == present:
            return False
        try:
            store.write_if_unchanged(REVIEW, to_json(wanted), etag)
        except (ObjectChanged, ObjectExists):
            if attempt == _TRIES - 1:
                raise
        else:
            return True
    return False
