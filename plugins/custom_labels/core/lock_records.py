"""The locks of a project: each one object in S3, taken and passed on by compare-and-set."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from custom_labels.core.codec import from_json, to_json
from custom_labels.core.lock import BEATS, LEASE_SECONDS, ProjectLock, may_take
from custom_labels.errors import CustomLabelsError
from custom_labels.s3.changes import change_json
from custom_labels.s3.store import ObjectChanged, S3Store

log = logging.getLogger(__name__)

LOCK = "registry/lock.json"
"""Held from the decision to train to the end of the run: one training a project at a time."""
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
        """Read who holds the lock, and the object's ETag; a lock that was given back is there but held by no run."""
        value, etag = self.store.read_json(self.key)
        return held_lock(value), etag

    def try_take(self, lease_seconds: float = LEASE_SECONDS) -> ProjectLock | None:
        """Take the lock if the rules allow it.

        :param lease_seconds: how long we may be silent; longer than any step or wait between two calls of :meth:`hold`.
        :return: the holder that keeps us out, or ``None`` when the lock is ours now.
        """

        def taken(value: Any) -> Any:
            now = self.now()
            is_free = may_take(held_lock(value), owner=self.owner, now=now)
            return to_json(ProjectLock.begun(self.owner, now, lease_seconds)) if is_free else value

        holder = from_json(ProjectLock, change_json(self.store, self.key, taken))
        return None if holder.owner == self.owner else holder

    def hold(self, wait_seconds: float = 0) -> ProjectLock:
        """Make sure that this run holds the lock, and that a whole lease is left.

        A lock that is gone is taken again, for a task that was cleared after its run had ended. Tasks of one run may do
        so at once.

        :param wait_seconds: how long this run will be silent, if that may be longer than a lease.
        :raises LockLost: another run holds the lock.
        """

        def held(value: Any) -> Any:
            now = self.now()
            holder = held_lock(value) or ProjectLock.begun(self.owner, now)
            if holder.owner != self.owner:
                raise LockLost(
                    f"{self.store.uri(self.key)} is held by '{holder.owner}', not by this run ('{self.owner}'), which "
                    "was silent for too long. The other run goes on with the same images; clear this run when it has "
                    "ended."
                )
            return to_json(holder.extended(now, wait_seconds))

        return from_json(ProjectLock, change_json(self.store, self.key, held))

    @contextmanager
    def heartbeat(self) -> Iterator[None]:
        """Hold the lock for as long as a block takes that may take longer than a lease.

        :raises LockLost: another run holds the lock, at the beginning or at the end.
        """
        pause = self.hold().lease_seconds / BEATS
        ended = threading.Event()

        def beat() -> None:
            while not ended.wait(pause):
                try:
                    self.hold()
                except (CustomLabelsError, ClientError, BotoCoreError) as error:
                    log.warning("The lease of %s was not extended: %s", self.key, error)

        thread = threading.Thread(target=beat, daemon=True)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()
        self.hold()

    def release(self) -> None:
        """Give the lock back, unless another run holds it by now."""
        holder, etag = self.read()
        if holder is None or etag is None or holder.owner != self.owner:
            return
        try:
            self.store.replace_json(self.key, {"owner": None}, etag)
        except ObjectChanged:
            return  # taken over in this moment: it is theirs


def held_lock(value: Any) -> ProjectLock | None:
    """Give what a lock's object says, ``None`` where no run holds it."""
    return from_json(ProjectLock, value) if value is not None and value.get("owner") is not None else None
