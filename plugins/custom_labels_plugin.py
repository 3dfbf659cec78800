"""The only Airflow plugin of the package: registers the timetable, the links and the listener; cheap to import."""

from __future__ import annotations

from airflow.plugins_manager import AirflowPlugin

from custom_labels import listener
from custom_labels.links import CustomLabelsProjectLink, CustomLabelsVersionLink, ReviewFlowLink
from custom_labels.timetables import PollTimetable


class CustomLabelsPlugin(AirflowPlugin):
    """Register what the DAGs need in every Airflow process."""

    name = "custom_labels"
    timetables = [PollTimetable]  # noqa: RUF012
    operator_extra_links = [CustomLabelsProjectLink(), CustomLabelsVersionLink(), ReviewFlowLink()]  # noqa: RUF012
    listeners = [listener]  # noqa: RUF012
