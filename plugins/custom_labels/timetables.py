"""The timetable whose period is an Airflow Variable."""

from __future__ import annotations

import logging
import os
import sys
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow.timetables.base import DagRunInfo, DataInterval, TimeRestriction, Timetable
from airflow.timetables.interval import DeltaDataIntervalTimetable

if TYPE_CHECKING:
    from pendulum import DateTime

log = logging.getLogger(__name__)


class PollTimetable(Timetable):
    """Run every so many minutes, as an Airflow Variable says now.

    A change takes effect when the scheduler next looks, within a minute, without touching the DAG. Minutes that are no
    whole number of at least 1 are ignored in favour of the default, and the log says so: a run then stops at its
    settings with the same complaint, for all to see.

    A run triggered by hand covers everything up to the moment it is triggered.

    :param variable: key of the Variable that holds the minutes.
    :param default_minutes: the period without a Variable.
    """

    description = "Every so many minutes, read from an Airflow Variable"

    def __init__(self, variable: str, default_minutes: int) -> None:
        self.variable = variable
        self.default_minutes = default_minutes

    @property
    def summary(self) -> str:
        """Name the Variable in the DAG list."""
        return f"every {self.variable} minutes"

    def serialize(self) -> dict[str, Any]:
        """Give the arguments, for the serialized DAG."""
        return {"variable": self.variable, "default_minutes": self.default_minutes}

    @classmethod
    def deserialize(cls, data: dict[str, Any]) -> PollTimetable:
        """Make it again from :meth:`serialize`."""
        return cls(**data)

    def minutes(self) -> int:
        """Read the period now."""
        text = read_variable_anywhere(self.variable)
        if text is None:
            return self.default_minutes
        try:
            minutes = int(text)
        except ValueError:
            minutes = 0
        if minutes < 1:
            log.error(
                "Variable '%s' is '%s': expected a whole number of minutes from 1. Polling every %s minutes until "
                "it is changed under Admin > Variables.",
                self.variable,
                text,
                self.default_minutes,
            )
            return self.default_minutes
        return minutes

    def infer_manual_data_interval(self, *, run_after: DateTime) -> DataInterval:
        """Let a run by hand see what is there at the moment it is triggered."""
        return DataInterval(start=run_after - timedelta(minutes=self.minutes()), end=run_after)

    def next_dagrun_info(
        self, *, last_automated_data_interval: DataInterval | None, restriction: TimeRestriction
    ) -> DagRunInfo | None:
        """Schedule the next interval by the period as it is now."""
        return DeltaDataIntervalTimetable(timedelta(minutes=self.minutes())).next_dagrun_info(
            last_automated_data_interval=last_automated_data_interval, restriction=restriction
        )


def read_variable_anywhere(key: str) -> str | None:
    """Read a Variable in whatever process a timetable is asked: scheduler, DAG processor, API server, task.

    In the scheduler ``Variable.get`` answers with the default, since its session may not commit there; so the metadata
    database is read in a session of our own. Environment variables beat it, as everywhere in Airflow; secrets backends
    are not asked.
    """
    if (value := os.environ.get(f"AIRFLOW_VAR_{key.upper()}")) is not None:
        return value
    if hasattr(sys.modules.get("airflow.sdk.execution_time.task_runner"), "SUPERVISOR_COMMS"):
        from airflow.sdk import Variable as TaskVariable

        found: str | None = TaskVariable.get(key, default=None)
        return found
    from airflow.models.variable import Variable
    from airflow.utils.session import create_session
    from sqlalchemy import select

    with create_session(scoped=False) as session:
        row = session.scalar(select(Variable).where(Variable.key == key))
        return None if row is None else row.get_val()
