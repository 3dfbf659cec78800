"""The images of a folder that wait for labels: those that no person has answered about, however many there are.

They lie in an SQLite file, so that memory does not grow with their number. The ledger of reviews says which of them
have their answer, whoever asked: a doubtful detection, an earlier round, or another label assist.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Self

from custom_labels.aws.predictions import InferenceImage
from custom_labels.core.keys import has_control_character, may_be_image
from custom_labels.core.names import review_name, review_subject
from custom_labels.detection.work import WorkItem
from custom_labels.review.harvest_records import read_ledger
from custom_labels.review.tally import GOES_ON
from custom_labels.s3.pages import pages
from custom_labels.s3.store import S3Store

_TABLES = """
PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;
CREATE TABLE answered (subject TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE image (key TEXT, etag TEXT, subject TEXT, place TEXT);
CREATE VIEW waiting AS SELECT * FROM image WHERE subject NOT IN answered;
"""


class ImagePool:
    """The images below a folder without an answer.

    :param store: the project's bucket and prefix.
    :param path: of a temporary database, which does not exist yet and is to be thrown away after use.
    :param project: the project's name, from which the names of reviews are derived.
    """

    def __init__(self, store: S3Store, path: Path, project: str) -> None:
        self.store = store
        self.project = project
        self.most: int | None = None
        self.listed = 0
        self._database = sqlite3.connect(path, isolation_level=None)
        self._database.executescript(_TABLES)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._database.close()

    def fill(self, prefix: str, most: int | None) -> None:
        """List the folder, and leave out what the ledger has an answer about.

        :param prefix: relative to the project's prefix.
        :param most: images that the pool gives, at most: those with the lowest places, which are hashes, so that they
            are a fair sample.
        """
        self.most = most
        self._database.execute("BEGIN")
        for page in pages(self.store, prefix):
            self._database.executemany("INSERT INTO image VALUES (?, ?, ?, ?)", self._rows(page.keys, page.etags))
        for file in read_ledger(self.store):
            subjects = (
                (review_subject(line["review"]),) for line in file.records if line["review_outcome"] not in GOES_ON
            )
            self._database.executemany("INSERT OR IGNORE INTO answered VALUES (?)", subjects)
        self._database.execute("COMMIT")

    def _rows(self, keys: list[bytes], etags: list[bytes]) -> Iterator[tuple[str, str, str, str]]:
        for raw, etag in zip(keys, map(bytes.decode, etags), strict=True):
            key = raw.decode()
            if key.endswith("/") or has_control_character(key) or not may_be_image(key):
                continue
            self.listed += 1
            subject = review_subject(review_name(self.project, key, etag, 1))
            yield key, etag, subject, hashlib.sha256(subject.encode()).hexdigest()

    @property
    def waiting(self) -> int:
        """How many images have no answer, whether the pool gives all of them or not."""
        return int(self._database.execute("SELECT count(*) FROM waiting").fetchone()[0])

    def __len__(self) -> int:
        waiting = self.waiting
        return waiting if self.most is None else min(waiting, self.most)

    def __iter__(self) -> Iterator[WorkItem]:
        """Give the images in an order that is the same at every try."""
        query = "SELECT key, etag FROM waiting ORDER BY place LIMIT ?"
        with closing(self._database.execute(query, (-1 if self.most is None else self.most,))) as rows:
            for key, etag in rows:
                yield WorkItem((InferenceImage(key, etag),))
