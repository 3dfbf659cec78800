"""What a harvest has to do and has done, as its tasks hand it on, and how it ended in words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from custom_labels.aws.messages import Message
from custom_labels.core.outcome import Outcome
from custom_labels.review.harvest import ReviewOutcome
from custom_labels.review.opening import OpenedReviews
from custom_labels.review.review import ReviewState
from custom_labels.review.settings import HarvestSettings
from custom_labels.review.statistics import ReviewerNumbers, ReviewStatistics, duration, far_off_in_words, in_words

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
    """What was found of reviews that have ended.

    :param settings: those of the run.
    :param batches: one a mapped task.
    :param watermark: as it was, and ``dealt_with`` to where it may be moved once all that was found is harvested;
        ``None`` where not all reviews were listed.
    :param foreign: messages about no review of this project.
    :param unknown: reviews in a state that is not known, and ``examples`` of them.
    :param at: the moment.
    :param open: reviews that wait for people, and ``oldest`` since when the oldest of them does; both ``None`` where
        not all reviews were listed.
    """

    settings: HarvestSettings
    batches: tuple[HarvestBatch, ...] = ()
    watermark: Watermark = Watermark()
    dealt_with: datetime | None = None
    foreign: int = 0
    unknown: int = 0
    examples: tuple[str, ...] = ()
    at: datetime | None = None
    open: int | None = None
    oldest: datetime | None = None


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


@dataclass(frozen=True)
class HarvestSummary:
    """How a harvest ended.

    :param is_news: whether it was the first to find that reviews fail before a reviewer can answer them, or why.
    :param unreviewed: why the project has no reviewers, in words; empty if it has.
    :param statistics: of all reviews, where they were brought up to date, and ``far_off`` the reviewers that this run
        is the first to find far off.
    """

    found: FoundWork
    done: HarvestResult
    opened: OpenedReviews
    is_news: bool = False
    unreviewed: str = ""
    statistics: ReviewStatistics | None = None
    far_off: tuple[ReviewerNumbers, ...] = ()

    @property
    def counts(self) -> Counter[str]:
        """What became of the reviews."""
        return Counter(self.done.counts)

    @property
    def failures(self) -> int:
        """How many reviews failed before a reviewer could answer."""
        return self.counts[ReviewOutcome.TECHNICAL_FAILURE] + self.counts[ReviewOutcome.GIVEN_UP]

    @property
    def outcome(self) -> Outcome:
        """Which of the ends it is."""
        if self.is_news:
            return Outcome.REVIEW_TROUBLE
        if self.far_off:
            return Outcome.REVIEWER_FAR_OFF
        return Outcome.HARVESTED if self.counts["reviews"] > self.failures else Outcome.NOTHING_TO_HARVEST

    @property
    def detail(self) -> str:
        """Why, in a sentence, and the numbers about all reviews in another."""
        why = [self._why, far_off_in_words(self.far_off)]
        text = "; ".join(filter(None, reversed(why) if self.outcome is Outcome.REVIEWER_FAR_OFF else why))
        if self.found.unknown:
            text += f"; {_number(self.found.unknown, 'review')} in a state that is not known"
        if self.opened.trouble:
            text += "; not all reviews that wait could be opened"
        text += self.opened.dropped
        return f"{text}. {in_words(self.statistics)}" if self.statistics else text

    @property
    def _why(self) -> str:
        others = self.counts["reviews"] - self.failures
        images = _number(self.counts["labelled"], "labelled image")
        if self.is_news:
            text = f"{_number(self.failures, 'review')} failed before anybody could answer: "
            text += "; ".join(self.done.reasons)
            return text + (f"; {images} from {_number(others, 'other review')}" if others else "")
        if others > 0:
            text = f"{images} from {_number(self.counts['reviews'], 'review')}"
            if empty := self.counts["empty"]:
                text += f"; on {_number(empty, 'image')} people found nothing, which Custom Labels does not train on"
            return text
        if self.done.reasons:
            return f"reviews still fail before anybody can answer them: {self.done.reasons[0]}"
        return self.unreviewed or "no review has ended that was not harvested"

    def facts(self, variable: Callable[[str], str]) -> dict[str, Any]:
        """Name what a person wants to know; what did not occur is left out.

        :param variable: gives the name of a setting's Variable.
        """
        counts, opened = self.counts, self.opened
        facts = {
            "Failed before anybody could answer, asked again": counts["technical_failure"],
            "Given up, failed too often": counts["given_up"],
            "Failed because": "; ".join(self.done.reasons),
            "None of the labels fits": counts["copied"] - counts["labelled"] - counts["empty"],
            "Nothing there, kept and not trained on": counts["empty"],
            "Asked one more person": counts["asked_again"],
            "Undecided after all rounds": counts["undecided"],
            "Audits, not for training": counts["recorded"],
            "Image replaced since": counts["replaced"],
            "Image deleted since": counts["gone"],
            "Label that can be no folder": counts["no_folder"],
            "Agreed on what Custom Labels does not take": counts["not_usable"],
            "Answers that cannot be counted": counts["refused"],
            "Question not known": counts["lost"],
            **{f"Reviews {status}": counts[status] for status in ("expired", "stopped")},
            "Messages about no review": self.found.foreign,
            "Reviews in a state not known": self.found.unknown,
            "Such as": "; ".join(self.found.examples),
            "Trouble while opening": opened.trouble,
            "Far off the consensus": far_off_in_words(self.far_off),
        }
        return {
            **{name: value for name, value in facts.items() if value},
            "Reviews opened": opened.opened,
            "Waiting to be opened": opened.waiting,
            **opened.dropped_facts(variable),
            **self._numbers(),
        }

    def _numbers(self) -> dict[str, Any]:
        """Name the numbers about all reviews that are known."""
        if self.statistics is None:
            return {}
        backlog, numbers = self.statistics.backlog, self.statistics.numbers
        facts = {
            "Open reviews": backlog.open,
            "Oldest open review": None if backlog.oldest_seconds is None else duration(backlog.oldest_seconds),
            "Median time to answer": None if numbers.wait_seconds is None else duration(numbers.wait_seconds),
            "Agreement of people (alpha)": None if numbers.agreement is None else round(numbers.agreement, 3),
            "Guesses of the model that people kept": None if numbers.kept is None else f"{numbers.kept:.0%}",
        }
        return {name: value for name, value in facts.items() if value is not None}


def _number(number: int, name: str) -> str:
    return f"{number} {name}" if number == 1 else f"{number} {name}s"
