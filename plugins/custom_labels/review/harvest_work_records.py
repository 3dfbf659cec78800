"""The batches of a harvest: a few reviews go along with the batch, of more there is a file.

``reviews/harvest_work/<batch>.jsonl`` has a line for each review of a batch: how it ended, and the messages that may be
deleted when the ledger has it. It is deleted at the batch's end.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from itertools import islice
from types import TracebackType
from typing import Self

from custom_labels.aws.messages import Message
from custom_labels.core.codec import from_json, to_json
from custom_labels.core.keys import REVIEWS
from custom_labels.review.harvest_work import EndedReview, HarvestBatch
from custom_labels.review.review import ReviewState
from custom_labels.s3.line_files import read_lines, to_lines, write_lines
from custom_labels.s3.pages import pages, time_text
from custom_labels.s3.store import S3Store

WORK = f"{REVIEWS}harvest_work/"
ALONG_BYTES = 8_192
"""A single batch of fewer bytes goes along with the task, in Airflow's database: to write, read and delete a file would
take three of the dozen calls that a review takes."""
ABANDONED = timedelta(days=7)
"""Age of a batch that nobody comes back to: the reviews in it were found again by later runs."""

_TABLES = """
CREATE TABLE found (number INTEGER PRIMARY KEY, name UNIQUE, state);
CREATE TABLE message (name, id, handle);
CREATE INDEX message_by_name ON message (name);
"""


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

    def __contains__(self, name: str) -> bool:
        return self._database.execute("SELECT 1 FROM found WHERE name = ?", (name,)).fetchone() is not None

    def __bool__(self) -> bool:
        return self._database.execute("SELECT 1 FROM found LIMIT 1").fetchone() is not None

    def add(self, state: ReviewState, message: Message | None = None) -> None:
        """Add a review that has ended."""
        text = json.dumps(to_json(state))
        self._database.execute("INSERT OR IGNORE INTO found (name, state) VALUES (?, ?)", (state.name, text))
        if message is not None:
            row = (state.name, message.id, message.receipt_handle)
            self._database.execute("INSERT INTO message VALUES (?, ?, ?)", row)

    def drop(self, names: Iterable[str]) -> list[Message]:
        """Drop reviews that are dealt with; give the messages about them, which are of no more use."""
        dropped = [(name,) for name in names if name in self]
        messages = [message for (name,) in dropped for message in self._messages(name)]
        self._database.executemany("DELETE FROM found WHERE name = ?", dropped)
        return messages

    def _messages(self, name: str) -> tuple[Message, ...]:
        rows = self._database.execute("SELECT id, handle FROM message WHERE name = ?", (name,))
        return tuple(Message(id_, "", handle, 0) for id_, handle in rows)

    def __iter__(self) -> Iterator[EndedReview]:
        """Go through what was added, in that order."""
        for name, state in self._database.execute("SELECT name, state FROM found ORDER BY number"):
            yield EndedReview(from_json(ReviewState, json.loads(state)), self._messages(name))


def write_batches(
    store: S3Store, run: str, found: Iterable[EndedReview], at: datetime, size: int
) -> tuple[HarvestBatch, ...]:
    """Share out what is to be harvested in batches.

    :param run: names the run and begins with its day.
    :param at: the moment of the harvest.
    :param size: reviews in a batch.
    """
    reviews = iter(found)
    batches: list[HarvestBatch] = []
    while batch := tuple(islice(reviews, size)):
        name, lines = f"{run}-{len(batches):04d}", [to_json(review) for review in batch]
        if len(to_lines(lines)) <= ALONG_BYTES and not batches:
            batches.append(HarvestBatch(name, at, batch))
            continue
        if not batches:
            _delete_abandoned(store, at)
        write_lines(store, _key(name), lines)
        batches.append(HarvestBatch(name, at, None))
    return tuple(batches)


def read_batch(store: S3Store, batch: HarvestBatch) -> tuple[EndedReview, ...]:
    """Read a batch; it is empty when it was seen to its end before."""
    if batch.reviews is not None:
        return batch.reviews
    file = read_lines(store, _key(batch.name))
    return tuple(from_json(EndedReview, line) for line in file.records) if file else ()


def delete_batch(store: S3Store, batch: HarvestBatch) -> None:
    """Forget a batch that is done."""
    if batch.reviews is None:
        store.call("delete_object", _key(batch.name))


def _delete_abandoned(store: S3Store, now: datetime) -> None:
    """Delete the batches of runs that failed for good, long ago."""
    oldest = time_text(now - ABANDONED)
    for page in pages(store, WORK):
        for key, time in zip(page.keys, page.times, strict=True):
            if time < oldest:
                store.call("delete_object", key.decode())


def _key(name: str) -> str:
    return f"{WORK}{name}.jsonl"
