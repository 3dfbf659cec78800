"""The rules of the project's lock: one training a project, and a dead owner keeps nobody out for ever."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from custom_labels.aws.statuses import VERSION_TRAINED, Verdict


@dataclass(frozen=True)
class ProjectLock:
    """Who works on a project, as ``registry/lock.json`` holds it.

    :param owner: the run that holds it; the same run may take it again after a retry.
    :param token: different at each writing, so that a writer knows its own writing from another's.
    :param renewed_at: when the owner last showed that it lives.
    :param lease_seconds: how long it may be silent before it counts as dead.
    :param grace_seconds: how long it may need to notice that its training ended.
    :param version_name: the version it is training, with its ``project_arn``; the owner waits in silence then.
    :param training_seconds: how long it may be silent while it trains.
    """

    owner: str
    token: str
    renewed_at: datetime
    lease_seconds: float
    grace_seconds: float
    project_arn: str | None = None
    version_name: str | None = None
    training_seconds: float = 0

    @property
    def expires_at(self) -> datetime:
        """When the owner counts as dead unless it renews."""
        return self.renewed_at + timedelta(seconds=max(self.lease_seconds, self.training_seconds))


def may_take(
    lock: ProjectLock | None,
    *,
    owner: str,
    now: datetime,
    training_status: str | None = None,
    training_ended_at: datetime | None = None,
) -> bool:
    """Say whether ``owner`` may take the lock.

    It may when nobody holds it, when it holds it already, when the lease ran out, or when the holder waits for a
    training that ended a grace period ago: a living owner would have renewed its lease. A holder whose version AWS
    does not know yet is about to create it, and has its lease.

    :param lock: the lock as it stands.
    :param training_status: AWS's status of the lock's version, ``None`` when AWS does not know it.
    :param training_ended_at: AWS's TrainingEndTimestamp of it.
    """
    if lock is None or lock.owner == owner or now >= lock.expires_at:
        return True
    if lock.version_name is None or VERSION_TRAINED.judge(training_status) is Verdict.WAIT:
        return False
    if training_status is None:
        return now >= lock.renewed_at + timedelta(seconds=lock.lease_seconds)
    silent_since = max(lock.renewed_at, training_ended_at or lock.renewed_at)
    return now >= silent_since + timedelta(seconds=lock.grace_seconds)
