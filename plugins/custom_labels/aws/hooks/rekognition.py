"""The hook for Amazon Rekognition Custom Labels: look-ups by name, and the waiters the SDK lacks."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from custom_labels.aws.hooks.base import ServiceHook, find
from custom_labels.aws.statuses import NOTHING, Described

if TYPE_CHECKING:
    from mypy_boto3_rekognition.client import RekognitionClient
    from mypy_boto3_rekognition.type_defs import ProjectDescriptionTypeDef


UNTAGGABLE = frozenset(
    {
        "AccessDeniedException",
        "InvalidParameterException",
        "ResourceNotFoundException",
        "ServiceQuotaExceededException",
    }
)
"""Codes by which a resource cannot be tagged, whose work goes on all the same."""


class LimitExceeded(ClientError):
    """A quota of the account is full."""


class RekognitionHook(ServiceHook["RekognitionClient"]):
    """Interact with Amazon Rekognition Custom Labels; the parameters are those of :class:`ServiceHook`."""

    service = "rekognition"

    @cached_property
    def client(self) -> RekognitionClient:
        """The boto3 client; a full quota is an error at once, while throttling is waited out."""
        client = self.get_conn()
        client.meta.events.register_first("needs-retry.rekognition", _raise_full_quota)
        return client

    def find_project(self, name: str) -> ProjectDescriptionTypeDef | None:
        """Describe the project of this name, ``None`` if there is none."""
        found = self.client.describe_projects(ProjectNames=[name])["ProjectDescriptions"]
        return next((p for p in found if p["ProjectArn"].split("/")[1] == name), None)

    def describe_project(self, name: str) -> Described:
        """Describe a project by its name; one that does not exist has no status."""
        project = self.find_project(name)
        return _described(project) if project else NOTHING

    def find_dataset(self, project_arn: str, dataset_type: str) -> str | None:
        """Find the ARN of a project's TRAIN or TEST dataset; a project has at most one of each."""
        project = self.find_project(project_arn.split("/")[1])
        if project is None:
            return None
        datasets = project.get("Datasets", [])
        return next((d["DatasetArn"] for d in datasets if d["DatasetType"] == dataset_type), None)

    def describe_dataset(self, dataset_arn: str) -> Described:
        """Describe a dataset; one that does not exist (any more) has no status."""
        found = find(self.client.describe_dataset, DatasetArn=dataset_arn)
        return _described({**found["DatasetDescription"], "DatasetArn": dataset_arn}) if found else NOTHING

    def describe_version(self, project_arn: str, version_name: str) -> Described:
        """Describe one version of a project by its name; one that does not exist has no status.

        Always by name: without ``VersionNames`` the API answers with every version, newest first.
        """
        found = find(self.client.describe_project_versions, ProjectArn=project_arn, VersionNames=[version_name])
        versions = found["ProjectVersionDescriptions"] if found else []
        return _described(versions[0]) if versions else NOTHING

    def list_versions(self, project_arn: str) -> dict[str, Described]:
        """Describe all versions of a project by their names, the newest first; none if the project is not there."""
        pages = self.client.get_paginator("describe_project_versions").paginate(ProjectArn=project_arn)
        found = find(lambda: [raw for page in pages for raw in page["ProjectVersionDescriptions"]]) or []
        # A version's name is in its ARN, ``...:project/<project>/version/<name>/<number>``.
        return {raw["ProjectVersionArn"].split("/")[3]: _described(raw) for raw in found}

    def read_tags(self, arn: str) -> dict[str, str]:
        """Read a resource's tags; none where the service knows no tags for this kind of resource."""
        try:
            return self.client.list_tags_for_resource(ResourceArn=arn)["Tags"]
        except ClientError as error:
            if error.response["Error"]["Code"] in {"ResourceNotFoundException", "InvalidParameterException"}:
                self.log.info("No tags can be read of %s: %s", arn, error)
                return {}
            raise

    def ensure_tags(self, arn: str, tags: Mapping[str, str]) -> bool:
        """See that a resource carries these tags, beside others that it has; give whether it does now.

        Tags are for the bill alone: where they cannot be set the log says why, and nothing else ends for it.
        """
        if not tags:
            return True
        try:
            present = self.client.list_tags_for_resource(ResourceArn=arn)["Tags"]
            if missing := {key: value for key, value in tags.items() if present.get(key) != value}:
                self.client.tag_resource(ResourceArn=arn, Tags=missing)
                self.log.info("Tagged %s with %s.", arn, missing)
        except ClientError as error:
            if error.response["Error"]["Code"] not in UNTAGGABLE:
                raise
            self.log.warning(
                "%s cannot be tagged with %s, so that AWS's bill does not show them: %s. Allow "
                "rekognition:ListTagsForResource and rekognition:TagResource to the Airflow connection '%s'.",
                arn,
                dict(tags),
                error,
                self.aws_conn_id,
            )
            return False
        return True


def _described(raw: Mapping[str, Any]) -> Described:
    return Described(raw["Status"], raw.get("StatusMessage", ""), dict(raw))


def _raise_full_quota(response: Any, operation: Any, **_: Any) -> None:
    """Raise LimitExceededException instead of retrying it.

    Botocore's standard mode counts the code among throttling errors. Custom Labels says it when an account trains or
    runs as many models as its quota allows, which does not pass in the minute and a half that the retries take.
    """
    parsed: Any = response[1] if response else {}
    if parsed.get("Error", {}).get("Code") == "LimitExceededException":
        raise LimitExceeded(parsed, operation.name)
