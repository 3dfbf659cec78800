"""The timetable whose period is an Airflow Variable."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow.timetables.base import DagRunInfo, DataInterval, TimeRestriction, Timetable
from airflow.timetables.interval import DeltaDataIntervalTimetable

from custom_labels.core.variables import read_variable
from custom_labels.errors import SettingError

if TYPE_CHECKING:
    from collections.abc import Collection

    from airflow.sdk import Asset, AssetOrTimeSchedule
    from airflow.sdk.definitions.asset import BaseAsset
    from pendulum import DateTime

    from custom_labels.core.settings import Project

log = logging.getLogger(__name__)


class PollTimetable(Timetable):
    """Run every so many minutes, as an Airflow Variable says now.

    A change takes effect within a minute, when the scheduler plans the next run, without touching the DAG. What a run
    would refuse is ignored in favour of the default, and the log says so: the run then stops at its settings with the
    same complaint, for all to see.

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
        """Read the period now, by the rules that a run reads the same setting by."""
        from custom_labels.core.settings import read_minutes

        try:
            return read_minutes(self.variable, read_variable(self.variable), self.default_minutes)
        except SettingError as error:
            log.error("%s Polling every %s minutes until then.", error, self.default_minutes)  # noqa: TRY400
            return self.default_minutes

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


def poll_or_assets(project: Project, setting: str, assets: BaseAsset | Collection[Asset]) -> AssetOrTimeSchedule:
    """Give the schedule of a DAG that polls, and also runs whenever one of some assets changes.

    :param setting: the one with the minutes between two polls.
    """
    from airflow.sdk import AssetOrTimeSchedule

    # Airflow's schedules of tasks take timetables of the scheduler, which are of another class.
    timetable: Any = PollTimetable(*project.poll(setting))
    return AssetOrTimeSchedule(timetable=timetable, assets=assets)
