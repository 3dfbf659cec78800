"""What one harvest has to do: reviews that have ended, gathered in a temporary file and shared out in batches.

``reviews/harvest_work/<batch>.jsonl`` has a line for each review of a batch: how it ended, and the messages that may be
deleted when the ledger has it. It is deleted at the batch's end.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from types import TracebackType
from typing import Self

from custom_labels.aws.messages import Message
from custom_labels.core.codec import from_json, to_json
from custom_labels.core.keys import REVIEWS
from custom_labels.review.review import ReviewState
from custom_labels.s3.line_files import read_lines, write_lines
from custom_labels.s3.pages import pages, time_text
from custom_labels.s3.store import S3Store

WORK = f"{REVIEWS}harvest_work/"
ABANDONED = timedelta(days=7)
"""Age of a batch that nobody comes back to: the reviews in it were found again by later runs."""

_TABLES = """
CREATE TABLE known (name PRIMARY KEY, in_ledger) WITHOUT ROWID;
CREATE TABLE found (number INTEGER PRIMARY KEY, name UNIQUE, state);
CREATE TABLE message (name, id, handle);
CREATE INDEX message_by_name ON message (name);
"""


@dataclass(frozen=True)
class EndedReview:
    """A review that has ended.

    :param messages: those that announced it, without their bodies: they are only to be deleted.
    """

    state: ReviewState
    messages: tuple[Message, ...] = ()


class FoundReviews:
    """Reviews that have ended, each once however often it was announced; kept in a temporary file, not in memory."""

    def __enter__(self) -> Self:
        """Make the file."""
        self._database = sqlite3.connect("")
        self._database.executescript(_TABLES)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._database.close()

    def know(self, names: Iterable[str], *, in_ledger: bool) -> None:
        """Learn of reviews that are dealt with, or that were decided and wait to be seen to their end."""
        self._database.executemany("INSERT OR REPLACE INTO known VALUES (?, ?)", ((name, in_ledger) for name in names))

    def is_known(self, name: str) -> bool:
        """Whether a review needs no harvest any more."""
        return self._database.execute("SELECT 1 FROM known WHERE name = ?", (name,)).fetchone() is not None

    def is_in_ledger(self, name: str) -> bool:
        """Whether a review is dealt with."""
        found = self._database.execute("SELECT in_ledger FROM known WHERE name = ?", (name,)).fetchone()
        return found is not None and bool(found[0])

    def add(self, state: ReviewState, message: Message | None = None) -> None:
        """Add a review that has ended and is not known yet."""
        text = json.dumps(to_json(state))
        self._database.execute("INSERT OR IGNORE INTO found (name, state) VALUES (?, ?)", (state.name, text))
        if message is not None:
            row = (state.name, message.id, message.receipt_handle)
            self._database.execute("INSERT INTO message VALUES (?, ?, ?)", row)

    def __iter__(self) -> Iterator[EndedReview]:
        """Go through what was added, in that order."""
        for name, state in self._database.execute("SELECT name, state FROM found ORDER BY number"):
            rows = self._database.execute("SELECT id, handle FROM message WHERE name = ?", (name,))
            messages = tuple(Message(id_, "", handle, 0) for id_, handle in rows)
            yield EndedReview(from_json(ReviewState, json.loads(state)), messages)


def write_batches(store: S3Store, run: str, found: Iterable[EndedReview], size: int) -> list[str]:
    """Write what is to be harvested in batches.

    :param run: names the run and begins with its day.
    :param size: reviews in a batch.
    :return: the batches' names.
    """
    reviews = iter(found)
    names: list[str] = []
    while batch := list(islice(reviews, size)):
        names.append(f"{run}-{len(names):04d}")
        write_lines(store, _key(names[-1]), (to_json(review) for review in batch))
    return names


def read_batch(store: S3Store, name: str) -> list[EndedReview]:
    """Read a batch; it is empty when it was seen to its end before."""
    file = read_lines(store, _key(name))
    return [from_json(EndedReview, line) for line in file.records] if file else []


def delete_batch(store: S3Store, name: str) -> None:
    """Forget a batch that is done."""
    store.call("delete_object", _key(name))


def delete_abandoned(store: S3Store, now: datetime) -> None:
    """Delete the batches of runs that failed for good, long ago."""
    oldest = time_text(now - ABANDONED)
    for page in pages(store, WORK):
        for key, time in zip(page.keys, page.times, strict=True):
            if time < oldest:
                store.call("delete_object", key.decode())


def _key(name: str) -> str:
    return f"{WORK}{name}.jsonl"
