"""Rows of tab-separated text in local and compressed files: how anything about single images is kept."""

from __future__ import annotations

import gzip
import hashlib
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO


@contextmanager
def write_gzip(path: Path) -> Iterator[IO[bytes]]:
    """Open a compressed file whose bytes depend on nothing but what is written: no name, no time."""
    with path.open("wb") as raw, gzip.GzipFile("", "wb", compresslevel=1, fileobj=raw, mtime=0) as file:
        yield file  # type: ignore[misc]


def copy_to_gzip(path: Path, compressed: Path) -> None:
    """Compress a file."""
    with path.open("rb") as source, write_gzip(compressed) as file:
        shutil.copyfileobj(source, file, 256 * 1024)


def read_gzip(path: Path) -> Iterator[list[bytes]]:
    """Read a compressed file row by row, each as its columns; nothing if there is no such file."""
    if path.exists():
        with gzip.open(path, "rb") as file:
            for line in file:
                yield line.rstrip(b"\n").split(b"\t")


def read_rows(path: Path) -> Iterator[list[bytes]]:
    """Read a plain file row by row, each as its columns."""
    with path.open("rb") as file:
        for line in file:
            yield line.rstrip(b"\n").split(b"\t")


def file_sha256(path: Path) -> str:
    """Give the SHA-256 of a file, hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def count_common(rows: Iterator[list[bytes]], others: Iterator[list[bytes]]) -> int:
    """Count the rows whose first two columns, key and ETag, are also in the others; both sorted by key."""
    common = 0
    other = next(others, None)
    for row in rows:
        while other is not None and other[0] < row[0]:
            other = next(others, None)
        if other is None:
            break
        common += other[0] == row[0] and other[1] == row[1]
    return common
