"""The locks of a project: each one object in S3, taken and passed on by compare-and-set."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from custom_labels.aws.statuses import NOTHING, Described
from custom_labels.core.codec import from_json, to_json
from custom_labels.core.lock import ProjectLock, may_take
from custom_labels.errors import CustomLabelsError
from custom_labels.s3.changes import change_json
from custom_labels.s3.store import ObjectChanged, S3Store

LOCK = "registry/lock.json"
"""Held from the look at the images to the end of the run: one training a project at a time."""
DEPLOYMENT_LOCK = "registry/deployment_lock.json"
"""Held while a version is started, swapped in or stopped, so that a rollback need not wait for a training."""


class LockLost(CustomLabelsError):
    """Another run took the lock over because this one was silent for too long."""


class LockFile:
    """A lock of one project.

    :param store: the project's bucket and prefix.
    :param owner: this run, the same in every retry of its tasks.
    :param key: which lock, relative to the project's prefix.
    :param now: gives the present moment; leases are counted by it.
    """

    def __init__(
        self, store: S3Store, owner: str, key: str = LOCK, now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self.store = store
        self.owner = owner
        self.key = key
        self.now = now

    def read(self) -> tuple[ProjectLock | None, str | None]:
        """Read who holds the lock, and the object's ETag; a lock that was given back is there but held by nobody."""
        value, etag = self.store.read_json(self.key)
        return _holder(value), etag

    def try_take(
        self,
        describe_training: Callable[[str, str], Described],
        *,
        lease_seconds: float = 3600,
        grace_seconds: float = 900,
    ) -> ProjectLock | None:
        """Take the lock if the rules allow it.

        :param describe_training: asks AWS for a version by project ARN and name.
        :param lease_seconds: how long we may be silent; longer than any step between two renewals.
        :param grace_seconds: how long we may need to notice that our training ended.
        :return: the holder that keeps us out, or ``None`` when the lock is ours now.
        """

        def taken(value: Any) -> Any:
            holder = _holder(value)
            is_free = holder is None or self._may_take(holder, describe_training)
            return to_json(self._ours(lease_seconds, grace_seconds)) if is_free else value

        holder = from_json(ProjectLock, change_json(self.store, self.key, taken))
        return None if holder.owner == self.owner else holder

    def _may_take(self, holder: ProjectLock, describe_training: Callable[[str, str], Described]) -> bool:
        training = NOTHING
        if holder.owner != self.owner and holder.version_name and holder.project_arn:
            training = describe_training(holder.project_arn, holder.version_name)
        return may_take(
            holder,
            owner=self.owner,
            now=self.now(),
            training_status=training.status,
            training_ended_at=training.raw.get("TrainingEndTimestamp"),
        )

    def _ours(self, lease_seconds: float = 3600, grace_seconds: float = 900) -> ProjectLock:
        return ProjectLock(self.owner, uuid.uuid4().hex, self.now(), lease_seconds, grace_seconds)

    def renew(
        self,
        *,
        project_arn: str | None = None,
        version_name: str | None = None,
        training_seconds: float = 0,
    ) -> None:
        """Show that this run lives; while a version trains, name it, so that others can see for themselves.

        A lock that is gone is taken again, for a task that was cleared after its run had ended.

        :raises LockLost: another run holds the lock.
        """
        training = {"project_arn": project_arn, "version_name": version_name, "training_seconds": training_seconds}
        self._renew(training)

    def hold(self) -> None:
        """Show that this run lives and still means to do what the lock says; tasks of one run may do so at once.

        :raises LockLost: another run holds the lock.
        """
        self._renew({})

    def _renew(self, changes: dict[str, Any]) -> None:
        def renewed(value: Any) -> Any:
            holder = _holder(value) or self._ours()
            if holder.owner != self.owner:
                raise LockLost(
                    f"{self.store.uri(self.key)} is held by '{holder.owner}', not by this run ('{self.owner}'), which "
                    "was silent for too long. The other run goes on with the same images; clear this run when it has "
                    "ended."
                )
            return to_json(replace(holder, token=uuid.uuid4().hex, renewed_at=self.now(), **changes))

        change_json(self.store, self.key, renewed)

    def release(self) -> None:
        """Give the lock back, unless another run holds it by now."""
        holder, etag = self.read()
        if holder is None or etag is None or holder.owner != self.owner:
            return
        try:
            self.store.replace_json(self.key, {"owner": None, "token": uuid.uuid4().hex}, etag)
        except ObjectChanged:
            return  # taken over in this moment: it is theirs


def _holder(value: Any) -> ProjectLock | None:
    return from_json(ProjectLock, value) if value is not None and value.get("owner") is not None else None
