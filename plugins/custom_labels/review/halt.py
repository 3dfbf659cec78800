"""When reviews fail for a technical reason: no more are opened, but one now and then to see whether it was mended."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from custom_labels.review.review import ReviewStatus

FIRST_PAUSE = timedelta(minutes=10)
LONGEST_PAUSE = timedelta(hours=6)
"""Pauses between two probes begin with the first and are doubled up to the longest."""
PROBE_LIVES = timedelta(minutes=2)
"""A review that is open this long after it was opened is shown to reviewers: what fails, fails before."""


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
        """Word it for people, with the way out."""
        return (
            f"reviews fail since {self.since} before anybody can answer them: {self.reason}. No more are opened but a "
            f"probe now and then, the next at {self.next_probe_at}. Mend the cause; if it is the worker page, correct "
            "'review' in the project file and trigger the bootstrap DAG, which ends the halt"
        )

    def may_probe(self, now: datetime) -> bool:
        """Whether a review may be opened to see if reviews work again."""
        return self.probe is None and now >= datetime.fromisoformat(self.next_probe_at)

    def begin_probe(self, review: str, now: datetime) -> ReviewHalt:
        """Note the review that is opened as a probe."""
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
    """Decide after a harvest whether reviews are still opened. It gives the same however often it is asked.

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
