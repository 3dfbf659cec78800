"""The operator that waits until a moment."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator

if TYPE_CHECKING:
    from airflow.sdk import Context


class WaitUntilOperator(BaseOperator):
    """Wait until a moment, in the triggerer and without a worker slot; a moment that is over is not waited for.

    A moment, not a duration: a task that is killed and repeated waits for what is left. Airflow's DateTimeSensorAsync
    defers also where the moment is over, which races with the worker's own report.

    :param moment: ISO 8601 with a time zone (templated).
    """

    template_fields: Sequence[str] = ("moment",)
    ui_color = "#f6efdb"

    def __init__(self, *, moment: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.moment = moment

    def execute(self, context: Context) -> None:  # noqa: ARG002
        """Defer unless the moment is over."""
        from airflow.providers.standard.triggers.temporal import DateTimeTrigger

        now = datetime.now(UTC)
        moment = datetime.fromisoformat(self.moment)
        if moment > now:
            # An event within the second could reach the scheduler before the worker's word that the task deferred.
            trigger = DateTimeTrigger(moment=max(moment, now + timedelta(seconds=1)))
            self.defer(trigger=trigger, method_name="execute_complete")

    def execute_complete(self, context: Context, event: Any = None) -> None:
        """Come back when the moment is over."""
