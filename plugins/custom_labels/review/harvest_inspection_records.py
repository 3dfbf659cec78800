"""Finding the reviews that have ended, in the queue that announces them and in the list of all, and sharing them out.

A few reviews go along with their batch. Of more, ``reviews/harvest_work/<batch>.jsonl`` has a line for each: how it
ended, and the messages that may be deleted when the ledger has it. The file is deleted at the batch's end.
"""

from __future__ import annotations

import json
import logging
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import islice

from custom_labels.aws.hooks.queue import QueueHook
from custom_labels.aws.messages import Message
from custom_labels.core.batch_files import hand_on, take
from custom_labels.core.keys import REVIEWS
from custom_labels.review.backends.base import ReviewBackend
from custom_labels.review.harvest_records import EPOCH, read_ledger
from custom_labels.review.harvest_work import EndedReview, FoundWork, HarvestBatch, Watermark
from custom_labels.review.review import ReviewState, ReviewStatus
from custom_labels.review.settings import HarvestSettings
from custom_labels.s3.pages import pages, time_text
from custom_labels.s3.store import S3Store

log = logging.getLogger(__name__)

WORK = f"{REVIEWS}harvest_work/"
ABANDONED = timedelta(days=7)
"""Age of a batch of a run that failed for good: the reviews in it were found again by later runs."""
MOST_MESSAGES = 5_000
"""Messages that one run takes; the rest triggers the next."""
VISIBILITY_SECONDS = 3_600
"""How long messages stay invisible; one that comes again finds its review in the ledger."""
OVERLAP = timedelta(hours=1)
"""Listed again behind the watermark: a list may show a review a moment after it was created."""
LONGEST_UNKNOWN = timedelta(days=60)
"""A review lives for 30 days at most, and A2I keeps its data for 30 more (SageMaker guide, A2I output data). What is in
an unknown state then will not change any more."""
GRACE = timedelta(hours=1)
"""After a review's lifetime, in which a backend that ends reviews by itself does so."""
EXAMPLES = 5


