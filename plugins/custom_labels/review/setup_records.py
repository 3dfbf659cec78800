"""The record of a project's review flows, ``registry/review.json``."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from custom_labels.core.codec import from_json, to_json
from custom_labels.core.registry import REVIEW
from custom_labels.review.setup import ReviewFlow, ReviewRecord
from custom_labels.s3.changes import change_json
from custom_labels.s3.store import S3Store


def read_review_record(store: S3Store) -> ReviewRecord:
    """Read the record; an empty one before the first set-up."""
    return _read(store.read_json(REVIEW)[0])


def record_flows(store: S3Store, task_ui: str, flows: Iterable[ReviewFlow]) -> bool:
    """Make these the flows to open reviews with, by compare-and-set, and keep every earlier one.

    :return: whether anything had to be written.
    """
    flows, is_new = tuple(flows), False

    def add(value: Any) -> Any:
        nonlocal is_new
        present = _read(value)
        wanted = present.with_current(task_ui, flows)
        is_new = wanted != present
        return to_json(wanted) if is_new else value

    change_json(store, REVIEW, add)
    return is_new


def _read(value: Any) -> ReviewRecord:
    return from_json(ReviewRecord, value) if value else ReviewRecord()
