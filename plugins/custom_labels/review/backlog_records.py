"""Bounding what waits to be reviewed, by age and number, so that to read it costs the same however much came in."""

from __future__ import annotations

import hashlib
import heapq
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from custom_labels.core.codec import from_json
from custom_labels.review.request_records import WAITING, Waiting, WaitingFile, WaitingReviews
from custom_labels.review.review import Purpose, ReviewRequest, urgency
from custom_labels.s3.errors import CHANGED, MISSING
from custom_labels.s3.line_files import LineFile, read_folder, read_lines, write_lines

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
    :param urgent: the most urgent of those that may be opened, in order.
    """

    waiting: int = 0
    too_old: int = 0
    too_many: int = 0
    urgent: tuple[Waiting, ...] = ()


class _LeastUrgentFirst:
    """An entry of a heap whose first one is the least urgent."""

    def __init__(self, request: ReviewRequest, file: WaitingFile) -> None:
        self.key, self.name, self.file = urgency(request), request.name, file

    def __lt__(self, other: _LeastUrgentFirst) -> bool:
        return self.key > other.key


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
        self.store = reviews.store
        self.maximum = maximum
        self.oldest = oldest.isoformat()
        self.chosen = chosen
        self.audits_only = audits_only
        self._kept: list[_LeastUrgentFirst] = []
        self._urgent: list[Waiting] = []
        self._small: list[LineFile] = []
        self._dropped: dict[WaitingFile, set[str]] = defaultdict(set)
        self._too_old = self._too_many = 0

    def read(self) -> Backlog:
        """Drop what is too old or too much, merge small files, and choose. It may be killed anywhere and done again.

        Where another run opens what is in a file that is merged, that is opened once all the same.
        """
        for found in read_folder(self.store, WAITING):
            file = self._without_old(found)
            if file is None:
                continue
            if len(file.records) < FILE_REQUESTS // 2:
                self._small.append(file)
                if sum(len(each.records) for each in self._small) >= FILE_REQUESTS:
                    self._merge()
            else:
                self._keep(file)
        if len(self._small) > SMALL_FILES:
            self._merge()
        for file in self._small:
            self._keep(file)
        self._drop()
        return Backlog(len(self._kept), self._too_old, self._too_many, tuple(self._urgent))

    def _without_old(self, file: LineFile) -> LineFile | None:
        """Take the requests that waited too long out of a file; ``None`` if nothing is left of it."""
        old = {str(line["request"]["name"]) for line in file.records if line["since"] < self.oldest}
        if not old:
            return file
        self._too_old += len(old)
        self.reviews.remove(WaitingFile.of(file), old)
        return read_lines(self.store, file.key)

    def _merge(self) -> None:
        """Write the requests of the small files into one, then delete those that nobody changed meanwhile.

        What is in two files after a crash, or since one was changed, is opened once all the same.
        """
        from botocore.exceptions import ClientError

        lines = [line for file in self._small for line in file.records]
        names = "\n".join(sorted(str(line["request"]["name"]) for line in lines))
        key = f"{WAITING}{MERGED}{hashlib.sha256(names.encode()).hexdigest()[:32]}.jsonl"
        etag = write_lines(self.store, key, lines)
        for file in self._small:
            if file.key == key:
                continue
            try:
                self.store.call("delete_object", file.key, expect=CHANGED | MISSING, IfMatch=file.etag)
            except ClientError:
                continue  # changed since it was read
        self._small = []
        self._keep(LineFile(key, etag, tuple(lines)))

    def _keep(self, file: LineFile) -> None:
        """Count the requests of a file, choose the most urgent, and drop the least urgent where there are too many."""
        known = WaitingFile.of(file)
        requests = [from_json(ReviewRequest, line["request"]) for line in file.records]
        self._choose(Waiting(known, request) for request in requests)
        for request in requests:
            entry = _LeastUrgentFirst(request, known)
            if len(self._kept) < self.maximum:
                heapq.heappush(self._kept, entry)
                continue
            least = heapq.heappushpop(self._kept, entry)
            self._dropped[least.file].add(least.name)
            self._too_many += 1
        if sum(map(len, self._dropped.values())) >= DROPPED_AT_ONCE:
            self._drop()

    def _choose(self, waiting: Iterable[Waiting]) -> None:
        wanted = (one for one in waiting if not self.audits_only or one.request.purpose is Purpose.AUDIT)
        self._urgent = heapq.nsmallest(self.chosen, [*self._urgent, *wanted], key=lambda one: urgency(one.request))

    def _drop(self) -> None:
        for file, names in self._dropped.items():
            self.reviews.remove(file, names)
        self._dropped.clear()
