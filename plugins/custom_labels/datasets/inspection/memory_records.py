"""What is remembered of pictures that were looked at, by their content: ``snapshots/checks/pictures.sqlite``.

An image that was looked at is not read again, wherever it lies. Losing the file costs only reading again. It grows by
some 0.7 KB with each content that ever was trained on, and each box, and is written by a run that holds the project's
lock.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from custom_labels.core.keys import PICTURES
from custom_labels.datasets.annotations.annotation import Box
from custom_labels.datasets.inspection.picture_features import Features
from custom_labels.s3.store import S3Store

_TABLES = """
PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;
CREATE TABLE IF NOT EXISTS seen (position TEXT, annotation TEXT, PRIMARY KEY (position, annotation)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS picture (
    position TEXT, part TEXT, hash BLOB, content BLOB, PRIMARY KEY (position, part)
) WITHOUT ROWID;
"""
_UNSEEN = """
SELECT position, key, etag, annotation FROM snapshot.image
WHERE position > ? AND (position, {annotation}) NOT IN (SELECT position, annotation FROM seen)
ORDER BY position LIMIT ?
"""
_WHOLE = ""
"""The part of a picture that is all of it; other parts are boxes."""


@dataclass(frozen=True)
class Unseen:
    """An image of the snapshot that is to be read.

    :param annotation: digest of its boxes, where these are looked at; else empty.
    """

    position: str
    key: str
    etag: str
    annotation: str


class PictureMemory:
    """What is remembered, in a local file, beside the images of a snapshot.

    :param path: the file; begun anew if it is missing or damaged.
    :param images: file of the snapshot's images, an ``ImageTable``.
    :param has_boxes: whether boxes are looked at, so that an image with other boxes is read again.
    """

    def __init__(self, path: Path, images: Path, *, has_boxes: bool) -> None:
        if not _is_sound(path):
            path.unlink(missing_ok=True)
        self.path = path
        self._database = sqlite3.connect(path, isolation_level=None)
        self._database.executescript(_TABLES)
        self._database.execute("ATTACH ? AS snapshot", (str(images),))
        self._unseen = _UNSEEN.format(annotation="annotation" if has_boxes else "''")
        self._has_boxes = has_boxes

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._database.close()

    def rows(self, query: str, *values: object) -> Iterator[Any]:
        """Ask the snapshot's images, as ``snapshot``, and what is remembered, as ``picture``."""
        yield from self._database.execute(query, values)

    def unseen(self, most: int) -> Iterator[list[Unseen]]:
        """Give the images that were not looked at yet, some at a time; each once, even if it cannot be read."""
        last = ""
        while rows := self._database.execute(self._unseen, (last, most)).fetchall():
            last = rows[-1][0]
            yield [Unseen(place, key, etag, (note or "") if self._has_boxes else "") for place, key, etag, note in rows]

    def body(self, key: str) -> str:
        """Give the line of an image's boxes, without its beginning."""
        return str(self._database.execute("SELECT text FROM snapshot.body WHERE key = ?", (key,)).fetchone()[0])

    def remember(self, found: Iterable[tuple[Unseen, dict[str, Features]]]) -> None:
        """Remember images by the features of their parts; one without any cannot be decoded."""
        self._database.execute("BEGIN")
        for image, parts in found:
            self._database.execute("INSERT OR IGNORE INTO seen VALUES (?, ?)", (image.position, image.annotation))
            self._database.executemany(
                "INSERT OR REPLACE INTO picture VALUES (?, ?, ?, ?)",
                ((image.position, part, hash_bytes(each.hash), each.content) for part, each in parts.items()),
            )
        self._database.execute("COMMIT")

    def keep(self, store: S3Store) -> None:
        """Keep it in S3."""
        store.upload(self.path, PICTURES)


def fetch_memory(store: S3Store, images: Path, folder: Path, *, has_boxes: bool) -> PictureMemory:
    """Copy what is remembered to this machine."""
    path = folder / "pictures.sqlite"
    store.download(PICTURES, path)
    return PictureMemory(path, images, has_boxes=has_boxes)


def hash_bytes(bits: int | None) -> bytes | None:
    """Give a hash as SQLite keeps it, whose integers have a sign."""
    return None if bits is None else bits.to_bytes(8, "little")


def box_part(box: Box) -> str:
    """Name the part of a picture that is within a box, whatever its label."""
    return hashlib.sha256(json.dumps(box.sides).encode()).hexdigest()[:16]


def _is_sound(path: Path) -> bool:
    """Say whether a file holds pictures, to its end."""
    with closing(sqlite3.connect(path)) as database:
        try:
            database.execute("SELECT sum(length(content)), sum(length(hash)) FROM picture").fetchone()
            database.execute("SELECT count(annotation) FROM seen").fetchone()
        except sqlite3.DatabaseError:
            return False
    return True
