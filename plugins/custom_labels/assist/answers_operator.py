"""The operator that waits for people's answers without a worker slot."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator, conf

from custom_labels.assist.answers_trigger import AnswersTrigger, find_unanswered
from custom_labels.aws.inputs import require_inputs
from custom_labels.core.context import ProjectContext, final

if TYPE_CHECKING:
    from airflow.sdk import Context


class WaitForAnswersOperator(BaseOperator):
    """Wait until people have answered all that a round asks, or its time is over. XCom: how many reviews are left.

    The answers are harvested by the project's own DAG for that; this one only reads the ledger that it writes.

    :param project: name of the project.
    :param folder: of the round, relative to the project's prefix (templated).
    :param since: when the round began, ISO 8601 in UTC (templated); ``until`` is when the wait ends (templated).
    :param poll_seconds: seconds between two polls (templated).
    :param deferrable: wait in the triggerer, holding no worker slot.
    """

    template_fields: Sequence[str] = ("project", "folder", "since", "until", "poll_seconds")
    ui_color = "#f6efdb"

    def __init__(
        self,
        *,
        project: str,
        folder: str,
        since: str,
        until: str,
        poll_seconds: float | str = 60,
        deferrable: bool = conf.getboolean("operators", "default_deferrable", fallback=False),
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.project = project
        self.folder = folder
        self.since = since
        self.until = until
        self.poll_seconds = poll_seconds
        self.deferrable = deferrable

    @final
    def execute(self, context: Context) -> int:
        """See what is left, and wait for it."""
        require_inputs(self.task_id, {"folder": self.folder, "since": self.since, "until": self.until})
        ctx = ProjectContext(self.project, context)
        unanswered, until = find_unanswered(ctx.store, self.folder, self.since), datetime.fromisoformat(self.until)
        while (left := unanswered.poll()) and datetime.now(UTC) < until:
            self.log.info("%s reviews are not answered yet; they are waited for until %s.", left, self.until)
            if self.deferrable:
                self.wait_deferred(ctx, until)
            time.sleep(float(self.poll_seconds))
        return self.end(left)

    def wait_deferred(self, ctx: ProjectContext, until: datetime) -> None:
        """Defer until all is answered, or the time is over."""
        store = ctx.store
        self.defer(
            trigger=AnswersTrigger(
                folder=self.folder,
                since=self.since,
                until=self.until,
                bucket=store.bucket,
                prefix=store.prefix,
                poll_seconds=float(self.poll_seconds),
                aws_conn_id=store.aws_conn_id,
                region_name=store.region_name,
            ),
            method_name="execute_complete",
            timeout=until - datetime.now(UTC) + timedelta(hours=1),
        )

    def execute_complete(self, context: Context, event: dict[str, Any]) -> int:  # noqa: ARG002
        """Give how many are left."""
        return self.end(int(event["left"]))

    def end(self, left: int) -> int:
        """Say what is left."""
        if left:
            self.log.warning("%s reviews are not answered after the time that they were waited for.", left)
        return left
