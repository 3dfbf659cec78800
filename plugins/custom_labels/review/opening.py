"""Opening reviews: whether reviews work at all, what of the day's budget is used, and what became of those that wait.

Where reviews fail for a technical reason no more are opened, but one now and then to see whether that was mended: so a
broken worker page does not use up the budget of every day, and needs no restart by hand.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from custom_labels.review.review import ReviewStatus

FIRST_PAUSE = timedelta(minutes=10)
LONGEST_PAUSE = timedelta(hours=6)
"""Pauses between two probes begin with the first and are doubled up to the longest."""
PROBE_LIVES = timedelta(minutes=2)
"""A review that is still open after this time is shown to reviewers: what fails, fails before."""


@dataclass(frozen=True)
class ReviewHalt:
    """All reviews of a harvest failed before a reviewer could answer, so that no more are opened.

    :param since: ISO 8601 in UTC; likewise ``next_probe_at`` and ``probe_at``.
    :param reason: the backend's words about one of them.
    :param setup: what reviews were opened with; another set-up ends the halt.
    :param run: the run that found it, or found the reason changed.
    :param probes: probes that failed.
    :param probe: name of the review that was opened to see whether reviews work again, ``None`` between two of them.
    """

    since: str
    reason: str
    setup: str
    run: str
    next_probe_at: str
    probes: int = 0
    probe: str | None = None
    probe_at: str | None = None

    @property
    def words(self) -> str:
        """The halt as a message to the operator, with the way out."""
        return (
            f"reviews fail since {self.since} before anybody can answer them: {self.reason}. No more are opened but a "
            f"probe now and then, the next at {self.next_probe_at}. Mend the cause; if it is the worker page, correct "
            "'review' in the project file and trigger the bootstrap DAG, which ends the halt"
        )

    def may_probe(self, now: datetime) -> bool:
        """Whether it is time for a probe, and none is open."""
        return self.probe is None and now >= datetime.fromisoformat(self.next_probe_at)

    def begin_probe(self, review: str, now: datetime) -> ReviewHalt:
        """Record the name of the review that is opened as a probe."""
        return replace(self, probe=review, probe_at=_text(now))

    def judge(self, status: ReviewStatus | None, setup: str, now: datetime) -> ReviewHalt | None:
        """Judge it anew; ``None`` ends it.

        :param status: of the probe, ``None`` if there is none at the backend.
        :param setup: what reviews are opened with now.
        """
        if setup != self.setup:
            return None
        if self.probe is None or self.probe_at is None:
            return self
        if status in {None, ReviewStatus.FAILED, ReviewStatus.UNKNOWN}:
            pause = min(FIRST_PAUSE * 2 ** min(self.probes + 1, 10), LONGEST_PAUSE)
            return replace(self, probe=None, probe_at=None, probes=self.probes + 1, next_probe_at=_text(now + pause))
        if status is ReviewStatus.OPEN and now < datetime.fromisoformat(self.probe_at) + PROBE_LIVES:
            return self
        return None


def halt_after(
    before: ReviewHalt | None, *, failed_at: str, completed_at: str, reason: str, setup: str, run: str, now: datetime
) -> ReviewHalt | None:
    """Decide after a harvest whether reviews are still opened; repeated with its own result it gives the same.

    :param before: the halt that there is.
    :param failed_at: when the first review was opened that failed for a technical reason, with the ``reason`` of one;
        ISO 8601 in UTC, empty if none failed.
    :param completed_at: when the last one was opened that reviewers completed; likewise. Answers to reviews that were
        opened earlier than those that failed, perhaps with another page, do not show that reviews still work.
    :param run: the harvest.
    """
    if not failed_at or (before is None and completed_at >= failed_at):
        return before
    if before is None:
        return ReviewHalt(_text(now), reason, setup, run, _text(now + FIRST_PAUSE))
    return before if before.reason == reason else replace(before, reason=reason, run=run)


def _text(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds")


@dataclass(frozen=True)
class DayBudget:
    """What of a day's budget is gone.

    :param opened: reviews that were counted, which comes before they are opened.
    :param returned: reviews that failed before a reviewer could answer, by the chunk of the ledger that has them.
    :param writer: different at each write, so that two writers never write the same bytes, see
        :meth:`custom_labels.s3.store.S3Store.create_json`.
    """

    opened: int = 0
    returned: Mapping[str, int] = field(default_factory=dict)
    writer: str = ""

    def room(self, budget: int) -> int:
        """Give how many more may be counted; the budget may have been changed in the course of the day."""
        return max(0, budget - max(0, self.opened - sum(self.returned.values())))

    def count(self, reviews: int) -> DayBudget:
        """Count reviews that are about to be opened; a negative number takes back those that were not opened."""
        return replace(self, opened=max(0, self.opened + reviews))

    def give_back(self, finder: str, reviews: int) -> DayBudget:
        """Return what failed reviews took; a second report of the same finder replaces its first."""
        return replace(self, returned={**self.returned, finder: reviews})


@dataclass(frozen=True)
class OpenedReviews:
    """What was opened.

    :param opened: reviews that are new.
    :param known: reviews that had been opened before.
    :param waiting: requests that still wait.
    :param trouble: why some were not opened, empty where all were or the budget is used up.
    :param too_old: requests that were dropped after waiting too long; ``too_many`` since more waited than may.
    """

    opened: int = 0
    known: int = 0
    waiting: int = 0
    trouble: str = ""
    too_old: int = 0
    too_many: int = 0

    @property
    def dropped(self) -> str:
        """What was dropped, in words for the end of a sentence; empty where nothing was."""
        old, many = self.too_old, self.too_many
        why = [f"{old} had waited too long"] * bool(old) + [f"{many} were too many"] * bool(many)
        return f"; {old + many} waiting reviews were dropped: {' and '.join(why)}" if why else ""

    def dropped_facts(self, variable: Callable[[str], str]) -> dict[str, int | str]:
        """Name what was dropped and the settings that decide it, for an outcome; empty where nothing was.

        :param variable: gives the name of a setting's Variable.
        """
        names = ("daily_review_budget", "review_waiting_days", "maximum_waiting_reviews")
        facts: dict[str, int | str] = {
            "Reviews dropped, waited too long": self.too_old,
            "Reviews dropped, too many waited": self.too_many,
            "Settings of what is dropped": ", ".join(map(variable, names)) if self.dropped else "",
        }
        return {name: value for name, value in facts.items() if value}
