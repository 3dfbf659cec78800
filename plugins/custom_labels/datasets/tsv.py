"""Rows of tab-separated text in local and compressed files: how anything about single images is kept."""

from __future__ import annotations

import gzip
import hashlib
import io
import shutil
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import chain, islice
from pathlib import Path
from typing import IO, cast

_BUFFER = 256 * 1024


@contextmanager
def write_gzip(path: Path) -> Iterator[IO[bytes]]:
    """Open a compressed file whose bytes depend on nothing but what is written: no name, no time."""
    with path.open("wb") as raw, gzip.GzipFile("", "wb", compresslevel=1, fileobj=raw, mtime=0) as file:
        yield file  # type: ignore[misc]


def copy_to_gzip(path: Path, compressed: Path) -> None:
    """Compress a file."""
    with path.open("rb") as source, write_gzip(compressed) as file:
        shutil.copyfileobj(source, file, _BUFFER)


def read_blocks(path: Path) -> Iterator[list[bytes]]:
    """Read a file, compressed if its name ends in ``.gz``, some thousand lines at a time; nothing if there is none."""
    if path.exists():
        with path.open("rb") as raw:
            source = cast("io.RawIOBase", gzip.GzipFile(fileobj=raw)) if path.suffix == ".gz" else raw
            with io.BufferedReader(cast("io.RawIOBase", source), _BUFFER) as file:
                while lines := file.readlines(_BUFFER):
                    yield lines


def read_lines(path: Path) -> Iterator[bytes]:
    """Read a file as :func:`read_blocks` does, line by line, line ends included."""
    return chain.from_iterable(read_blocks(path))


def columns(line: bytes) -> list[bytes]:
    """Take a line apart."""
    return line[:-1].split(b"\t")


def file_sha256(path: Path) -> str:
    """Give the SHA-256 of a file, hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def join_known(
    blocks: Iterable[list[bytes]], others: Iterator[bytes]
) -> Iterator[tuple[list[bytes], Sequence[bytes | None]]]:
    """Join the lines of a listing with lines that have more columns, by key and ETag; both sorted by key.

    :param blocks: lines ``key TAB etag NEWLINE``, some thousand at a time.
    :param others: lines that begin with a key and an ETag.
    :return: each block, and for each of its lines the other of the same key and ETag, if there is one.
    """
    ahead = _Ahead(others)
    for lines in blocks:
        starts = [line[:-1] + b"\t" for line in lines]
        same = ahead.take_all(starts)
        yield lines, same or [ahead.take(line, start) for line, start in zip(lines, starts, strict=True)]


class _Ahead:
    """Sorted lines, with the next ones in view."""

    def __init__(self, lines: Iterator[bytes]) -> None:
        self._lines = lines
        self._view: deque[bytes] = deque()

    def _see(self, count: int) -> bool:
        self._view.extend(islice(self._lines, max(0, count - len(self._view))))
        return len(self._view) >= count

    def take_all(self, starts: list[bytes]) -> list[bytes]:
        """Give the next lines if they begin so, one by one, as nearly always; else nothing, and none is taken."""
        if self._see(len(starts)) and all(map(bytes.startswith, self._view, starts)):
            return [self._view.popleft() for _ in starts]
        return []

    def take(self, line: bytes, start: bytes) -> bytes | None:
        """Give the line that begins so, if there is one, and pass over those with lower keys."""
        key = line[: line.index(b"\t")]
        while self._see(1) and self._view[0][: self._view[0].index(b"\t")] < key:
            self._view.popleft()
        return self._view.popleft() if self._see(1) and self._view[0].startswith(start) else None
