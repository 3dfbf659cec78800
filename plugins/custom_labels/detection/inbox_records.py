"""The inbox: which of its images have no result yet, however many there are, in memory that does not grow."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from custom_labels.aws.predictions import InferenceImage
from custom_labels.core.keys import DETECTIONS, INBOX
from custom_labels.detection.events import PassedOver, why_passed_over
from custom_labels.detection.result_records import has_result, result_folder
from custom_labels.detection.work import WorkItem
from custom_labels.s3.pages import Page, pages
from custom_labels.s3.store import S3Store

THREADS = 16

_TABLES = """
CREATE TABLE results (folder TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE found (key TEXT, etag TEXT, is_empty INTEGER);
"""


class Inbox:
    """The images that a run has to do: those that messages announced, and those that are found by looking.

    :param store: the project's bucket and prefix.
    :param path: an empty place for a temporary database, to be thrown away after use.
    :param most: images at most.
    """

    def __init__(self, store: S3Store, path: Path, most: int) -> None:
        self.store = store
        self.most = most
        self.left = False
        """Whether there are more images than that."""
        self.passed_over: Counter[PassedOver] = Counter()
        """Objects that lie in the inbox and are not put to a version, as far as a sweep came."""
        self.items: list[WorkItem] = []
        self._found = 0
        self._database = sqlite3.connect(path)
        self._database.executescript(_TABLES)

    def __enter__(self) -> Inbox:
        return self

    def __exit__(self, *_: object) -> None:
        self._database.close()

    def __len__(self) -> int:
        return len(self.items) + self._found

    def __iter__(self) -> Iterator[WorkItem]:
        yield from self.items
        with closing(self._database.execute("SELECT key, etag, is_empty FROM found ORDER BY rowid")) as rows:
            for key, etag, is_empty in rows:
                yield WorkItem((InferenceImage(key, etag, bool(is_empty)),))

    def announce(self, items: list[WorkItem], *, swept: bool) -> list[WorkItem]:
        """Take announced images; those of messages that came before are looked up, as they may be done already.

        :param swept: whether :meth:`sweep` follows, which looks all of them up at once.
        :return: items of which nothing is left to do.
        """
        again = [] if swept else [item for item in items if item.is_redelivered]
        with ThreadPoolExecutor(THREADS) as pool:
            images = [image for item in again for image in item.images]
            known = pool.map(lambda image: has_result(self.store, image), images)
            done = {image for image, is_known in zip(images, known, strict=True) if is_known}
        return self._take([item.without(done) for item in items])

    def sweep(self) -> list[WorkItem]:
        """Look for images without a result, and see announced ones as they are now.

        :return: announced items of which nothing is left to do, since they have their results.
        """
        with self._database:
            for page in pages(self.store, DETECTIONS):
                folders = ((key.decode().rpartition("/")[0],) for key in page.keys)
                self._database.executemany("INSERT OR IGNORE INTO results VALUES (?)", folders)
        now = {image.key: image for item in self.items for image in item.images}
        for page in pages(self.store, INBOX):
            for image in self._images(page):
                if image.key in now:
                    now[image.key] = image  # replaced since it was announced, perhaps
                elif not self._is_done(image):
                    self._find(image)
            if self.left:
                break
        looked_up = [replace(item, images=tuple(now[image.key] for image in item.images)) for item in self.items]
        return self._take([item.without(filter(self._is_done, item.images)) for item in looked_up])

    def _take(self, items: list[WorkItem]) -> list[WorkItem]:
        self.items = [item for item in items if item.images]
        return [item for item in items if not item.images]

    def _find(self, image: InferenceImage) -> None:
        """Keep an image, unless there are too many."""
        if len(self) >= self.most:
            self.left = True
            return
        self._database.execute("INSERT INTO found VALUES (?, ?, ?)", (image.key, image.etag, image.is_empty))
        self._found += 1

    def _is_done(self, image: InferenceImage) -> bool:
        row = self._database.execute("SELECT 1 FROM results WHERE folder = ?", (result_folder(image),)).fetchone()
        return row is not None

    def _images(self, page: Page) -> Iterator[InferenceImage]:
        """Go through what may be an image, and count the rest by its reason."""
        for key, etag, size in zip(page.keys, page.etags, page.sizes, strict=True):
            text = key.decode()
            if (reason := why_passed_over(text)) is None:
                yield InferenceImage(text, etag.decode(), is_empty=size == b"0")
            else:
                self.passed_over[reason] += 1
