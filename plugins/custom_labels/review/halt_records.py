"""The record that reviews fail for a technical reason, ``reviews/halt.json``, which all DAGs of a project share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from custom_labels.core.codec import from_json, to_json
from custom_labels.core.keys import REVIEWS
from custom_labels.review.halt import ReviewHalt
from custom_labels.s3.changes import change_json
from custom_labels.s3.store import S3Store

HALT = f"{REVIEWS}halt.json"


def read_halt(store: S3Store) -> ReviewHalt | None:
    """Read whether the opening of reviews is halted; ``None`` if it is not."""
    return _read(store.read_json(HALT)[0])


def change_halt(store: S3Store, change: Callable[[ReviewHalt | None], ReviewHalt | None]) -> ReviewHalt | None:
    """Change it by compare-and-set, and give what counts.

    :param change: gives the new halt for the present one; it may be asked several times.
    """

    def written(value: Any) -> Any:
        before = _read(value)
        after = change(before)
        return value if after == before else to_json(after) if after else {}

    return _read(change_json(store, HALT, written))


def _read(value: Any) -> ReviewHalt | None:
    return from_json(ReviewHalt, value) if value else None
