"""Reviews that were asked for and are not opened yet: files of requests that wait for the budget.

``reviews/waiting/<id>.jsonl`` has a line for each request with the moment since when it waits, written by the task that
asks. The line is removed when the review is opened, or has waited too long. Small files are merged, and the number of
requests is bounded, so that reading the backlog costs the same however many images were in doubt.
"""

from __future__ import annotations

import hashlib
import heapq
import re
from bisect import insort
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from operator import itemgetter

from custom_labels.core.codec import from_json, to_json
from custom_labels.core.keys import REVIEWS
from custom_labels.review.review import Purpose, ReviewRequest, urgency
from custom_labels.s3.errors import CHANGED, MISSING
from custom_labels.s3.line_files import LineFile, read_folder, read_lines, to_lines, write_lines
from custom_labels.s3.store import S3Store

WAITING = f"{REVIEWS}waiting/"
FILE_REQUESTS = 500
"""Requests in a file that smaller ones are merged into."""
SMALL_FILES = 8
"""Small files that are left as they are: so many are read at once anyway."""
DROPPED_AT_ONCE = 5_000
THREADS = 8
MERGED = "-merged-"
"""Such a name sorts before those of all other files, so that a listing that goes on does not meet it."""
_ID = re.compile(r"[a-zA-Z0-9_.\-]{1,200}")


@dataclass(frozen=True)
class WaitingFile:
    """A file of requests that wait, as it was read.

    :param requests: how many it holds.
    """

    key: str
    etag: str
    requests: int


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
            yield from _requests(file)

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

    def remove_all(self, opened: Sequence[Waiting]) -> None:
        """Take requests out of their files, several files at once."""
        by_file: dict[WaitingFile, set[str]] = defaultdict(set)
        for one in opened:
            by_file[one.file].add(one.request.name)
        with ThreadPoolExecutor(THREADS) as pool:
            list(pool.map(self.remove, by_file.keys(), by_file.values()))

    def merge(self, files: list[LineFile]) -> LineFile:
        """Write the requests of small files into one, then delete those files that did not change meanwhile.

        What is in two files after a crash, or since one was changed, is opened once all the same.
        """
        lines = [line for file in files for line in file.records]
        names = "\n".join(sorted(str(line["request"]["name"]) for line in lines))
        key = f"{WAITING}{MERGED}{hashlib.sha256(names.encode()).hexdigest()[:32]}.jsonl"
        etag = write_lines(self.store, key, lines)
        for file in files:
            if file.key != key:
                self._replace(file.key, [], file.etag)
        return LineFile(key, etag, tuple(lines))


def _requests(file: LineFile) -> list[Waiting]:
    known = WaitingFile(file.key, file.etag, len(file.records))
    return [Waiting(known, from_json(ReviewRequest, line["request"])) for line in file.records]


@dataclass(frozen=True)
class Backlog:
    """What waits, and what was dropped.

    :param waiting: requests that wait on.
    :param too_old: requests that had waited too long; ``too_many`` are those beyond the largest number, the least
        urgent ones.
    :param urgent: the most urgent of those that may be opened, in order.
    """

    waiting: int = 0
    too_old: int = 0
    too_many: int = 0
    urgent: tuple[Waiting, ...] = ()


class BacklogReader:
    """One pass over all that waits: each file is read once, and changed by compare-and-set only.

    :param maximum: requests that may wait; memory grows with it.
    :param oldest: requests that wait since before are dropped.
    :param chosen: how many of the most urgent ones are wanted.
    :param audits_only: choose none of the doubtful detections.
    """

    def __init__(
        self, reviews: WaitingReviews, maximum: int, oldest: datetime, chosen: int = 0, *, audits_only: bool = False
    ) -> None:
        self.reviews = reviews
        self.maximum = maximum
        self.oldest = oldest.isoformat()
        self.chosen = chosen
        self.audits_only = audits_only
        self._kept: list[tuple[tuple[bool, bool, float, str], WaitingFile]] = []
        """What waits on, the most urgent first: urgency, whose last part is the name, and file."""
        self._urgent: list[Waiting] = []
        self._dropped: dict[WaitingFile, set[str]] = defaultdict(set)
        self._too_old = self._too_many = 0

    def read(self) -> Backlog:
        """Drop what is too old or too much, merge small files, and choose. It may be killed anywhere and done again.

        Where another run opens what is in a file that is merged, that is opened once all the same.
        """
        for file in self._files():
            self._keep(_requests(file))
        self._drop()
        return Backlog(len(self._kept), self._too_old, self._too_many, tuple(self._urgent))

    def _files(self) -> Iterator[LineFile]:
        """Go through the files, without what waited too long; small ones are merged where there are many."""
        small: list[LineFile] = []
        for found in read_folder(self.reviews.store, WAITING):
            file = self._without_old(found)
            if file is None:
                continue
            if len(file.records) >= FILE_REQUESTS // 2:
                yield file
                continue
            small.append(file)
            if sum(len(each.records) for each in small) >= FILE_REQUESTS:
                yield self.reviews.merge(small)
                small = []
        yield from [self.reviews.merge(small)] if len(small) > SMALL_FILES else small

    def _without_old(self, file: LineFile) -> LineFile | None:
        """Take the requests that waited too long out of a file; ``None`` if nothing is left of it."""
        old = {str(line["request"]["name"]) for line in file.records if line["since"] < self.oldest}
        if not old:
            return file
        self._too_old += len(old)
        self.reviews.remove(WaitingFile(file.key, file.etag, len(file.records)), old)
        return read_lines(self.reviews.store, file.key)

    def _keep(self, requests: list[Waiting]) -> None:
        """Count the requests of a file, choose the most urgent, and drop the least urgent where there are too many."""
        wanted = (one for one in requests if not self.audits_only or one.request.purpose is Purpose.AUDIT)
        self._urgent = heapq.nsmallest(self.chosen, [*self._urgent, *wanted], key=lambda one: urgency(one.request))
        for one in requests:
            insort(self._kept, (urgency(one.request), one.file), key=itemgetter(0))
            if len(self._kept) > self.maximum:
                (*_, name), file = self._kept.pop()
                self._dropped[file].add(name)
                self._too_many += 1
        if sum(map(len, self._dropped.values())) >= DROPPED_AT_ONCE:
            self._drop()

    def _drop(self) -> None:
        for file, names in self._dropped.items():
            self.reviews.remove(file, names)
        self._dropped.clear()
