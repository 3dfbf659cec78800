"""Files that Custom Labels wrote to S3, copied to this machine."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from botocore.exceptions import ClientError

from custom_labels.errors import CustomLabelsError
from custom_labels.s3.errors import MISSING

if TYPE_CHECKING:
    from custom_labels.s3.store import S3Store

Value = TypeVar("Value")

_CHUNK = 256 * 1024
LONGEST_LINE = 8 * 1024 * 1024
"""Bytes of a line that is read: far above those of Custom Labels, and little enough to be held."""


class NoAnswers(CustomLabelsError):
    """Custom Labels left no evaluation of single images, or one that cannot be read."""


def copy_file(store: S3Store, place: Mapping[str, str], path: Path, what: str) -> str:
    """Copy a file that Custom Labels wrote to a local one, and give its URI.

    :param place: ``Bucket`` and ``Name``, as DescribeProjectVersions gives them.
    :param what: names the file, for errors.
    :raises NoAnswers: it is not there.
    """

    uri = f"s3://{place['Bucket']}/{place['Name']}"

    def copy() -> None:
        answer = store.client.get_object(Bucket=place["Bucket"], Key=place["Name"])
        with path.open("wb") as file:
            for chunk in answer["Body"].iter_chunks(_CHUNK):
                file.write(chunk)

    try:
        store.patiently(copy, "get_object", place["Name"], MISSING)
    except ClientError as error:
        raise NoAnswers(f"{uri}, its {what}, is not there: {error}") from error
    return uri


def _refuse(damaged: NoAnswers) -> None:
    raise damaged


def read_each(
    path: Path, uri: str, read: Callable[[bytes], Value], damaged: Callable[[NoAnswers], None] = _refuse
) -> Iterator[Value]:
    """Read the lines of such a copy, one in memory at a time.

    :param uri: where it was, for errors.
    :param read: reads a line; it raises ``ValueError`` where it cannot.
    :param damaged: takes what is wrong with a line that is then passed over; by default that is an error.
    :raises NoAnswers: a line cannot be read.
    """
    with path.open("rb") as file:
        for number, line in enumerate(iter(partial(file.readline, LONGEST_LINE), b""), 1):
            if len(line) == LONGEST_LINE:
                damaged(NoAnswers(f"line {number} of {uri} cannot be read: it has {LONGEST_LINE:,} bytes or more"))
            elif line.strip():
                try:
                    value = read(line)
                except ValueError as error:
                    damaged(NoAnswers(f"line {number} of {uri} cannot be read: {error}"))
                else:
                    yield value
