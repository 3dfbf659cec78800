"""What one harvest has to do and has done, as its tasks hand it on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from custom_labels.aws.messages import Message
from custom_labels.review.review import ReviewState

EXAMPLES = 3


@dataclass(frozen=True)
class Watermark:
    """Before when all reviews have been dealt with, as it was read.

    :param created_before: ``None`` before the first harvest.
    :param etag: of the object, ``None`` where there is none.
    """

    created_before: datetime | None = None
    etag: str | None = None


@dataclass(frozen=True)
class EndedReview:
    """A review that has ended.

    :param messages: those that announced it, without their bodies: they are only to be deleted.
    """

    state: ReviewState
    messages: tuple[Message, ...] = ()


@dataclass(frozen=True)
class HarvestBatch:
    """Reviews that one task harvests.

    :param name: begins with the day under which they are entered into the ledger.
    :param at: the moment of the harvest.
    :param reviews: the reviews, where they are few; else ``None``, and a file of the batch's name lists them.
    """

    name: str
    at: datetime
    reviews: tuple[EndedReview, ...] | None


@dataclass(frozen=True)
class FoundWork:
    """What a look for reviews that have ended found.

    :param batches: one a mapped task.
    :param watermark: as it was, and ``dealt_with`` to where it may be moved once all that was found is harvested;
        ``None`` where not all reviews were looked at.
    :param foreign: messages about no review of this project.
    :param unknown: reviews in a state that is not known, and ``examples`` of them.
    """

    batches: tuple[HarvestBatch, ...] = ()
    watermark: Watermark = Watermark()
    dealt_with: datetime | None = None
    foreign: int = 0
    unknown: int = 0
    examples: tuple[str, ...] = ()


@dataclass(frozen=True)
class HarvestResult:
    """What became of reviews.

    :param counts: of reviews by their end and by what became of their images, and of new labelled images.
    :param reasons: of technical failures, in the backend's words; the first few.
    :param failed_at: when the first of the reviews that failed so was opened, and ``completed_at`` when the last one
        that reviewers completed; ISO 8601 in UTC, empty for none.
    """

    counts: Mapping[str, int] = field(default_factory=dict)
    reasons: tuple[str, ...] = ()
    failed_at: str = ""
    completed_at: str = ""

    @classmethod
    def total(cls, results: Sequence[HarvestResult]) -> HarvestResult:
        """Add up what became of the batches."""
        counts: Counter[str] = Counter()
        for each in results:
            counts.update(each.counts)
        return cls(
            dict(counts),
            tuple(dict.fromkeys(reason for each in results for reason in each.reasons))[:EXAMPLES],
            min((each.failed_at for each in results if each.failed_at), default=""),
            max((each.completed_at for each in results), default=""),
        )
