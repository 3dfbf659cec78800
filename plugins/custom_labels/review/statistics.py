"""Reviews as numbers: what waits, how fast people answer, how far they agree with each other and with the model."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import accumulate

from custom_labels.review.agreement import nominal_alpha
from custom_labels.review.far_off import find_far_off
from custom_labels.review.tally import Tally

WINDOW_DAYS = 30
"""Days (UTC) of harvests that the numbers are of, today included."""
_UNITS = ((86_400, "day"), (3_600, "hour"), (60, "minute"))


@dataclass(frozen=True)
class OpenReviews:
    """What people have not answered yet.

    :param at: the moment of the harvest that counted; ISO 8601 in UTC, as all moments here.
    :param waiting: requests that wait to be opened, at the harvest's end.
    :param open: reviews that wait for people, when all were last listed, at ``listed_at``: before that harvest opened
        more. ``None`` before the first list. ``oldest`` is when the oldest of them was opened.
    """

    at: str
    waiting: int = 0
    open: int | None = None
    oldest: str | None = None
    listed_at: str | None = None

    @property
    def oldest_seconds(self) -> float | None:
        """For how long the oldest review was open at ``at``."""
        if self.oldest is None:
            return None
        return (datetime.fromisoformat(self.at) - datetime.fromisoformat(self.oldest)).total_seconds()


@dataclass(frozen=True)
class LabelNumbers:
    """What people say of a label.

    :param chosen: answers that name it, about images that two or more people answered.
    :param agreement: Krippendorff's alpha of whether it was chosen; ``None`` where all or none chose it.
    :param guesses: how often the model guessed it, and ``kept`` how often people agree.
    """

    label: str
    chosen: int
    agreement: float | None
    guesses: int
    kept: int


@dataclass(frozen=True)
class ReviewerNumbers:
    """What a reviewer answered.

    :param reviewer: an opaque id.
    :param judged: answers that could be compared with a consensus, and ``against`` those that disagree with it.
    :param is_far_off: whether that is far above the others' rate.
    """

    reviewer: str
    answers: int
    judged: int
    against: int
    is_far_off: bool


@dataclass(frozen=True)
class ReviewNumbers:
    """The numbers of the last :data:`WINDOW_DAYS` days.

    :param wait_seconds: median from a review's opening to an answer, and ``spent_seconds`` that people spent on one;
        ``None`` without answers.
    :param images: by what became of them.
    :param several: images that two or more people answered, and ``agreement`` Krippendorff's alpha of what they gave.
    :param guessed: doubtful images with a guess of the model that people agree about, and ``unchanged`` those of them
        on which they agree with all of it.
    :param labels: in the order of their names; ``reviewers`` those with the most answers first.
    :param days: answers by the day of the harvest.
    """

    answers: int
    wait_seconds: float | None
    spent_seconds: float | None
    images: Mapping[str, int]
    several: int
    agreement: float | None
    guessed: int
    unchanged: int
    labels: tuple[LabelNumbers, ...]
    reviewers: tuple[ReviewerNumbers, ...]
    days: Mapping[str, int]

    @property
    def kept(self) -> float | None:
        """The share of the model's guesses that people kept; ``None`` without any."""
        return self.unchanged / self.guessed if self.guessed else None


@dataclass(frozen=True)
class HarvestedDay:
    """A day of the ledger.

    :param chunks: names of its files that are in the tally.
    """

    chunks: tuple[str, ...]
    tally: Tally


@dataclass(frozen=True)
class ReviewStatistics:
    """``reviews/statistics.json``.

    :param named: by reviewer that was found far off, the run that named it to the operator.
    :param days: what the numbers are made of.
    """

    backlog: OpenReviews
    numbers: ReviewNumbers
    named: Mapping[str, str] = field(default_factory=dict)
    days: Mapping[str, HarvestedDay] = field(default_factory=dict)

    def news_of(self, run: str) -> tuple[ReviewerNumbers, ...]:
        """Give the reviewers that a run is the one to name."""
        return tuple(each for each in self.numbers.reviewers if self.named.get(each.reviewer) == run)


def first_day(at: datetime) -> date:
    """Give the first day of the window that ends at a moment in UTC."""
    return at.date() - timedelta(days=WINDOW_DAYS - 1)


