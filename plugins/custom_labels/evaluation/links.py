"""The link from a task in the Airflow UI to the page that shows a decision."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlsplit

from airflow.sdk import BaseOperatorLink, conf

from custom_labels.core.names import PAGES


def decision_path(project: str, version_name: str) -> str:
    """Give the path of a decision's page below :data:`PAGES`."""
    return f"/{quote(project, safe='')}/decisions/{quote(version_name, safe='')}"


def pages_address() -> str:
    """Give the path of our own pages as a browser asks for it.

    It is only the path of Airflow's address: whoever follows a link is on the right host already.
    """
    return f"{urlsplit(conf.get('api', 'base_url', fallback='') or '').path.rstrip('/')}{PAGES}"


class DecisionLink(BaseOperatorLink):
    """Link to the page that shows why a version was put into service or refused."""

    name = "Decision record"

    def get_link(self, operator: Any, *, ti_key: Any) -> str:  # noqa: ARG002
        """Give the page's path; the task has run, so that its arguments are values."""
        evaluated = operator.inputs["evaluated"]
        if not isinstance(evaluated, Mapping):
            return ""
        return f"{pages_address()}{decision_path(operator.project, evaluated['version_name'])}"
