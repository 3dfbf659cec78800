"""Links from a task in the Airflow UI to the AWS console."""

from __future__ import annotations

from typing import Any

from airflow.providers.amazon.aws.links.base_aws import BASE_AWS_CONSOLE_LINK, BaseAwsLink

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


def persist_link(link: type[BaseAwsLink], context: Any, operator: Any, **fields: str) -> None:
    """Store what a link needs, with the region and partition of the operator's own connection."""
    link.persist(
        context=context,
        operator=operator,
        region_name=operator.hook.conn_region_name,
        aws_partition=operator.hook.conn_partition,
        **fields,
    )
