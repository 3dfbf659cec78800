"""The only Airflow plugin of the package: the timetable, the links, the listener and the pages; cheap to import."""

from __future__ import annotations

from airflow.plugins_manager import AirflowPlugin

from custom_labels.aws.links import CustomLabelsProjectLink, CustomLabelsVersionLink, ReviewFlowLink
from custom_labels.core import listener
from custom_labels.core.names import PAGES
from custom_labels.evaluation.links import DecisionLink
from custom_labels.web.pages import pages
from custom_labels.web.timetables import PollTimetable


class CustomLabelsPlugin(AirflowPlugin):
    """Register what the DAGs need in every Airflow process."""

    name = "custom_labels"
    timetables = [PollTimetable]  # noqa: RUF012
    operator_extra_links = [  # noqa: RUF012
        CustomLabelsProjectLink(),
        CustomLabelsVersionLink(),
        DecisionLink(),
        ReviewFlowLink(),
    ]
    listeners = [listener]  # noqa: RUF012
    fastapi_apps = [{"app": pages, "url_prefix": PAGES, "name": "Custom Labels"}]  # noqa: RUF012
