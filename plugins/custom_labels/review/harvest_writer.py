"""Harvesting reviews that have ended: read the answers, decide, copy and annotate the images, and write the ledger.

The reviews of a chunk may be harvested again and again until the ledger has them, so that a killed task loses nothing:
copies have derived keys, and the ledger is written last, once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime
from typing import TypeVar

from custom_labels.aws.messages import Message
from custom_labels.review.backends.base import ReviewBackend
from custom_labels.review.harvest import (
    NO_ANSWER_POSSIBLE,
    HarvestedReview,
    HarvestRules,
    ReviewOutcome,
    decide_outcome,
)
from custom_labels.review.harvest_inspection_records import delete_batch
from custom_labels.review.harvest_records import (
    copy_image,
    earlier_answers,
    read_chunk,
    save_answers,
    write_ledger,
    write_reviewed,
)
from custom_labels.review.harvest_work import EXAMPLES, EndedReview, HarvestBatch, HarvestResult
from custom_labels.review.opening_records import OpenedReview, ReviewBudget, find_requests
from custom_labels.review.review import Answered, ReviewState, ReviewStatus
from custom_labels.review.waiting_records import WaitingReviews
from custom_labels.s3.store import S3Store

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

    def harvest(self, batch: HarvestBatch, reviews: Sequence[EndedReview], *, is_repeated: bool) -> HarvestResult:
        """Harvest a batch, from wherever an earlier try was killed.

        :param reviews: what is in it.
        :param is_repeated: whether some of it may be in the ledger already.
        """
        harvested: list[HarvestedReview] = []
        for number, start in enumerate(range(0, len(reviews), CHUNK)):
            chunk, part = f"{batch.name}-{number:03d}", reviews[start : start + CHUNK]
            done: Sequence[HarvestedReview] = read_chunk(self.store, chunk) if is_repeated else ()
            harvested += done or self._harvest(chunk, [each.state for each in part], batch.at)
            self.delete_messages(message for review in part for message in review.messages)
        delete_batch(self.store, batch)
        return _result(harvested)

    def _harvest(self, chunk: str, states: Sequence[ReviewState], at: datetime) -> Sequence[HarvestedReview]:
        """Do all that comes of a chunk's reviews, and then enter it into the ledger."""
        answered = dict(zip((state.name for state in states), _each(self._answers, states), strict=True))
        opened = self._find_opened(
            [state for state in states if (found := answered[state.name]) is None or not found.answers]
        )

        def harvest(state: ReviewState) -> HarvestedReview:
            found, ours = answered[state.name], opened.get(state.name)
            if found is None and ours is not None:
                found = Answered(ours.request, ())
            earlier = earlier_answers(self.store, found.request) if found else ()
            opened_on = ours.day.isoformat() if ours else None
            harvested_at = at.isoformat(timespec="seconds")
            decided = decide_outcome(state, found, earlier, self.rules, harvested_at, opened_on)
            if decided.review_outcome is ReviewOutcome.ASKED_AGAIN:
                save_answers(self.store, decided)
            return copy_image(self.store, decided) if decided.review_outcome is ReviewOutcome.COPY else decided

        harvested = _each(harvest, states)
        write_reviewed(self.store, chunk, harvested)
        requests = [request for one in harvested if (request := one.next_request) is not None]
        WaitingReviews(self.store).add(f"round-{chunk}", requests)
        # What failed before a reviewer could answer is returned to the budget of the day that it was opened in.
        for day, failed in Counter(one.budget_day for one in harvested if one.budget_day).items():
            ReviewBudget(self.store, date.fromisoformat(day)).give_back(chunk, failed)
        return write_ledger(self.store, chunk, harvested)

    def _answers(self, state: ReviewState) -> Answered | None:
        """Read a review's answers; the backend is asked where they are if no list or event names it."""
        if state.answers_uri is None:
            state = self.backend.status(state.name) or state
        return self.backend.answers(state)

    def _find_opened(self, states: list[ReviewState]) -> dict[str, OpenedReview]:
        """Find when reviews without answers were opened, and what they asked: the backend may have written nothing."""
        if not states:
            return {}
        days = [datetime.fromisoformat(state.created_at).date() for state in states]
        return find_requests(self.store, {state.name for state in states}, min(days), max(days))


def _each(action: Callable[[Item], Result], items: Sequence[Item]) -> list[Result]:
    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(action, items))


def _result(harvested: Sequence[HarvestedReview]) -> HarvestResult:
    """Count reviews by their end, by what became of their images, and the copies that carry a label now."""
    counts: Counter[str] = Counter()
    for one in harvested:
        counts.update(("reviews", one.status.value, one.review_outcome.value))
        counts.update({"labelled": one.is_for_training, "empty": one.is_empty, "refused": len(one.refused)})
    failed = [each for each in harvested if each.has_failed]
    reasons = Counter(each.reason.removeprefix(NO_ANSWER_POSSIBLE) for each in failed)
    return HarvestResult(
        dict(+counts),
        tuple(reason for reason, _ in reasons.most_common(EXAMPLES)),
        min((each.asked_at for each in failed), default=""),
        max((each.asked_at for each in harvested if each.status is ReviewStatus.COMPLETED), default=""),
    )
