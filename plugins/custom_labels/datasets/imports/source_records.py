"""A source of annotated images at AWS: files in S3, or a dataset of Custom Labels."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import cached_property
from itertools import count, islice
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, BinaryIO, Self

from custom_labels.core.names import PROJECT_FILE
from custom_labels.core.project_task import ProjectTask
from custom_labels.core.settings import Project
from custom_labels.datasets.annotations.annotation import Code, ImageSize, shown
from custom_labels.datasets.imports.kind_guess import HEAD_BYTES, kind_by, telling_file
from custom_labels.datasets.imports.manifest_file import read_lines
from custom_labels.datasets.imports.readers import READERS
from custom_labels.datasets.imports.source import ImportCode, SourceItem, SourceKind, Unusable
from custom_labels.datasets.picture_records import read_image_size
from custom_labels.errors import SettingError
from custom_labels.s3.errors import MISSING, error_code
from custom_labels.s3.pages import pages
from custom_labels.s3.store import S3Store

if TYPE_CHECKING:
    from custom_labels.aws.hooks.rekognition import RekognitionHook

SOURCE = "the Param 'source'"
KIND = "the Param 'kind'"
_LOOKED_AT, _LOOKED_INTO = 1_000, 20
"""Names by which a source's kind is found out, and folders that are looked into for more."""
_URI = re.compile(r"s3://([a-z0-9][a-z0-9.\-]{1,61}[a-z0-9])/(.*)", re.DOTALL)
_DATASET = re.compile(r"arn:aws[\w-]*:rekognition:[a-z0-9-]+:\d{12}:project/[^/]+/dataset/(train|test)/\d+")
_NO_DATASET = {"ResourceNotFoundException", "AccessDeniedException", "InvalidParameterException"}
_INDEX = "CREATE TABLE file (name TEXT PRIMARY KEY, base TEXT, etag TEXT) WITHOUT ROWID"


def bucket_store(project: Project, bucket: str, prefix: str = "") -> S3Store:
    """Give a place in S3 as the project's connection sees it."""
    return S3Store(bucket, prefix, project.aws_conn_id, project.region_name, configured_in=PROJECT_FILE)


def split_uri(uri: str) -> tuple[str, str] | None:
    """Give bucket and key of an ``s3://`` URI, ``None`` where it is none."""
    match = _URI.fullmatch(uri)
    return (match[1], match[2]) if match else None


def place_of(uri: str) -> tuple[str, str]:
    """Give bucket and key of an image's URI, which readers have seen to be one.

    :raises ValueError: it is none.
    """
    if (found := split_uri(uri)) is None:
        raise ValueError(f"{uri!r} is no s3://<bucket>/<key>")
    return found


