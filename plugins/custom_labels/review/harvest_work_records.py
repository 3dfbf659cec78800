"""The batches of a harvest: a few reviews go along with the batch, of more there is a file.

``reviews/harvest_work/<batch>.jsonl`` has a line for each review of a batch: how it ended, and the messages that may be
deleted when the ledger has it. It is deleted at the batch's end.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import islice

from custom_labels.aws.messages import Message
from custom_labels.core.batch_files import hand_on, take
from custom_labels.core.keys import REVIEWS
from custom_labels.review.harvest_work import EndedReview, HarvestBatch
from custom_labels.review.review import ReviewState
from custom_labels.s3.pages import pages, time_text
from custom_labels.s3.store import S3Store

WORK = f"{REVIEWS}harvest_work/"
ABANDONED = timedelta(days=7)
"""Age of a batch that nobody comes back to: the reviews in it were found again by later runs."""


class FoundReviews:
    """Reviews that have ended, each once however often it was announced, in the order in which they were found."""

    def __init__(self) -> None:
        self._states: dict[str, ReviewState] = {}
        self._messages: dict[str, list[Message]] = defaultdict(list)

    def __contains__(self, name: object) -> bool:
        return name in self._states

    def __len__(self) -> int:
        return len(self._states)

    def __iter__(self) -> Iterator[EndedReview]:
        for name, state in self._states.items():
            yield EndedReview(state, tuple(self._messages.get(name, ())))

    def add(self, state: ReviewState, message: Message | None = None) -> None:
        """Add a review that has ended, and a message about it; its body is of no more use."""
        self._states.setdefault(state.name, state)
        if message is not None:
            self._messages[state.name].append(replace(message, body=""))

    def drop(self, names: Iterable[str]) -> list[Message]:
        """Drop reviews that are dealt with; give the messages about them, which are of no more use."""
        dropped = [name for name in names if self._states.pop(name, None)]
        return [message for name in dropped for message in self._messages.pop(name, ())]


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
        name = f"{run}-{len(batches):04d}"
        along = hand_on(store, _key(name), batch, is_only=not batches)
        batches.append(HarvestBatch(name, at, along))
    if any(each.reviews is None for each in batches):
        _delete_abandoned(store, at)
    return tuple(batches)


def read_batch(store: S3Store, batch: HarvestBatch) -> tuple[EndedReview, ...]:
    """Read a batch; it is empty when it was seen to its end before."""
    return take(store, _key(batch.name), batch.reviews, EndedReview)


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
