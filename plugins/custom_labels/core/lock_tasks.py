"""The operator that takes a project's lock, waiting for it without a worker slot."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator, conf
from airflow.sdk.exceptions import AirflowException

from custom_labels.core.context import BACKFILL, ProjectContext, RunInfo
from custom_labels.core.lock_records import LOCK, LockFile
from custom_labels.core.lock_trigger import ProjectLockTrigger
from custom_labels.core.steps import step
from custom_labels.errors import NothingToDo

if TYPE_CHECKING:
    from airflow.sdk import Context


class AcquireProjectLockOperator(BaseOperator):
    """Take the project's lock: one training a project at a time, however many runs, schedulers or machines ask.

    A run that finds it held waits; it does not fail. A holder that died loses it when its lease runs out.

    :param project: name of the project.
    :param lock: which of its locks, see :mod:`custom_labels.core.lock_records` (templated).
    :param poll_seconds: seconds between two polls of the lock (templated).
    :param timeout_hours: hours after which the wait is given up; a backfill's run waits until its turn comes, since
        it is not known how many train before it.
    :param deferrable: wait in the triggerer, holding no worker slot.
    """

    template_fields: Sequence[str] = ("project", "lock", "poll_seconds")
    ui_color = "#f6efdb"

    def __init__(
        self,
        *,
        project: str,
        lock: str = LOCK,
        poll_seconds: float | str = 15,
        timeout_hours: float = 72,
        deferrable: bool = conf.getboolean("operators", "default_deferrable", fallback=False),
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.project = project
        self.lock = lock
        self.poll_seconds = poll_seconds
        self.timeout_hours = timeout_hours
        self.deferrable = deferrable

    def execute(self, context: Context) -> str:
        """Take the lock, or wait for it."""
        return self.take(context, self._give_up_at(context))

    def execute_complete(
        self,
        context: Context,
        event: dict[str, Any] | None = None,  # noqa: ARG002
        give_up_at: float | None = None,
    ) -> str:
        """Try again now that the lock was free.

        :param give_up_at: seconds since the epoch; ``None`` under ``dag.test()``, which hands on the event alone.
        """
        return self.take(context, self._give_up_at(context) if give_up_at is None else give_up_at)

    def _give_up_at(self, context: Context) -> float | None:
        is_backfill = RunInfo.of(context).run_type == BACKFILL
        return None if is_backfill else time.time() + self.timeout_hours * 3600

    def take(self, context: Context, give_up_at: float | None) -> str:
        """Try until the lock is ours or the time is over, which it never is for ``None``."""
        ctx = ProjectContext(self.project, context)
        lock = LockFile(ctx.store, ctx.owner, self.lock)
        while (holder := ctx.try_take(lock)) is not None:
            self.log.info("%s is held by %s until %s.", self.lock, holder.owner, holder.expires_at)
            if give_up_at is not None and time.time() >= give_up_at:
                raise AirflowException(
                    f"{ctx.store.uri(self.lock)} is still held by '{holder.owner}' after {self.timeout_hours} hours: "
                    "another run works on this project. Inspect that run; clear this task to go on waiting."
                )
            if self.deferrable:
                self.wait_deferred(lock, give_up_at)
            time.sleep(float(self.poll_seconds))
        self.log.info("%s is ours: %s.", self.lock, ctx.owner)
        return ctx.owner

    def wait_deferred(self, lock: LockFile, give_up_at: float | None) -> None:
        """Defer until the lock is free."""
        self.defer(
            trigger=ProjectLockTrigger(
                owner=lock.owner,
                key=lock.key,
                bucket=lock.store.bucket,
                prefix=lock.store.prefix,
                poll_seconds=float(self.poll_seconds),
                aws_conn_id=lock.store.aws_conn_id,
                region_name=lock.store.region_name,
            ),
            method_name="execute_complete",
            kwargs={"give_up_at": give_up_at},
            timeout=None if give_up_at is None else timedelta(seconds=max(60.0, give_up_at - time.time())),
        )


@step
def release_locks(ctx: ProjectContext, taken: list[str | None]) -> None:
    """Give back the locks that this run took, however it ended.

    :param taken: what the tasks that take locks returned, each something where it took one.
    """
    if not any(taken):
        raise NothingToDo("This run took no lock.")
    ctx.deployment_lock.release()
    ctx.lock.release()