class S3SourceFiles:
    """The files of a source in S3.

    :param project: gives the connection; its own bucket and any other are read by it.
    :param uri: a prefix in S3, or one object.
    :param folder: a local folder for files that are read, and for the list of all.
    :raises SettingError: it is no such URI, or nothing is there.
    """

    def __init__(self, project: Project, uri: str, folder: Path) -> None:
        found = split_uri(uri)
        if found is None:
            raise SettingError(
                f"{SOURCE} is {shown(uri)}: expected s3://<bucket>/<prefix>/, s3://<bucket>/<key>, or the ARN of a "
                "dataset of Custom Labels. Trigger the DAG again with one of these."
            )
        bucket, key = found
        self._project, self._folder = project, folder
        self._is_one = bool(key) and not key.endswith("/") and self._is_object(bucket, key)
        prefix = key.rpartition("/")[0] if self._is_one else key
        self._only = key.rpartition("/")[2] if self._is_one else None
        self.store = bucket_store(project, bucket, prefix)
        self._stores = {bucket: bucket_store(project, bucket)}
        self._page: dict[str, tuple[bytes, bytes]] = {}
        if next(iter(self.names()), None) is None:
            raise SettingError(
                f"{SOURCE} is {uri!r}, and there is nothing below it. Correct it, and trigger the DAG again."
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if "_index" in vars(self):
            self._index.close()

    def _is_object(self, bucket: str, key: str) -> bool:
        from botocore.exceptions import ClientError

        try:
            bucket_store(self._project, bucket).call("head_object", key, expect=MISSING)
        except ClientError:
            return False
        return True

    def names(self, *suffixes: str) -> Iterator[str]:
        """Give the names of its files in order."""
        if self._only is not None:
            yield self._only
            return
        for page in pages(self.store, ""):
            names = [key.decode() for key in page.keys]
            self._page = dict(zip(names, zip(page.etags, page.sizes, strict=True), strict=True))
            for name in names:
                if name and not name.endswith("/") and (not suffixes or name.lower().endswith(suffixes)):
                    yield name

    def some_names(self) -> list[str]:
        """Give the first names, and some of each folder: what describes images may stand behind very many of these."""
        names = list(islice(self.names(), _LOOKED_AT))
        if self._only is None and len(names) == _LOOKED_AT:
            (top,) = islice(pages(self.store, "", delimiter="/"), 1)
            names += [key.decode() for key in top.keys]
            for folder in top.folders[:_LOOKED_INTO]:
                (page,) = islice(pages(self.store, folder), 1)
                names += [key.decode() for key in page.keys]
        return names

    def listed(self, uri: str) -> tuple[str, int] | None:
        """Give the ETag and the size of an image by the page that was listed last, ``None`` if it is not on that."""
        found = self._page.get(uri.removeprefix(self.store.uri())) if uri.startswith(self.store.uri()) else None
        return (found[0].decode(), int(found[1])) if found else None

    def uri(self, name: str) -> str:
        """Give the ``s3://`` URI of a file."""
        return self.store.uri(name)

    @contextmanager
    def open(self, name: str) -> Iterator[BinaryIO]:
        """Read a file from its beginning, by a local copy, so that S3 does not wait for whoever reads it.

        :raises SettingError: it is gone.
        """
        path = self._folder / "source_file"
        if not self.store.download(name, path):
            raise SettingError(f"{self.uri(name)} of {SOURCE} was deleted meanwhile. Trigger the DAG again.")
        try:
            with path.open("rb") as file:
                yield file
        finally:
            path.unlink(missing_ok=True)

    def head(self, name: str) -> bytes:
        """Read the first bytes of a file."""
        from botocore.exceptions import ClientError

        try:
            return self.store.read_bytes(name, expect=MISSING | {"InvalidRange"}, Range=f"bytes=0-{HEAD_BYTES - 1}")[0]
        except ClientError:
            return b""

    def find_image(self, name: str) -> str | Unusable:
        """Give the ``s3://`` URI of an image by its name, by the end of its name, or by its URI."""
        if name.startswith("s3://"):
            found = split_uri(name)
            if found is None or not found[1]:
                return Unusable("", Code.INVALID_SOURCE_REF_FORMAT, f"{shown(name)} is no s3://<bucket>/<key>")
            return name
        if name in self._page:
            return self.uri(name)
        parts = PurePosixPath(name.replace("\\", "/")).parts
        if not parts or ".." in parts:
            return Unusable("", ImportCode.IMAGE_NOT_FOUND, f"the name {shown(name)} leads out of the source")
        plain = "/".join(part for part in parts if part != "/")
        rows = self._index.execute("SELECT name FROM file WHERE name = ?", (plain,)).fetchall()
        if not rows:
            query = "SELECT name FROM file WHERE base = ? AND (name = ? OR name LIKE ? ESCAPE '!') LIMIT 2"
            like = "%/" + re.sub(r"([!%_])", r"!\1", plain)
            rows = self._index.execute(query, (parts[-1], plain, like)).fetchall()
        if not rows:
            rows = self._index.execute("SELECT name FROM file WHERE base = ? LIMIT 2", (parts[-1],)).fetchall()
        if len(rows) == 1:
            return self.uri(rows[0][0])
        if rows:
            several = " and ".join(shown(row[0]) for row in rows)
            return Unusable("", ImportCode.SEVERAL_IMAGES, f"{shown(name)} may be {several}")
        return Unusable("", ImportCode.IMAGE_NOT_FOUND, f"there is no image {shown(name)} below {self.store.uri()}")

    def image_size(self, uri: str) -> ImageSize | Unusable:
        """Read the size of an image as a person sees it, of its first bytes."""
        bucket, key = place_of(uri)
        store = self._stores.setdefault(bucket, bucket_store(self._project, bucket))
        etag = self._etag(store, uri, key)
        size = read_image_size(store, key, etag) if etag else None
        return size or Unusable("", Code.INVALID_IMAGE, f"{shown(uri)} has no size that can be read")

    def _etag(self, store: S3Store, uri: str, key: str) -> str | None:
        from botocore.exceptions import ClientError

        if uri.startswith(self.store.uri()):
            query = "SELECT etag FROM file WHERE name = ?"
            row = self._index.execute(query, (uri.removeprefix(self.store.uri()),)).fetchone()
            return str(row[0]) if row else None
        try:
            return str(store.call("head_object", key, expect=MISSING | {"403"})["ETag"]).strip('"')
        except ClientError:
            return None

    @cached_property
    def _index(self) -> sqlite3.Connection:
        """List all files once, into a local file."""
        database = sqlite3.connect(self._folder / "source_files.sqlite", isolation_level=None, check_same_thread=False)
        with closing(database.cursor()) as cursor:
            cursor.execute("DROP TABLE IF EXISTS file")
            cursor.execute(_INDEX)
            for page in pages(self.store, ""):
                names = [key.decode() for key in page.keys]
                rows = zip(
                    names, (each.rpartition("/")[2] for each in names), map(bytes.decode, page.etags), strict=True
                )
                cursor.execute("BEGIN")
                cursor.executemany("INSERT INTO file VALUES (?, ?, ?)", rows)
                cursor.execute("COMMIT")
            cursor.execute("CREATE INDEX by_base ON file (base)")
        return database


def find_kind(files: S3SourceFiles) -> SourceKind:
    """Find out what a source is.

    :raises SettingError: it cannot be told.
    """
    names = files.some_names()
    telling = telling_file(names)
    found = kind_by(names, telling, files.head(telling) if telling else b"")
    if found is None:
        raise SettingError(
            f"What {files.store.uri()} holds cannot be told by its files ({', '.join(map(shown, names[:3]))}, ...): "
            f"name it by {KIND}, one of {', '.join(SourceKind)}, and trigger the DAG again."
        )
    return found


def is_dataset(source: str) -> bool:
    """Whether a source is the ARN of a dataset of Custom Labels."""
    return _DATASET.fullmatch(source) is not None


def read_source(files: S3SourceFiles, kind: SourceKind, task: ProjectTask) -> Iterator[SourceItem]:
    """Read a source of files.

    :raises SettingError: it is of a kind that has no files.
    """
    if kind not in READERS:
        raise SettingError(
            f"{KIND} is '{kind}', and {SOURCE} is {files.store.uri()}: a dataset is named by its ARN. Correct one of "
            "the two, and trigger the DAG again."
        )
    return READERS[kind](files, task)


def read_dataset(hook: RekognitionHook, arn: str, task: ProjectTask) -> Iterator[SourceItem]:
    """Read the lines of a dataset of Custom Labels, also of another project (ListDatasetEntries)."""
    numbers = count(1)
    return read_lines(((f"entry {next(numbers)}", line) for line in _entries(hook, arn)), task)


def _entries(hook: RekognitionHook, arn: str) -> Iterator[bytes]:
    from botocore.exceptions import ClientError

    listed: Any = hook.client.get_paginator("list_dataset_entries").paginate(DatasetArn=arn)
    try:
        for page in listed:
            yield from (entry.encode(errors="surrogatepass") for entry in page["DatasetEntries"])
    except ClientError as error:
        if error_code(error) not in _NO_DATASET:
            raise
        raise SettingError(
            f"{SOURCE} is {arn!r}, and Custom Labels does not list its entries: {error}. Correct it, or allow "
            "rekognition:ListDatasetEntries on it, and trigger the DAG again."
        ) from error
