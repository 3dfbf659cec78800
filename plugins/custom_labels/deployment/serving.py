"""When a version ran, and on how many inference units: what AWS bills of serving, as far as we saw it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from custom_labels.aws.statuses import VERSION_RUNNING, Verdict


@dataclass(frozen=True)
class ServingInterval:
    """A time during which a version was RUNNING on the same number of inference units.

    :param units: inference units, each of which is billed.
    :param since: when it was first known to run.
    :param last_seen: when it was last known to run.
    :param until: when it ended, ``None`` while it lasts.
    :param is_exact: whether its end was recorded by whoever stopped it. Otherwise it ends where the version was last
        seen running, which is too early by less than the time between two polls: the cost errs low.
    """

    units: int
    since: datetime
    last_seen: datetime
    until: datetime | None = None
    is_exact: bool = False


@dataclass(frozen=True)
class ServingRecord:
    """The intervals of one version, in the order of time; only the last of them may be open.

    Each change gives another record, or the same where there is nothing to change, so that it may be repeated.
    """

    intervals: tuple[ServingInterval, ...] = ()

    @property
    def open(self) -> ServingInterval | None:
        """The interval that lasts, ``None`` if the version is not known to run."""
        last = self.intervals[-1] if self.intervals else None
        return last if last is not None and last.until is None else None

    def started(self, units: int, at: datetime) -> ServingRecord:
        """Begin an interval, unless one lasts, or one ended later than that: a start that is reported late."""
        if self.intervals and ((until := self.intervals[-1].until) is None or at < until):
            return self
        return ServingRecord((*self.intervals, ServingInterval(units, at, at)))

    def stopped(self, at: datetime, *, is_exact: bool = True) -> ServingRecord:
        """End the interval that lasts; never before it began."""
        if (last := self.open) is None:
            return self
        end = max(at, last.since)
        return self._with_last(replace(last, until=end, last_seen=min(end, max(last.last_seen, at)), is_exact=is_exact))

    def seen(self, units: int, status: str | None, at: datetime) -> ServingRecord:
        """Heed what AWS says now.

        A version that runs without an open interval begins one now, so that the cost errs low. One that runs on other
        units than it did changed them now. One that neither runs nor starts ended when it was last seen.
        """
        verdict = VERSION_RUNNING.judge(status)
        if verdict is Verdict.WAIT:
            return self
        last = self.open
        if verdict is Verdict.FAILED:
            # Described before it was started, reported after: no news.
            return self.stopped(last.last_seen, is_exact=False) if last and at >= last.since else self
        if last is None:
            return self.started(units, at)
        if last.units != units:
            return self.stopped(at, is_exact=False).started(units, at)
        return self._with_last(replace(last, last_seen=max(at, last.last_seen)))

    def _with_last(self, interval: ServingInterval) -> ServingRecord:
        return ServingRecord((*self.intervals[:-1], interval))
