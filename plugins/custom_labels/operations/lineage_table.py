"""A version's images, each with what the version said of it, in local SQLite files."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path

from custom_labels.core.codec import from_json, to_json
from custom_labels.datasets.snapshot import SnapshotHeader
from custom_labels.datasets.snapshot_contents import SnapshotContents, SnapshotImage
from custom_labels.evaluation.answers import Answer
from custom_labels.operations.lineage import Seen, Show, VersionImage, seen_in

# Temporary tables lie in a file of SQLite's own, so that memory does not grow with the answers either.
_ANSWERS = "CREATE TEMP TABLE answer (key TEXT PRIMARY KEY, is_right INT, seen TEXT) WITHOUT ROWID"
_JOINED = "LEFT JOIN answer ON answer.key = image.key"
_CONDITIONS: dict[str, str] = {
    Show.ALL: "TRUE",
    Show.TRAIN: "NOT is_test(position)",
    Show.TEST: "is_test(position)",
    Show.WRONG: "answer.is_right = 0",
}
RIGHT = "right"
"""Name of the number of images that were answered rightly."""


class VersionTable(SnapshotContents):
    """The images of a version's snapshot, joined with its answers."""

    def __init__(self, path: Path, header: SnapshotHeader, uri_prefix: str) -> None:
        super().__init__(path, header, uri_prefix)
        self._database.execute(_ANSWERS)

    def add_answers(self, answers: Iterable[Answer]) -> None:
        """Take up what the version said of its test images; of two answers to one image the later counts."""
        self._database.execute("BEGIN")
        for answer in answers:
            row = (answer.image.removeprefix(self._uri_prefix), answer.right, json.dumps(to_json(seen_in(answer))))
            self._database.execute("INSERT OR REPLACE INTO answer VALUES (?, ?, ?)", row)
        self._database.execute("COMMIT")

    def count_shown(self) -> dict[str, int]:
        """Count the images by :class:`Show`, and those that were answered rightly as ``right``."""
        conditions = {**_CONDITIONS, RIGHT: "answer.is_right = 1"}
        return {
            str(name): int(self._all(f"SELECT count(*) FROM main.image {_JOINED} WHERE {condition}")[0][0])  # noqa: S608
            for name, condition in conditions.items()
        }

    def shown(self, show: Show = Show.ALL, *, skip: int = 0, most: int = -1) -> Iterator[VersionImage]:
        """Give the images in the order of labels and keys, one at a time; of several labels in that of keys.

        :param skip: so many at the beginning; ``most`` is how many are given, all without it.
        """
        condition = f"{_JOINED} WHERE {_CONDITIONS[show]} ORDER BY image.label, image.key LIMIT ? OFFSET ?"
        for image in self._select(condition, most, skip):
            yield self._answered(image)

    def _answered(self, image: SnapshotImage) -> VersionImage:
        for is_right, seen in self._all("SELECT is_right, seen FROM answer WHERE key = ?", image.key):
            return VersionImage(image, from_json(tuple[Seen, ...], json.loads(seen)), bool(is_right))
        return VersionImage(image)