def make_statistics(
    before: ReviewStatistics | None, backlog: OpenReviews, days: Mapping[str, HarvestedDay], run: str
) -> ReviewStatistics:
    """Make the statistics anew from their days; whoever is far off is named once, as long as there are answers.

    :param before: what there is. What was open is taken from it, where this harvest did not list all reviews or
        another one has counted later.
    :param days: those of the window.
    :param run: names reviewers that no other run has named.
    """
    known = before.named if before else {}
    numbers = make_numbers(days)
    named = {
        each.reviewer: known.get(each.reviewer, run)
        for each in numbers.reviewers
        if each.is_far_off or each.reviewer in known
    }
    return ReviewStatistics(
        _newest(before.backlog if before else None, backlog), numbers, named, dict(sorted(days.items()))
    )


def _newest(before: OpenReviews | None, now: OpenReviews) -> OpenReviews:
    if before is None:
        return now
    listed = max(before, now, key=lambda each: each.listed_at or "")
    counted = max(before, now, key=lambda each: each.at)
    return OpenReviews(counted.at, counted.waiting, listed.open, listed.oldest, listed.listed_at)


def make_numbers(days: Mapping[str, HarvestedDay]) -> ReviewNumbers:
    """Make the numbers of some days."""
    total = sum((day.tally for day in days.values()), Tally())
    return ReviewNumbers(
        answers=sum(total.answers.values()),
        wait_seconds=median_of(total.waits),
        spent_seconds=median_of(total.spent),
        images=total.outcomes,
        several=total.several,
        agreement=nominal_alpha(total.values, total.disagreement),
        guessed=total.guessed,
        unchanged=total.unchanged,
        labels=tuple(_label(total, label) for label in sorted({*total.offered, *total.chosen, *total.guesses})),
        reviewers=_reviewers(total),
        days={day: sum(one.tally.answers.values()) for day, one in sorted(days.items())},
    )


def _label(total: Tally, label: str) -> LabelNumbers:
    chosen = total.chosen.get(label, 0)
    values = {"chosen": chosen, "not": max(0, total.offered.get(label, 0) - chosen)}
    agreement = nominal_alpha(values, total.disputed.get(label, 0))
    return LabelNumbers(label, chosen, agreement, total.guesses.get(label, 0), total.kept.get(label, 0))


def _reviewers(total: Tally) -> tuple[ReviewerNumbers, ...]:
    far_off = find_far_off(total.judged, total.against)
    found = (
        ReviewerNumbers(who, number, total.judged.get(who, 0), total.against.get(who, 0), who in far_off)
        for who, number in {**dict.fromkeys(total.judged, 0), **total.answers}.items()
    )
    return tuple(sorted(found, key=lambda each: (-each.answers, each.reviewer)))


def median_of(counts: Mapping[str, int]) -> float | None:
    """Give the lower median of numbers, of which it is known how often each occurs; ``None`` of none."""
    numbers = sorted((float(number), times) for number, times in counts.items())
    total = sum(times for _, times in numbers)
    sums = accumulate(times for _, times in numbers)
    return next((number for (number, _), upto in zip(numbers, sums, strict=True) if 2 * upto >= total), None)


def duration(seconds: float) -> str:
    """Give a duration in words, in the largest unit that it has one of."""
    for length, name in _UNITS:
        if (number := round(seconds / length)) >= 1 and seconds >= length:
            return f"{number} {name}" if number == 1 else f"{number} {name}s"
    return "1 second" if round(seconds) == 1 else f"{round(seconds)} seconds"


def in_words(statistics: ReviewStatistics) -> str:
    """Sum up the numbers in a sentence without its end; what is not known is left out."""
    backlog, numbers = statistics.backlog, statistics.numbers
    parts = []
    if backlog.open is not None:
        oldest = f", the oldest for {duration(backlog.oldest_seconds)}" if backlog.oldest_seconds is not None else ""
        parts.append(f"{backlog.open} {'review is' if backlog.open == 1 else 'reviews are'} open{oldest}")
    if backlog.waiting or not parts:
        parts.append(f"{backlog.waiting} wait to be opened")
    if numbers.wait_seconds is not None:
        parts.append(f"the median answer comes after {duration(numbers.wait_seconds)}")
    if numbers.agreement is not None:
        parts.append(f"people agree by an alpha of {numbers.agreement:.2f}")
    if numbers.kept is not None:
        parts.append(f"they kept {numbers.kept:.0%} of the model's guesses")
    return ", ".join(parts)


def far_off_in_words(found: Collection[ReviewerNumbers]) -> str:
    """Name the reviewers whose answers are far off, with their rates; empty without any."""
    return "; ".join(
        f"reviewer '{each.reviewer}' disagrees with the consensus in {each.against} of {each.judged} answers, "
        "far more often than the others"
        for each in found
    )
