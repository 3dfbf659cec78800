"""Links from a task in the Airflow UI: to the AWS console, and to pages of our own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlsplit

from airflow.providers.amazon.aws.links.base_aws import BASE_AWS_CONSOLE_LINK, BaseAwsLink
from airflow.sdk import BaseOperatorLink, conf

_CONSOLE = BASE_AWS_CONSOLE_LINK + "/rekognition/custom-labels?region={region_name}#/projects/{project_name}"


class CustomLabelsProjectLink(BaseAwsLink):
    """Link to the project's page in the Custom Labels console."""

    name = "Custom Labels project"
    key = "custom_labels_project"
    format_str = _CONSOLE


class CustomLabelsVersionLink(BaseAwsLink):
    """Link to the evaluation page of a model version."""

    name = "Custom Labels model"
    key = "custom_labels_version"
    format_str = _CONSOLE + "/models/{version_name}"


class ReviewFlowLink(BaseAwsLink):
    """Link to a human review workflow in the Amazon A2I console."""

    name = "A2I review workflow"
    key = "a2i_review_workflow"
    format_str = BASE_AWS_CONSOLE_LINK + "/a2i/home?region={region_name}#/human-review-workflows/{flow_name}"


PAGES = "/custom-labels"
"""Where Airflow's API server serves our own pages, below its own address."""


def decision_path(project: str, version_name: str) -> str:
    """Give the path of a decision's page below :data:`PAGES`."""
    return f"/{quote(project, safe='')}/decisions/{quote(version_name, safe='')}"


class DecisionLink(BaseOperatorLink):
    """Link to the page that shows why a version was put into service or refused."""

    name = "Decision record"

    def get_link(self, operator: Any, *, ti_key: Any) -> str:  # noqa: ARG002
        """Give the page's path; the task has run, so that its arguments are values."""
        attempt = operator.attempt
        if not isinstance(attempt, Mapping):
            return ""
        # Only the path of Airflow's address: whoever follows the link is on the right host already.
        base = urlsplit(conf.get("api", "base_url", fallback="") or "").path.rstrip("/")
        return f"{base}{PAGES}{decision_path(operator.project, attempt['version_name'])}"


def persist_link(link: type[BaseAwsLink], context: Any, operator: Any, **fields: str) -> None:
    """Store what a link needs, with the region and partition of the operator's own connection."""
    link.persist(
        context=context,
        operator=operator,
        region_name=operator.hook.conn_region_name,
        aws_partition=operator.hook.conn_partition,
        **fields,
    )


def persist_version_link(context: Any, operator: Any) -> None:
    """Store the link of an operator or sensor on one model version."""
    project_name = operator.project_arn.split("/")[1]
    persist_link(
        CustomLabelsVersionLink, context, operator, project_name=project_name, version_name=operator.version_name
    )
