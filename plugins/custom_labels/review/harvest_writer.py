"""Harvesting reviews that have ended: read the answers, decide, copy the images, and enter it into the ledger."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime
from typing import TYPE_CHECKING, TypeVar

from custom_labels.aws.messages import Message
from custom_labels.review import harvest_records
from custom_labels.review.backends.base import ReviewBackend
from custom_labels.review.budget_records import ReviewBudget
from custom_labels.review.harvest import (
    NO_ANSWER_POSSIBLE,
    HarvestedReview,
    HarvestRules,
    ReviewOutcome,
    decide_outcome,
)
from custom_labels.review.harvest_work import EXAMPLES, EndedReview, HarvestBatch, HarvestResult
from custom_labels.review.harvest_work_records import delete_batch
from custom_labels.review.opened_records import OpenedReview, find_requests
from custom_labels.review.request_records import WaitingReviews
from custom_labels.review.review import Answered, ReviewState, ReviewStatus

if TYPE_CHECKING:
    from custom_labels.s3.store import S3Store

log = logging.getLogger(__name__)
Item = TypeVar("Item")
Result = TypeVar("Result")

CHUNK = 50
"""Reviews that share a file of the ledger; so many are done again at most after a crash."""
THREADS = 16


class Harvester:
    """Harvests batches of one run.

    :param rules: the project's settings as they are now.
    :param delete_messages: takes the messages whose reviews are in the ledger.
    """

    def __init__(
        self,
        store: S3Store,
        backend: ReviewBackend,
        rules: HarvestRules,
        delete_messages: Callable[[Iterable[Message]], object],
    ) -> None:
        self.store = store
        self.backend = backend
        self.rules = rules
        self.delete_messages = delete_messages
        self.failures: Counter[str] = Counter()
        """Reasons of technical failures, in the backend's words."""
        self.failed_at = self.completed_at = ""
        """When the first of the reviews that failed so was opened, and the last of those that were completed."""

    def harvest(self, batch: HarvestBatch, reviews: Sequence[EndedReview], *, is_repeated: bool) -> HarvestResult:
        """Harvest a batch, from wherever an earlier try was killed.

        :param reviews: what is in it.
        :param is_repeated: whether some of it may be in the ledger already.
        """
        counts: Counter[str] = Counter()
        for number, start in enumerate(range(0, len(reviews), CHUNK)):
            chunk, part = f"{batch.name}-{number:03d}", reviews[start : start + CHUNK]
            done: Sequence[HarvestedReview] = harvest_records.read_chunk(self.store, chunk) if is_repeated else ()
            counts += self._count(done or self._harvest(chunk, part, batch.at))
            self.delete_messages(message for review in part for message in review.messages)
        delete_batch(self.store, batch)
        reasons = tuple(reason for reason, _ in self.failures.most_common(EXAMPLES))
        return HarvestResult(dict(counts), reasons, self.failed_at, self.completed_at)

    def _harvest(self, chunk: str, reviews: Sequence[EndedReview], at: datetime) -> Sequence[HarvestedReview]:
        """Do all that comes of a chunk's reviews, and then enter it into the ledger; it may be done again and again."""
        decided = self._decide(reviews, at.isoformat(timespec="seconds"))
        finished = self._each(self._carry_out, decided)
        requests = [request for one in finished if (request := one.next_request) is not None]
        WaitingReviews(self.store).add(f"round-{chunk}", requests)
        # Each day's budget gets back what was opened in it and failed before anybody could answer.
        for day, failed in Counter(one.budget_day for one in finished if one.budget_day).items():
            ReviewBudget(self.store, date.fromisoformat(day)).give_back(chunk, failed)
        return harvest_records.write_ledger(self.store, chunk, finished)

    def _decide(self, reviews: Sequence[EndedReview], harvested_at: str) -> list[HarvestedReview]:
        """Read what people said of a chunk's images, and decide."""
        states = [review.state for review in reviews]
        answered = dict(zip((state.name for state in states), self._each(self._answers, states), strict=True))
        opened = self._opened([state for state in states if _is_unanswered(answered[state.name])])

        def decide(state: ReviewState) -> HarvestedReview:
            found, ours = answered[state.name], opened.get(state.name)
            if found is None and ours is not None:
                found = Answered(ours.request, ())
            earlier = harvest_records.earlier_answers(self.store, found.request) if found else ()
            opened_on = ours.day.isoformat() if ours else None
            return decide_outcome(state, found, earlier, self.rules, harvested_at, opened_on)

        return self._each(decide, states)

    def _answers(self, state: ReviewState) -> Answered | None:
        """Read a review's answers; where they are is looked up if nothing has said so yet."""
        if state.answers_uri is None:
            state = self.backend.status(state.name) or state
        return self.backend.answers(state)

    def _opened(self, states: list[ReviewState]) -> dict[str, OpenedReview]:
        """Find when reviews were opened that nobody answered, and what they asked: nothing may be written for them."""
        if not states:
            return {}
        days = [datetime.fromisoformat(state.created_at).date() for state in states]
        return find_requests(self.store, {state.name for state in states}, min(days), max(days))

    def _carry_out(self, decided: HarvestedReview) -> HarvestedReview:
        if decided.review_outcome is ReviewOutcome.COPY:
            return harvest_records.copy_image(self.store, decided)
        if decided.review_outcome is ReviewOutcome.ASKED_AGAIN:
            harvest_records.save_answers(self.store, decided)
        return decided

    def _each(self, action: Callable[[Item], Result], items: Sequence[Item]) -> list[Result]:
        with ThreadPoolExecutor(THREADS) as pool:
            return list(pool.map(action, items))

    def _count(self, harvested: Iterable[HarvestedReview]) -> Counter[str]:
        """Count reviews by their end, by the review_outcome of their images, and the copies that carry a label now."""
        counts: Counter[str] = Counter()
        for one in harvested:
            counts += Counter(
                {"reviews": 1, one.status.value: 1, one.review_outcome.value: 1, "labelled": one.is_for_training}
            )
            if one.status is ReviewStatus.COMPLETED:
                self.completed_at = max(self.completed_at, one.asked_at)
            if one.review_outcome in {ReviewOutcome.TECHNICAL_FAILURE, ReviewOutcome.GIVEN_UP}:
                self.failed_at = min(self.failed_at or one.asked_at, one.asked_at)
                self.failures[one.reason.removeprefix(NO_ANSWER_POSSIBLE)] += 1
        return counts


def _is_unanswered(found: Answered | None) -> bool:
    return found is None or not found.answers
