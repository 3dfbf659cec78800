"""Looking for reviews that have ended: in the queue that announces them, and in the list of all."""

from __future__ import annotations

import json
import logging
from collections import Counter
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from custom_labels.aws.hooks.queue import QueueHook
from custom_labels.aws.messages import Message
from custom_labels.review import harvest_records
from custom_labels.review.backends.base import ReviewBackend
from custom_labels.review.harvest_work_records import FoundReviews
from custom_labels.review.review import ReviewState, ReviewStatus

if TYPE_CHECKING:
    from custom_labels.s3.store import S3Store

log = logging.getLogger(__name__)

MOST_MESSAGES = 5_000
"""Messages that one run takes; the rest triggers the next."""
VISIBILITY_SECONDS = 3_600
"""How long messages stay ours; one that comes again finds its review in the ledger."""
DELETED_AT_ONCE = 1_000
LONGEST_UNKNOWN = timedelta(days=60)
"""A review lives for 30 days at most, and A2I keeps its data for 30 more (SageMaker guide, A2I output data). What is in
an unknown state then will not change any more, and need not be looked at for ever."""
EXAMPLES = 5


class HarvestInspection:
    """One look for reviews that have ended.

    :param found: takes what is to be harvested.
    :param since: moment before whose reviews all are dealt with.
    """

    def __init__(self, store: S3Store, backend: ReviewBackend, found: FoundReviews, since: datetime) -> None:
        self.store = store
        self.backend = backend
        self.found = found
        self.since = since
        self.oldest_open: datetime | None = None
        self.counts: Counter[str] = Counter()
        self.examples: list[str] = []

    def learn(self, unfinished: Iterable[str], now: datetime) -> None:
        """Learn which reviews need no harvest any more."""
        for chunk in unfinished:
            decided = harvest_records.read_unfinished(self.store, chunk) or []
            self.found.know((one.review for one in decided), in_ledger=False)
        # A harvest may be entered under the day before its reviews were created, when it began before midnight.
        first = None if self.since == harvest_records.EPOCH else self.since.date() - timedelta(days=1)
        for file in harvest_records.read_ledger(self.store, first, now.date()):
            self.found.know((str(line["review"]) for line in file.records), in_ledger=True)

    def at_queue(self, queue: QueueHook | None) -> None:
        """Drain the queue. A message is deleted at once if it is of no more use, else when its review is dealt with."""
        if queue is None:
            return
        useless: list[Message] = []
        for message in queue.receive(MOST_MESSAGES, VISIBILITY_SECONDS):
            self.counts["messages"] += 1
            state = self._read(message)
            if state is None or self._is_useless(state):
                useless.append(message)
            elif not self.found.is_known(state.name):
                self.found.add(state, message)
            if len(useless) >= DELETED_AT_ONCE:
                queue.delete(useless)
                useless = []
        queue.delete(useless)

    def at_all(self, now: datetime) -> None:
        """List all reviews since the watermark; those that have not ended hold it back."""
        self.oldest_open = now
        for page in self.backend.states(self.since):
            for state in page:
                if state.status.is_final:
                    if not self.found.is_known(state.name):
                        self.found.add(state)
                    continue
                self._hold_back(state, now)

    def _hold_back(self, state: ReviewState, now: datetime) -> None:
        """Keep the watermark behind a review that has not ended."""
        created = datetime.fromisoformat(state.created_at)
        self.counts[state.status.value] += 1
        if state.status is ReviewStatus.UNKNOWN:
            self._tell(state)
            if created < now - LONGEST_UNKNOWN:
                return
        self.oldest_open = min(self.oldest_open or now, created)

    def facts(self, *, complete: bool) -> dict[str, Any]:
        """Say what was seen, and how far the watermark may be moved once all that was found is dealt with."""
        return {
            "watermark": self.oldest_open.isoformat() if self.oldest_open and complete else None,
            "messages": self.counts["messages"],
            "foreign": self.counts["foreign"],
            "open": self.counts[ReviewStatus.OPEN.value],
            "unknown": self.counts[ReviewStatus.UNKNOWN.value],
            "examples": self.examples,
        }

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

    def _is_useless(self, state: ReviewState) -> bool:
        """Whether a message announces nothing that is to be done: the review is dealt with, or has not ended."""
        if datetime.fromisoformat(state.created_at) < self.since or self.found.is_in_ledger(state.name):
            return True
        return not state.status.is_final

    def _tell(self, state: ReviewState) -> None:
        log.warning("Review %s is left alone: %s", state.name, state.reason)
        if len(self.examples) < EXAMPLES:
            self.examples.append(f"{state.name}: {state.reason}")
