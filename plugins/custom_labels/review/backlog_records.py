"""Bounding what waits to be reviewed, by age and number, so that to read it costs the same however much came in."""

from __future__ import annotations

import hashlib
import heapq
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from custom_labels.core.codec import from_json
from custom_labels.review.request_records import WAITING, WaitingReviews
from custom_labels.review.review import ReviewRequest, urgency
from custom_labels.s3.errors import CHANGED, MISSING
from custom_labels.s3.line_files import LineFile, read_folder, write_lines

FILE_REQUESTS = 500
"""Requests in a file that smaller ones are merged into."""
SMALL_FILES = 8
"""Small files that are left as they are: so many are read at once anyway."""
DROPPED_AT_ONCE = 5_000
MERGED = "-merged-"
"""Such a name sorts before those of all other files, so that a listing that goes on does not meet it."""


@dataclass(frozen=True)
class Backlog:
    """What waits, and what was dropped.

    :param waiting: requests that wait on.
    :param too_old: requests that had waited too long; ``too_many`` are those beyond the largest number, the least
        urgent ones.
    """

    waiting: int = 0
    too_old: int = 0
    too_many: int = 0


class _LeastUrgentFirst:
    """An entry of a heap whose first one is the least urgent."""

    def __init__(self, request: ReviewRequest, file: str) -> None:
        self.key, self.name, self.file = urgency(request), request.name, file

    def __lt__(self, other: _LeastUrgentFirst) -> bool:
        return self.key > other.key


class BacklogBounds:
    """One pass over all that waits: each file is read once, and changed by compare-and-set only.

    :param maximum: requests that may wait; memory grows with it.
    :param oldest: requests that wait since before are dropped.
    :param is_merging: whether small files are merged; not while a run opens what is in them.
    """

    def __init__(self, reviews: WaitingReviews, maximum: int, oldest: datetime, *, is_merging: bool) -> None:
        self.reviews = reviews
        self.store = reviews.store
        self.maximum = maximum
        self.oldest = oldest.isoformat()
        self.is_merging = is_merging
        self._kept: list[_LeastUrgentFirst] = []
        self._small: list[LineFile] = []
        self._dropped: dict[str, set[str]] = defaultdict(set)
        self._too_old = self._too_many = 0

    def apply(self) -> Backlog:
        """Drop what is too old or too much, and merge small files. It may be killed anywhere and done again."""
        for file in read_folder(self.store, WAITING):
            young = tuple(line for line in file.records if line["since"] >= self.oldest)
            if len(young) < len(file.records):
                self._take_old(file)
            elif self.is_merging and len(young) < FILE_REQUESTS // 2:
                self._small.append(file)
                if sum(len(each.records) for each in self._small) >= FILE_REQUESTS:
                    self._merge()
                continue
            self._keep(young, file.key)
        if len(self._small) > SMALL_FILES:
            self._merge()
        for file in self._small:
            self._keep(file.records, file.key)
        self._drop()
        return Backlog(len(self._kept), self._too_old, self._too_many)

    def _take_old(self, file: LineFile) -> None:
        """Take the requests that waited too long out of a file."""
        old = {str(line["request"]["name"]) for line in file.records if line["since"] < self.oldest}
        self._too_old += len(old)
        self.reviews.remove(file.key, old)

    def _merge(self) -> None:
        """Write the requests of the small files into one, then delete those that nobody changed meanwhile.

        What is in two files after a crash, or since one was changed, is opened once all the same.
        """
        from botocore.exceptions import ClientError

        lines = [line for file in self._small for line in file.records]
        names = "\n".join(sorted(str(line["request"]["name"]) for line in lines))
        key = f"{WAITING}{MERGED}{hashlib.sha256(names.encode()).hexdigest()[:32]}.jsonl"
        write_lines(self.store, key, lines)
        for file in self._small:
            if file.key == key:
                continue
            try:
                self.store.call("delete_object", file.key, expect=CHANGED | MISSING, IfMatch=file.etag)
            except ClientError:
                continue  # changed since it was read
        self._small = []
        self._keep(lines, key)

    def _keep(self, lines: Iterable[dict[str, Any]], key: str) -> None:
        """Count the requests of a file, and drop the least urgent of all where there are too many."""
        for line in lines:
            entry = _LeastUrgentFirst(from_json(ReviewRequest, line["request"]), key)
            if len(self._kept) < self.maximum:
                heapq.heappush(self._kept, entry)
                continue
            least = heapq.heappushpop(self._kept, entry)
            self._dropped[least.file].add(least.name)
            self._too_many += 1
        if sum(map(len, self._dropped.values())) >= DROPPED_AT_ONCE:
            self._drop()

    def _drop(self) -> None:
        for file, names in self._dropped.items():
            self.reviews.remove(file, names)
        self._dropped.clear()
