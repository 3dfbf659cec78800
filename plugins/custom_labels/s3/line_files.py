"""Files of JSON Lines: one record a line, some dozens of records a file, many files read at a time."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

from custom_labels.s3.errors import MISSING, StorageError
from custom_labels.s3.pages import pages

if TYPE_CHECKING:
    from custom_labels.s3.store import S3Store

READERS = 16
"""Files read at once; the contents of as many are in memory."""


@dataclass(frozen=True)
class LineFile:
    """A file as it was read.

    :param key: relative to the store's prefix.
    :param etag: as S3 gave it, for writing it by compare-and-set.
    """

    key: str
    etag: str
    records: tuple[dict[str, Any], ...]


def to_lines(records: Iterable[Mapping[str, Any]]) -> bytes:
    """Write records as JSON Lines; equal records are equal bytes."""
    return "".join(json.dumps(record, sort_keys=True, ensure_ascii=False) + "\n" for record in records).encode()


def write_lines(store: S3Store, key: str, records: Iterable[Mapping[str, Any]], **condition: Any) -> str:
    """Write a file, whatever was there, or under a condition of PutObject; give its ETag."""
    answer = store.call("put_object", key, Body=to_lines(records), ContentType="application/x-ndjson", **condition)
    return str(answer["ETag"])


def read_lines(store: S3Store, key: str) -> LineFile | None:
    """Read a file; ``None`` if there is none.

    :raises StorageError: it holds something else than JSON Lines.
    """
    from botocore.exceptions import ClientError

    try:
        body, answer = store.read_bytes(key, expect=MISSING)
    except ClientError:
        return None
    try:
        # Not splitlines(), which also splits at signs that JSON leaves as they are, such as U+2028.
        records = tuple(json.loads(line) for line in body.decode().split("\n") if line)
    except ValueError as error:
        raise StorageError(
            f"{store.uri(key)} holds no JSON Lines: {error}. Restore an earlier version of the object, or delete it."
        ) from error
    return LineFile(key, str(answer["ETag"]), records)


def list_keys(store: S3Store, folder: str, start_after: str | None = None) -> Iterator[list[str]]:
    """List the files below a folder, a page at a time; keys are relative to the store's prefix."""
    for page in pages(store, folder, start_after=start_after):
        yield [key.decode() for key in page.keys]


def read_folder(store: S3Store, folder: str, start_after: str | None = None) -> Iterator[LineFile]:
    """Read all files below a folder in the order of their keys: one call for a thousand names, and one a file.

    Files that are deleted meanwhile are passed over.

    :param start_after: begin behind this key.
    """
    return read_files(store, (key for keys in list_keys(store, folder, start_after) for key in keys))


def read_files(store: S3Store, keys: Iterable[str]) -> Iterator[LineFile]:
    """Read files in the order of their keys, some at a time; those that there are not are passed over."""
    rest = iter(keys)
    with ThreadPoolExecutor(READERS) as pool:
        while some := list(islice(rest, READERS)):
            yield from (file for file in pool.map(lambda key: read_lines(store, key), some) if file is not None)


def read_records(store: S3Store, folder: str, names: Iterable[str] | None = None) -> dict[str, Any]:
    """Read JSON objects directly in a folder, by their names without the ending; those that are missing are left out.

    :param names: of those to read; all without any.
    """
    if names is None:
        names = (key.removeprefix(folder) for page in list_keys(store, folder) for key in page)
        names = [name.removesuffix(".json") for name in names if name.endswith(".json")]
    with ThreadPoolExecutor(READERS) as pool:
        values = pool.map(lambda name: (name, store.read_json(f"{folder}{name}.json")[0]), names)
        return {name: value for name, value in values if value is not None}
