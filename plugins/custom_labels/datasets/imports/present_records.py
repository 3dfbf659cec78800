"""What a project has already: its images by content, or the lines that count, in a local file that tasks share."""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple, Self

from custom_labels.core.keys import IMAGES, LINES_READ
from custom_labels.core.project_task import ProjectTask
from custom_labels.datasets.annotated_table import AnnotatedTable
from custom_labels.datasets.annotation_records import AnnotationReader
from custom_labels.datasets.annotations.kinds import KINDS
from custom_labels.datasets.annotations.report import AnnotationReport
from custom_labels.datasets.images import Tally
from custom_labels.datasets.label_names import readable_name
from custom_labels.s3.pages import pages
from custom_labels.s3.store import S3Store

_MOST_DUPLICATES = 1_000
_TABLES = """
PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;
CREATE TABLE image (key TEXT PRIMARY KEY, label TEXT, etag TEXT, size INT) WITHOUT ROWID;
CREATE TABLE line (key TEXT PRIMARY KEY, digest TEXT, created TEXT) WITHOUT ROWID;
"""


class PresentImage(NamedTuple):
    """An image in a label's folder."""

    key: str
    label: str


class PresentLine(NamedTuple):
    """What counts about an image: the digest of its annotation, and the last moment of any line about it."""

    digest: str
    created: datetime


class Present:
    """What a project has, in a local file."""

    def __init__(self, path: Path) -> None:
        self._database = sqlite3.connect(path, isolation_level=None, check_same_thread=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._database.close()

    def image(self, key: str) -> PresentImage | None:
        """Give an image in a label's folder by its key, relative to the project's prefix."""
        with closing(self._database.cursor()) as cursor:
            row = cursor.execute("SELECT key, label FROM image WHERE key = ?", (key,)).fetchone()
        return PresentImage(*row) if row else None

    def same_content(self, etag: str, size: int) -> list[PresentImage]:
        """Give the images in labels' folders with the same content, as far as ETags tell; of very many the first."""
        query = "SELECT key, label FROM image WHERE etag = ? AND size = ? ORDER BY key LIMIT ?"
        with closing(self._database.cursor()) as cursor:
            return [PresentImage(*row) for row in cursor.execute(query, (etag, size, _MOST_DUPLICATES))]

    def line(self, key: str) -> PresentLine | None:
        """Give what counts about an image by its key, relative to the project's prefix."""
        with closing(self._database.cursor()) as cursor:
            row = cursor.execute("SELECT digest, created FROM line WHERE key = ?", (key,)).fetchone()
        return PresentLine(row[0], datetime.fromisoformat(row[1])) if row else None


def list_present(store: S3Store, task: ProjectTask, path: Path) -> None:
    """Write what a project has into a new local file.

    :param task: of images with one label those in the folders are listed, of others the lines that count.
    """
    path.unlink(missing_ok=True)
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        database.executescript(_TABLES)
        database.execute("BEGIN")
        if task.has_several:
            database.executemany("INSERT INTO line VALUES (?, ?, ?)", _lines(store, task))
        else:
            database.executemany("INSERT INTO image VALUES (?, ?, ?, ?)", _images(store))
        database.execute("COMMIT")
        database.execute("CREATE INDEX by_content ON image (etag, size)")


def _images(store: S3Store) -> Iterator[tuple[str, str, str, int]]:
    for page in pages(store, IMAGES):
        for key, etag, size in zip(page.keys, page.etags, page.sizes, strict=True):
            name = key.decode()
            folder, slash, _ = name.removeprefix(IMAGES).partition("/")
            if slash and not name.endswith("/"):
                yield name, readable_name(folder), etag.decode(), int(size)


def _lines(store: S3Store, task: ProjectTask) -> Iterator[tuple[str, str, str]]:
    with tempfile.TemporaryDirectory(prefix="custom-labels-") as name, AnnotatedTable(Path(name) / "images") as table:
        folder = Path(name)
        # The lines that the last count has read, so that unchanged files are not read again.
        store.download(LINES_READ, folder / "read")
        table.use_lines(folder / "newest", folder / "read")
        AnnotationReader(store, KINDS[task], Tally(), AnnotationReport(), folder).read_all(table, datetime.now(UTC))
        yield from table.newest_lines()