class HarvestInspection:
    """One search for reviews that have ended, each found once however often it is announced.

    :param watermark: before when all reviews are dealt with.
    :param from_the_beginning: list all reviews that there ever were.
    :param lifetime: how long a review waits for people; ``None`` for as long as its backend lets it.
    """

    def __init__(
        self,
        store: S3Store,
        backend: ReviewBackend,
        watermark: Watermark,
        *,
        from_the_beginning: bool = False,
        lifetime: timedelta | None = None,
    ) -> None:
        self.store = store
        self.backend = backend
        self.watermark = watermark
        moment = None if from_the_beginning else watermark.created_before
        self.since = moment - OVERLAP if moment else EPOCH
        self.lifetime = lifetime
        self.oldest_open: datetime | None = None
        self.counts: Counter[str] = Counter()
        self.examples: list[str] = []
        self._states: dict[str, ReviewState] = {}
        self._messages: dict[str, list[Message]] = defaultdict(list)

    def run(self, queue: QueueHook | None, now: datetime, *, by_queue_only: bool) -> Iterator[EndedReview]:
        """Find the reviews that have ended and are not in the ledger; give them in the order in which they were found.

        A message is deleted at once if it is of no more use, else when its review is dealt with.

        :param by_queue_only: whether only the queue is read, and not all reviews since the watermark are listed.
        """
        useless = list(self._receive(queue)) if queue else []
        if not by_queue_only:
            self._list(now)
        useless += self._drop_known()
        if queue:
            queue.delete(useless)
        return (EndedReview(state, tuple(self._messages[name])) for name, state in self._states.items())

    def _receive(self, queue: QueueHook) -> Iterator[Message]:
        """Drain the queue; give the messages that are of no use."""
        for message in queue.receive(MOST_MESSAGES, VISIBILITY_SECONDS):
            state = self._read(message)
            if state is None or not state.status.is_final or datetime.fromisoformat(state.created_at) < self.since:
                yield message
            else:
                self._states.setdefault(state.name, state)
                self._messages[state.name].append(replace(message, body=""))

    def _read(self, message: Message) -> ReviewState | None:
        try:
            body = json.loads(message.body)
        except ValueError:
            body = None
        state = self.backend.state_from_event(body) if isinstance(body, dict) else None
        if state is None:
            self.counts["foreign"] += 1
            log.warning("Message %s is about no review of this project: %.500s", message.id, message.body)
        return state

    def _list(self, now: datetime) -> None:
        """List all reviews since the watermark; those that have not ended hold it back."""
        self.oldest_open = now
        for page in self.backend.states(self.since, self._states.__contains__):
            for state in self._expire(page, now):
                if state.status.is_final:
                    self._states.setdefault(state.name, state)
                    continue
                created = datetime.fromisoformat(state.created_at)
                if state.status is ReviewStatus.UNKNOWN:
                    self.counts["unknown"] += 1
                    log.warning("Review %s is left alone: %s", state.name, state.reason)
                    self.examples = [*self.examples, f"{state.name}: {state.reason}"][:EXAMPLES]
                if state.status is ReviewStatus.OPEN or created >= now - LONGEST_UNKNOWN:
                    self.oldest_open = min(self.oldest_open, created)

    def _expire(self, page: list[ReviewState], now: datetime) -> list[ReviewState]:
        """Cancel what has waited too long at a backend that lets it wait on; what was answered of it counts.

        A run that is killed in between finds them again, as the backend describes what was cancelled.
        """
        if self.lifetime is None:
            return page
        latest = now - self.lifetime - GRACE
        late = {
            state.name
            for state in page
            if state.status is ReviewStatus.OPEN and datetime.fromisoformat(state.created_at) < latest
        }
        if late:
            self.backend.cancel(late)
        return [replace(state, status=ReviewStatus.EXPIRED) if state.name in late else state for state in page]

    def _drop_known(self) -> Iterator[Message]:
        """Drop what the ledger has; give the messages about it."""
        if not self._states:
            return
        # A harvest may be entered under the day before its reviews were created, when it began before midnight.
        for file in read_ledger(self.store, None if self.since == EPOCH else self.since.date() - timedelta(days=1)):
            for name in (str(line["review"]) for line in file.records):
                if self._states.pop(name, None):
                    yield from self._messages.pop(name, ())

    def work(self, settings: HarvestSettings, batches: tuple[HarvestBatch, ...], most: int) -> FoundWork:
        """Sum up what was found, and how far the watermark may be moved once all of it is dealt with.

        :param settings: those of the run.
        :param batches: what is to be harvested, of which one run takes ``most``.
        """
        return FoundWork(
            settings,
            batches[:most],
            self.watermark,
            self.oldest_open if len(batches) <= most else None,
            self.counts["foreign"],
            self.counts["unknown"],
            tuple(self.examples),
        )


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
        batches.append(HarvestBatch(name, at, hand_on(store, _key(name), batch, is_only=not batches)))
    if any(each.reviews is None for each in batches):
        _delete_abandoned(store, at)
    return tuple(batches)


def read_batch(store: S3Store, batch: HarvestBatch) -> tuple[EndedReview, ...]:
    """Read a batch; it is empty where an earlier try has harvested all of it."""
    return take(store, _key(batch.name), batch.reviews, EndedReview)


def delete_batch(store: S3Store, batch: HarvestBatch) -> None:
    """Delete the file of a batch that is done."""
    if batch.reviews is None:
        store.call("delete_object", _key(batch.name))


def _delete_abandoned(store: S3Store, now: datetime) -> None:
    oldest = time_text(now - ABANDONED)
    for page in pages(store, WORK):
        for key, time in zip(page.keys, page.times, strict=True):
            if time < oldest:
                store.call("delete_object", key.decode())


def _key(name: str) -> str:
    return f"{WORK}{name}.jsonl"
