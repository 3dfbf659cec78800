"""Looking for reviews that have ended: in the queue that announces them, and in the list of all."""

from __future__ import annotations

import json
import logging
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from custom_labels.aws.hooks.queue import QueueHook
from custom_labels.aws.messages import Message
from custom_labels.review import harvest_records
from custom_labels.review.backends.base import ReviewBackend
from custom_labels.review.harvest_work import FoundWork, HarvestBatch, Watermark
from custom_labels.review.harvest_work_records import FoundReviews
from custom_labels.review.review import ReviewState, ReviewStatus

if TYPE_CHECKING:
    from custom_labels.s3.store import S3Store

log = logging.getLogger(__name__)

MOST_MESSAGES = 5_000
"""Messages that one run takes; the rest triggers the next."""
VISIBILITY_SECONDS = 3_600
"""How long messages stay ours; one that comes again finds its review in the ledger."""
OVERLAP = timedelta(hours=1)
"""Looked at again behind the watermark: a list may show a review a moment after it was created."""
LONGEST_UNKNOWN = timedelta(days=60)
"""A review lives for 30 days at most, and A2I keeps its data for 30 more (SageMaker guide, A2I output data). What is in
an unknown state then will not change any more, and need not be looked at for ever."""
EXAMPLES = 5


class HarvestInspection:
    """One look for reviews that have ended.

    :param found: takes what is to be harvested.
    :param watermark: before when all reviews are dealt with.
    :param from_the_beginning: look at all reviews that there ever were.
    """

    def __init__(
        self,
        store: S3Store,
        backend: ReviewBackend,
        found: FoundReviews,
        watermark: Watermark,
        *,
        from_the_beginning: bool = False,
    ) -> None:
        self.store = store
        self.backend = backend
        self.found = found
        self.watermark = watermark
        moment = None if from_the_beginning else watermark.created_before
        self.since = moment - OVERLAP if moment else harvest_records.EPOCH
        self.oldest_open: datetime | None = None
        self.counts: Counter[str] = Counter()
        self.examples: list[str] = []

    def run(self, queue: QueueHook | None, now: datetime, *, by_queue_only: bool) -> None:
        """Find the reviews that have ended and are not in the ledger.

        A message is deleted at once if it is of no more use, else when its review is dealt with.

        :param by_queue_only: whether the queue alone is looked at, not all reviews since the watermark.
        """
        useless = list(self._receive(queue)) if queue else []
        if not by_queue_only:
            self._list(now)
        useless += self._drop_known(now)
        if queue:
            queue.delete(useless)

    def _drop_known(self, now: datetime) -> Iterator[Message]:
        """Drop what the ledger has; give the messages about it."""
        if not self.found:
            return
        # A harvest may be entered under the day before its reviews were created, when it began before midnight.
        first = None if self.since == harvest_records.EPOCH else self.since.date() - timedelta(days=1)
        for file in harvest_records.read_ledger(self.store, first, now.date()):
            yield from self.found.drop(str(line["review"]) for line in file.records)

    def _receive(self, queue: QueueHook) -> Iterator[Message]:
        """Drain the queue; give the messages that are of no use."""
        for message in queue.receive(MOST_MESSAGES, VISIBILITY_SECONDS):
            state = self._read(message)
            if state is None or not state.status.is_final or datetime.fromisoformat(state.created_at) < self.since:
                yield message
            else:
                self.found.add(state, message)

    def _list(self, now: datetime) -> None:
        """List all reviews since the watermark; those that have not ended hold it back."""
        self.oldest_open = now
        for page in self.backend.states(self.since, self.found.__contains__):
            for state in page:
                if state.status.is_final:
                    self.found.add(state)
                else:
                    self._hold_back(state, now)

    def _hold_back(self, state: ReviewState, now: datetime) -> None:
        """Keep the watermark behind a review that has not ended."""
        created = datetime.fromisoformat(state.created_at)
        if state.status is ReviewStatus.UNKNOWN:
            self._show(state)
            if created < now - LONGEST_UNKNOWN:
                return
        self.oldest_open = min(self.oldest_open or now, created)

    def work(self, batches: tuple[HarvestBatch, ...], most: int) -> FoundWork:
        """Say what was found, and how far the watermark may be moved once all of it is dealt with.

        :param batches: what is to be harvested, of which one run takes ``most``.
        """
        return FoundWork(
            batches[:most],
            self.watermark,
            self.oldest_open if len(batches) <= most else None,
            self.counts["foreign"],
            self.counts["unknown"],
            tuple(self.examples),
        )

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

    def _show(self, state: ReviewState) -> None:
        self.counts["unknown"] += 1
        log.warning("Review %s is left alone: %s", state.name, state.reason)
        if len(self.examples) < EXAMPLES:
            self.examples.append(f"{state.name}: {state.reason}")
