"""Reviews that were asked for and are not opened yet: files of requests that wait for the budget.

``reviews/waiting/<id>.jsonl`` has a line for each request with the moment since when it waits, written by whoever asks.
It is taken away when it is opened, or has waited too long, see :mod:`custom_labels.review.backlog_records`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from custom_labels.core.codec import from_json, to_json
from custom_labels.core.keys import REVIEWS
from custom_labels.review.review import ReviewRequest
from custom_labels.s3.errors import CHANGED, MISSING
from custom_labels.s3.line_files import LineFile, read_folder, read_lines, to_lines, write_lines
from custom_labels.s3.store import S3Store

WAITING = f"{REVIEWS}waiting/"
_ID = re.compile(r"[a-zA-Z0-9_.\-]{1,200}")


@dataclass(frozen=True)
class WaitingFile:
    """A file of requests that wait, as it was read.

    :param requests: how many it holds.
    """

    key: str
    etag: str
    requests: int

    @classmethod
    def of(cls, file: LineFile) -> WaitingFile:
        """Take it from its content."""
        return cls(file.key, file.etag, len(file.records))


@dataclass(frozen=True)
class Waiting:
    """A request that waits, and the file that it waits in."""

    file: WaitingFile
    request: ReviewRequest


class WaitingReviews:
    """The requests that wait below ``reviews/waiting/``.

    :param store: the project's bucket and prefix.
    """

    def __init__(self, store: S3Store) -> None:
        self.store = store

    def add(self, id: str, requests: Iterable[ReviewRequest], since: datetime | None = None) -> None:  # noqa: A002
        """Let requests wait: one PutObject, or nothing where there are none.

        :param id: of letters, digits, dashes, dots and underscores; derived from the work that asks, so that the same
            work, done again, overwrites its own file.
        :param since: from when they wait; now by default.
        :raises ValueError: the id could be a path.
        """
        if not _ID.fullmatch(id):
            raise ValueError(f"'{id}' is no id of a file of waiting reviews: use letters, digits, '-', '.' and '_'.")
        moment = (since or datetime.now(UTC)).isoformat()
        lines = [{"request": to_json(request), "since": moment} for request in requests]
        if lines:
            write_lines(self.store, f"{WAITING}{id}.jsonl", lines)

    def read(self) -> Iterator[Waiting]:
        """Go through all requests that wait, some files at a time; memory does not grow with their number."""
        for file in read_folder(self.store, WAITING):
            for line in file.records:
                yield Waiting(WaitingFile.of(file), from_json(ReviewRequest, line["request"]))

    def remove(self, file: WaitingFile, names: set[str]) -> None:
        """Take requests out of a file by compare-and-set; what was written to it meanwhile stays."""
        if len(names) == file.requests and self._replace(file.key, [], file.etag):
            return
        while (present := read_lines(self.store, file.key)) is not None:
            left = [line for line in present.records if line["request"]["name"] not in names]
            if len(left) == len(present.records) or self._replace(file.key, left, present.etag):
                return

    def _replace(self, key: str, lines: list[dict[str, object]], etag: str) -> bool:
        """Write a file, or delete it where nothing is left; give whether it was as it had been read."""
        from botocore.exceptions import ClientError

        expect = CHANGED | MISSING
        try:
            if lines:
                self.store.call("put_object", key, expect=expect, Body=to_lines(lines), IfMatch=etag)
            else:
                self.store.call("delete_object", key, expect=expect, IfMatch=etag)
        except ClientError:
            return False
        return True
