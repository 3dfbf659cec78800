"""The rules of the project's lock: one training a project, and a dead owner keeps nobody out for ever."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from custom_labels.domain.statuses import VERSION_TRAINED, Verdict


@dataclass(frozen=True)
class ProjectLock:
    """Who works on a project, as ``registry/lock.json`` holds it.

    :param owner: the run that holds it; the same run may take it again after a retry.
    :param token: different at each writing, so that a writer knows its own writing from another's.
    :param renewed_at: when the owner last showed that it lives.
    :param lease_seconds: how long it may be silent before it counts as dead.
    :param version_name: the version it is training, once it is; the owner waits in silence then.
    """

    owner: str
    token: str
    renewed_at: datetime
    lease_seconds: float
    project_arn: str | None = None
    version_name: str | None = None

    @property
    def expires_at(self) -> datetime:
        """When the owner counts as dead unless it renews."""
        return self.renewed_at + timedelta(seconds=self.lease_seconds)

    def renewed(self, now: datetime, lease_seconds: float, token: str) -> ProjectLock:
        """Give the lock with a new lease."""
        return replace(self, renewed_at=now, lease_seconds=lease_seconds, token=token)

    def to_json(self) -> dict[str, Any]:
        """Give it as JSON types."""
        return {**asdict(self), "renewed_at": self.renewed_at.isoformat()}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> ProjectLock:
        """Read back what :meth:`to_json` gave."""
        return cls(**{**value, "renewed_at": datetime.fromisoformat(value["renewed_at"])})


def may_take(
    lock: ProjectLock | None,
    *,
    owner: str,
    now: datetime,
    training_status: str | None = None,
    training_ended_at: datetime | None = None,
    grace_seconds: float,
) -> bool:
    """Say whether ``owner`` may take the lock.

    It may when nobody holds it, when it holds it already, when the lease ran out, or when the holder waits for a
    training that ended a grace period ago: a living owner would have woken up and said so.

    :param lock: the lock as it stands.
    :param training_status: AWS's status of the lock's version, ``None`` when AWS does not know it.
    :param training_ended_at: AWS's TrainingEndTimestamp of it.
    :param grace_seconds: time that a living owner may need to notice the end of its training.
    """
    if lock is None or lock.owner == owner or now >= lock.expires_at:
        return True
    if lock.version_name is None or VERSION_TRAINED.judge(training_status) is Verdict.WAIT:
        return False
    silent_since = max(lock.renewed_at, training_ended_at or lock.renewed_at)
    return now >= silent_since + timedelta(seconds=grace_seconds)
