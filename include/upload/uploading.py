"""Uploads files to a bucket, some at a time, and leaves out what is there."""

from __future__ import annotations

import hashlib
import sqlite3
import tempfile
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from custom_labels.core.keys import IMAGES
from custom_labels.datasets.label_names import readable_name
from custom_labels.s3.pages import pages
from custom_labels.s3.store import PART_BYTES, S3Store
from include.upload.local_files import LeftBehind, LocalFile, Outcome, printable

_TABLES = """
PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;
CREATE TABLE object (key TEXT PRIMARY KEY, etag TEXT, size INT) WITHOUT ROWID;
CREATE TABLE content (label TEXT, etag TEXT, key TEXT, PRIMARY KEY (label, etag)) WITHOUT ROWID;
"""
_CHUNK = 1024 * 1024


@dataclass(frozen=True)
class Done:
    """What became of a file, for people."""

    name: str
    outcome: Outcome


@dataclass(frozen=True)
class _Digests:
    """What S3 may have as the ETag of a file.

    :param md5: hex, of an object that was written at once without a key of KMS; ``parts`` of one in parts of the size
        that :class:`S3Store` writes (S3 user guide, "Checking object integrity").
    """

    md5: str
    parts: str
    size: int

    @property
    def etags(self) -> tuple[str, str]:
        """Give both."""
        return self.md5, self.parts


class Contents:
    """What is in the bucket below a place, in a local SQLite file that all threads use."""

    def __init__(self, path: Path) -> None:
        self._database = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._database.executescript(_TABLES)
        self._lock = threading.Lock()

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def take_up(self, store: S3Store, place: str) -> None:
        """List what is there."""
        with self._lock:
            self._database.execute("BEGIN")
            for page in pages(store, place):
                for key, etag, size in zip(page.keys, page.etags, page.sizes, strict=True):
                    name = key.decode()
                    row = (name, etag.decode(), int(size))
                    self._database.execute("INSERT OR REPLACE INTO object VALUES (?, ?, ?)", row)
                    self._claim(label_of(name), etag.decode(), name)
            self._database.execute("COMMIT")

    def object(self, key: str) -> tuple[str, int] | None:
        """Give the ETag and the size of an object, ``None`` where there is none."""
        with self._lock:
            found: tuple[str, int] | None = self._database.execute(
                "SELECT etag, size FROM object WHERE key = ?", (key,)
            ).fetchone()
        return found

    def claim(self, file: LocalFile, digests: _Digests) -> bool:
        """Say whether no other image of a label has the content, and let none have it from now on."""
        with self._lock:
            return all(self._claim(file.label, etag, file.key) == file.key for etag in digests.etags)

    def release(self, key: str) -> None:
        """Forget the content of an object that is written over."""
        with self._lock:
            self._database.execute("DELETE FROM content WHERE key = ?", (key,))

    def _claim(self, label: str, etag: str, key: str) -> str:
        if not label:
            return key
        self._database.execute("INSERT OR IGNORE INTO content VALUES (?, ?, ?)", (label, etag, key))
        query = "SELECT key FROM content WHERE label = ? AND etag = ?"
        return str(self._database.execute(query, (label, etag)).fetchone()[0])


def label_of(key: str) -> str:
    """Give the label of an image by its folder, as a person reads it; empty elsewhere."""
    folder, slash, _ = key.removeprefix(IMAGES).partition("/")
    return readable_name(folder) if slash and key.startswith(IMAGES) else ""


@dataclass
class Uploader:
    """Uploads files, unless they are there.

    :param workers: files at a time.
    :param replace: whether an object with the name of a file and another content is written over.
    :param is_dry: whether nothing is written.
    """

    store: S3Store
    contents: Contents
    workers: int = 16
    replace: bool = False
    is_dry: bool = False

    def upload_all(self, files: Iterable[LocalFile | LeftBehind], report: Callable[[Done], None]) -> None:
        """Upload files in no fixed order, and report each.

        :raises StorageError: S3 refused one; those that were begun are finished and reported before.
        """
        with _pool(self.workers) as pool:
            running: set[Future[Done]] = set()
            for file in files:
                if isinstance(file, LeftBehind):
                    report(Done(file.name, file.outcome))
                    continue
                running.add(pool.submit(self.upload, file))
                if len(running) >= 2 * self.workers:
                    running = _report(running, report)
            while running:
                running = _report(running, report)

    def upload(self, file: LocalFile) -> Done:
        """Upload one file.

        :raises StorageError: S3 refused.
        """
        try:
            digests = _digests(file.path)
            outcome = self._judge(file, digests)
            if outcome is Outcome.UPLOADED and not self.is_dry:
                self.store.upload(file.path, file.key)
        except OSError:
            outcome = Outcome.UNREADABLE
        return Done(printable(file.name), outcome)

    def _judge(self, file: LocalFile, digests: _Digests) -> Outcome:
        present = self.contents.object(file.key)
        if present and present[0] in digests.etags and present[1] == digests.size:
            return Outcome.THERE
        if present and present[1] == digests.size and self._has_sha256(file):
            return Outcome.THERE
        if present and not self.replace:
            return Outcome.OTHER_CONTENT
        if present:
            self.contents.release(file.key)
        return Outcome.UPLOADED if self.contents.claim(file, digests) else Outcome.DUPLICATE

    def _has_sha256(self, file: LocalFile) -> bool:
        """Compare by the checksum that an upload leaves: of an object under a key of KMS the ETag says nothing."""
        with file.path.open("rb") as content:
            return self.store.uploaded_sha256(file.key) == hashlib.file_digest(content, "sha256").hexdigest()


@contextmanager
def opened_contents(store: S3Store, place: str) -> Iterator[Contents]:
    """List what is below a place into a file that is deleted at the end."""
    with tempfile.TemporaryDirectory(prefix="custom-labels-") as folder:
        contents = Contents(Path(folder) / "contents.sqlite")
        try:
            contents.take_up(store, place)
            yield contents
        finally:
            contents.close()


@contextmanager
def _pool(workers: int) -> Iterator[ThreadPoolExecutor]:
    """Give a pool that begins nothing more once an error, or Ctrl-C, came."""
    pool = ThreadPoolExecutor(workers)
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)


def _report(running: set[Future[Done]], report: Callable[[Done], None]) -> set[Future[Done]]:
    done, rest = wait(running, return_when=FIRST_COMPLETED)
    failed: BaseException | None = None
    for future in done:
        if error := future.exception():
            failed = error
        else:
            report(future.result())
    if failed:
        raise failed
    return rest


def _digests(path: Path) -> _Digests:
    whole, parts, size = hashlib.md5(usedforsecurity=False), [], 0
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            if size % PART_BYTES == 0:
                parts.append(hashlib.md5(usedforsecurity=False))
            whole.update(chunk)
            parts[-1].update(chunk)
            size += len(chunk)
    of_parts = hashlib.md5(b"".join(part.digest() for part in parts), usedforsecurity=False).hexdigest()
    return _Digests(whole.hexdigest(), f"{of_parts}-{len(parts)}", size)
