"""What a mapped task works on: a few values go along with it, in Airflow's database, more lie in a file."""

from __future__ import annotations

from typing import TypeVar

from custom_labels.core.codec import from_json, to_json
from custom_labels.s3.line_files import read_lines, to_lines, write_lines
from custom_labels.s3.store import S3Store

T = TypeVar("T")

ALONG_BYTES = 8_192
"""So much goes along: to write, read and delete a file would take three of the dozen calls of a run with one image."""


def hand_on(store: S3Store, key: str, values: tuple[T, ...], *, is_only: bool) -> tuple[T, ...] | None:
    """Give the values that go along with a task, ``None`` where they are written to a file.

    :param key: of the file, relative to the project's prefix.
    :param is_only: whether there is no other batch: many small ones would be much together.
    """
    lines = [to_json(value) for value in values]
    if is_only and len(to_lines(lines)) <= ALONG_BYTES:
        return values
    write_lines(store, key, lines)
    return None


def take(store: S3Store, key: str, values: tuple[T, ...] | None, kind: type[T]) -> tuple[T, ...]:
    """Give the values that go along, or read the file; none if it was deleted, since its run has ended."""
    if values is not None:
        return values
    file = read_lines(store, key)
    return tuple(from_json(kind, line) for line in file.records) if file else ()
