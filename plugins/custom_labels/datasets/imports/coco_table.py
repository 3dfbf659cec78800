"""A COCO file's images and annotations, which are apart from each other there, joined in a local SQLite file."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

_TABLES = """
PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;
CREATE TABLE category (id TEXT PRIMARY KEY, name TEXT, code TEXT, detail TEXT) WITHOUT ROWID;
CREATE TABLE image (number INTEGER PRIMARY KEY, id TEXT UNIQUE, name TEXT UNIQUE, width INT, height INT);
CREATE TABLE shape (
    image TEXT, number INT, id TEXT, category TEXT, x REAL, y REAL, width REAL, height REAL, confidence REAL,
    code TEXT, detail TEXT
);
"""
_JOINED = """
SELECT one.number, one.id, one.name, one.width, one.height,
    each.id, each.category, each.x, each.y, each.width, each.height, each.confidence, each.code, each.detail,
    category.name, category.code, category.detail
FROM image AS one LEFT JOIN shape AS each ON each.image = one.id LEFT JOIN category ON category.id = each.category
ORDER BY one.number, each.number
"""


class ShapeRow(NamedTuple):
    """An annotation: its box in pixels, or what is wrong with it.

    :param image: id of its image; ids are JSON texts, so that 1 and "1" are two.
    :param number: of the annotation in its file.
    """

    image: str
    number: int
    id: str
    category: str
    x: float | None = None
    y: float | None = None
    width: float | None = None
    height: float | None = None
    confidence: float = 1
    code: str | None = None
    detail: str | None = None


class JoinedRow(NamedTuple):
    """An image with one of its annotations, or with none."""

    number: int
    image: str
    name: str
    image_width: int
    image_height: int
    shape: str | None
    category: str | None
    x: float | None
    y: float | None
    width: float | None
    height: float | None
    confidence: float
    code: str | None
    detail: str | None
    label: str | None
    label_code: str | None
    label_detail: str | None


class CocoTable:
    """A local file of one COCO file's entries."""

    def __init__(self, path: Path) -> None:
        self._database = sqlite3.connect(path, isolation_level=None)
        self._database.executescript(_TABLES)
        self._database.execute("BEGIN")

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def add_category(self, id_: str, name: str, code: str = "", detail: str = "") -> bool:
        """Take up a category, which may be one whose name is no label; give whether its id is new."""
        return self._insert("INSERT OR IGNORE INTO category VALUES (?, ?, ?, ?)", id_, name, code, detail)

    def add_image(self, number: int, id_: str, name: str, width: int, height: int) -> bool:
        """Take up an image; give whether neither its id nor its name was there."""
        return self._insert("INSERT OR IGNORE INTO image VALUES (?, ?, ?, ?, ?)", number, id_, name, width, height)

    def add_shape(self, row: ShapeRow) -> None:
        """Take up an annotation."""
        self._insert("INSERT INTO shape VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", *row)

    def without_image(self) -> Iterator[tuple[str, str]]:
        """Give the ids of annotations whose image is not in the file, and those of these images."""
        self._database.execute("CREATE INDEX IF NOT EXISTS shape_of ON shape (image, number)")
        query = "SELECT id, image FROM shape WHERE image NOT IN (SELECT id FROM image) ORDER BY number"
        yield from self._database.execute(query)

    def joined(self) -> Iterator[JoinedRow]:
        """Give all images in the order of the file, each with its annotations."""
        self._database.execute("CREATE INDEX IF NOT EXISTS shape_of ON shape (image, number)")
        yield from map(JoinedRow._make, self._database.execute(_JOINED))

    def _insert(self, statement: str, *values: object) -> bool:
        return self._database.execute(statement, values).rowcount == 1
