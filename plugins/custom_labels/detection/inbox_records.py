"""The inbox: which of its images have no result yet, however many there are, and the batches that share them out.

The images lie in an SQLite file, so that memory does not grow with their number. A few go along with their batch; of
more, ``detection_work/<run>/<number>.jsonl`` lists a batch's images. These files are deleted at the run's end; those of
a run that failed stay, so that its tasks may be cleared and go on.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Protocol

from custom_labels.aws.predictions import InferenceImage
from custom_labels.core.batch_files import hand_on
from custom_labels.core.keys import DETECTIONS, INBOX
from custom_labels.core.live_version import LiveVersion
from custom_labels.detection.detection_records import has_result, result_folder
from custom_labels.detection.events import PassedOver, why_passed_over
from custom_labels.detection.work import DetectionBatch, WorkItem, count_batches, share_out
from custom_labels.s3.line_files import list_keys
from custom_labels.s3.pages import pages
from custom_labels.s3.store import S3Store

THREADS = 16
WORK = "detection_work/"
_TABLES = """
CREATE TABLE results (folder TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE found (key TEXT, etag TEXT, is_empty INTEGER);
"""


class WorkList(Protocol):
    """Images that are to be shared out, in an order that is the same whenever they are gone through."""

    def __len__(self) -> int: ...

    def __iter__(self) -> Iterator[WorkItem]: ...


class Inbox:
    """The images that a run has to do: those that messages announced, and those that a listing finds.

    :param store: the project's bucket and prefix.
    :param path: of a temporary database, which does not exist yet and is to be thrown away after use.
    :param most: images at most.
    """

    def __init__(self, store: S3Store, path: Path, most: int) -> None:
        self.store = store
        self.most = most
        self.left = False
        """Whether there are more images than that."""
        self.passed_over: Counter[PassedOver] = Counter()
        """Objects that lie in the inbox and are not detected, as far as a sweep came."""
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
        """Take announced images; one call each finds out which of a repeated message are done already.

        :param swept: whether :meth:`sweep` follows, which finds that out for all of them at once.
        :return: items of which nothing is left to do.
        """
        images = [image for item in items if item.is_redelivered and not swept for image in item.images]
        with ThreadPoolExecutor(THREADS) as pool:
            known = pool.map(lambda image: has_result(self.store, image), images)
            done = {image for image, is_known in zip(images, known, strict=True) if is_known}
        return self._take([item.without(done) for item in items])

    def sweep(self) -> list[WorkItem]:
        """Find images without a result by two listings, and see announced ones as they are now.

        :return: announced items of which nothing is left to do, since they have their results.
        """
        with self._database:
            for page in pages(self.store, DETECTIONS):
                folders = ((key.decode().rpartition("/")[0],) for key in page.keys)
                self._database.executemany("INSERT OR IGNORE INTO results VALUES (?)", folders)
        now = {image.key: image for item in self.items for image in item.images}
        for image in self._images():
            if image.key in now:
                now[image.key] = image  # replaced since it was announced, perhaps
            elif not self._is_done(image):
                if len(self) >= self.most:
                    self.left = True
                    break
                row = (image.key, image.etag, image.is_empty)
                self._database.execute("INSERT INTO found VALUES (?, ?, ?)", row)
                self._found += 1
        looked_up = [replace(item, images=tuple(now[image.key] for image in item.images)) for item in self.items]
        return self._take([item.without(filter(self._is_done, item.images)) for item in looked_up])

    def _take(self, items: list[WorkItem]) -> list[WorkItem]:
        self.items = [item for item in items if item.images]
        return [item for item in items if not item.images]

    def _is_done(self, image: InferenceImage) -> bool:
        row = self._database.execute("SELECT 1 FROM results WHERE folder = ?", (result_folder(image),)).fetchone()
        return row is not None

    def _images(self) -> Iterator[InferenceImage]:
        """Go through what may be an image, and count the rest by its reason."""
        for page in pages(self.store, INBOX):
            for key, etag, size in zip(page.keys, page.etags, page.sizes, strict=True):
                text = key.decode()
                if (reason := why_passed_over(text)) is None:
                    yield InferenceImage(text, etag.decode(), is_empty=size == b"0")
                else:
                    self.passed_over[reason] += 1


def work_folder(owner: str) -> str:
    """Give the folder of a run's batches, relative to the project's prefix.

    :param owner: names the run apart from all others, see ``ProjectContext.owner``; a run that is cleared is another.
    """
    return f"{WORK}{hashlib.sha256(owner.encode()).hexdigest()[:20]}/"


def write_batches(
    store: S3Store, folder: str, work: WorkList, version: LiveVersion, units: int, *, most: int, workers: int
) -> tuple[DetectionBatch, ...]:
    """Share images out into batches of the same size.

    :param folder: of the batches' files.
    :param version: the version that serves, ``units`` the inference units that it runs with.
    :param most: images in a batch at most.
    :param workers: batches that are done at the same time.
    """
    count = count_batches(len(work), most, workers)
    items = iter(work)
    batches = []
    for number, size in enumerate(share_out(len(work), count)):
        batch, key = tuple(islice(items, size)), f"{folder}{number:04}.jsonl"
        along = hand_on(store, key, batch, is_only=count == 1)
        images = sum(len(item.images) for item in batch)
        batches.append(DetectionBatch(number, images, min(workers, count), version, units, along, key))
    return tuple(batches)


def delete_batches(store: S3Store, folder: str) -> None:
    """Delete the files of a run's batches."""
    for keys in list_keys(store, folder):
        for key in keys:
            store.call("delete_object", key)
