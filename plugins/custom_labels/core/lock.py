"""The rules of the project's lock: one training a project, and a dead owner keeps no run out for ever."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

LEASE_SECONDS = 3600.0
BEATS = 4
"""How often in a lease whoever works or waits for long extends it."""


@dataclass(frozen=True)
class ProjectLock:
    """Who works on a project, as ``registry/lock.json`` holds it.

    :param owner: the run that holds it; the same run may take it again after a retry.
    :param expires_at: when the owner counts as dead unless it extends its lease before.
    :param lease_seconds: how long it may be silent at any time. It extends its lease to half as much again, so that
        not every sign of life is a write.
    """

    owner: str
    expires_at: datetime
    lease_seconds: float = LEASE_SECONDS

    @classmethod
    def begun(cls, owner: str, now: datetime, lease_seconds: float = LEASE_SECONDS) -> ProjectLock:
        """Give the lock of a new owner."""
        return cls(owner, now, lease_seconds).extended(now)

    def extended(self, now: datetime, wait_seconds: float = 0) -> ProjectLock:
        """Give the lock with its lease extended, if less than one would be left after a wait.

        :param wait_seconds: how long its owner will be silent, if that may be longer than a lease.
        """
        if self.expires_at >= now + timedelta(seconds=self.lease_seconds + wait_seconds):
            return self
        return replace(self, expires_at=now + timedelta(seconds=1.5 * self.lease_seconds + wait_seconds))


def may_take(lock: ProjectLock | None, *, owner: str, now: datetime) -> bool:
    """Say whether ``owner`` may take the lock: no run holds it, it holds it already, or the lease ran out."""
    return lock is None or lock.owner == owner or now >= lock.expires_at
