"""Single images of a stored snapshot, whatever the project learns: their side, their labels and their annotations."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from custom_labels.core.project_task import ProjectTask
from custom_labels.datasets.annotated_table import AnnotatedTable
from custom_labels.datasets.annotations.annotation import Annotation, Refused
from custom_labels.datasets.annotations.kinds import KINDS
from custom_labels.datasets.image_table import ImageTable
from custom_labels.datasets.images import MAXIMUM_TEST_IMAGES
from custom_labels.datasets.manifest import annotated_line
from custom_labels.datasets.snapshot import SnapshotHeader
from custom_labels.datasets.split import Subset

_HOLDING = "SELECT key, etag, position, reason FROM image WHERE key IN wanted OR position IN wanted ORDER BY label, key"
_COLUMNS = "image.label, image.key, etag, position, is_test(position), unused_test.key IS NULL, body.text"
_SOURCE = """
FROM main.image LEFT JOIN main.body ON body.key = image.key LEFT JOIN unused_test ON unused_test.key = image.key
"""
_UNUSED = """
INSERT INTO unused_test
SELECT key FROM main.image WHERE label = ? AND is_test(position) ORDER BY position LIMIT -1 OFFSET ?
"""


@dataclass(frozen=True)
class CheckedImage:
    """An image as the last check of all images found it.

    :param position: of its content, see :func:`custom_labels.datasets.split.position`; ``None`` where it is not known.
    :param reason: name of a :class:`~custom_labels.datasets.images.LeftOut`, why it cannot be used; ``None`` if it can.
    """

    key: str
    etag: str
    position: str | None
    reason: str | None


class CheckedImages(ImageTable):
    """The images that the last check knows.

    :param path: a local copy of ``snapshots/checks/images.sqlite``.
    """

    def holding(self, names: Iterable[str]) -> list[CheckedImage]:
        """Find images by their keys, or by the positions of their contents."""
        self._want(names)
        return [CheckedImage(*row) for row in self._all(_HOLDING)]


@dataclass(frozen=True)
class SnapshotImage:
    """An image in a snapshot.

    :param key: relative to the project's prefix; ``etag`` is without quotes.
    :param position: of its content.
    :param is_used: whether it is in a manifest; a test image above the number that Custom Labels takes is in none.
    :param annotation: its labels or boxes; without a moment where its folder gave the label.
    """

    key: str
    etag: str
    position: str
    subset: Subset
    is_used: bool
    labels: tuple[str, ...]
    annotation: Annotation | None = None


class SnapshotContents(AnnotatedTable):
    """The images of a snapshot, found or gone through one at a time: memory does not grow with their number.

    :param path: a local copy of the snapshot's images, which is a copy of its own: tables are added to it.
    :param header: the snapshot's.
    :param uri_prefix: ``s3://bucket/prefix/`` of the project.
    """

    def __init__(self, path: Path, header: SnapshotHeader, uri_prefix: str) -> None:
        super().__init__(path)
        self._header = header
        self._uri_prefix = uri_prefix
        self._use_rule("is_test", header.split)
        if any(count.images - count.train > count.test for count in header.snapshot.labels):
            self._find_unused()

    def _find_unused(self) -> None:
        if self._header.task is not ProjectTask.IMAGE_CLASSIFICATION:
            self.limit_tests(self._header.split)
            return
        for count in self._header.snapshot.labels:
            self._database.execute(_UNUSED, (count.label, MAXIMUM_TEST_IMAGES))

    def holding(self, names: Iterable[str]) -> list[SnapshotImage]:
        """Find images by their keys, or by the positions of their contents."""
        self._want(names)
        return list(self._select("WHERE image.key IN wanted OR position IN wanted ORDER BY image.label, image.key"))

    def _select(self, condition: str, *values: object) -> Iterator[SnapshotImage]:
        query = f"SELECT {_COLUMNS} {_SOURCE} {condition}"
        for row in self._database.execute(query, values):
            yield self._image(*row)

    def _image(
        self, label: str, key: str, etag: str, position: str, is_test: bool, is_used: bool, body: str | None
    ) -> SnapshotImage:
        annotation = self._annotation(key, body)
        labels = annotation.labels if annotation else (label,) if label else ()
        side = Subset.TEST if is_test else Subset.TRAIN
        return SnapshotImage(key, etag, position, side, bool(is_used), labels, annotation)

    def _annotation(self, key: str, body: Any) -> Annotation | None:
        kind = KINDS.get(self._header.task)
        if kind is None or body is None:
            return None
        try:
            return kind.read(annotated_line(f"{self._uri_prefix}{key}", body))
        except Refused:  # the file was changed by somebody since: what it says else still counts
            return None
