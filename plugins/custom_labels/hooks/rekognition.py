"""The hook for Amazon Rekognition Custom Labels: look-ups by name, and the waiters the SDK lacks."""

from __future__ import annotations

import os
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow.providers.amazon.aws.hooks.base_aws import AwsBaseHook
from botocore.config import Config
from botocore.exceptions import ClientError

from custom_labels.domain.statuses import NOTHING, Described

if TYPE_CHECKING:
    from mypy_boto3_rekognition.client import RekognitionClient
    from mypy_boto3_rekognition.type_defs import ProjectDescriptionTypeDef

RETRIES = {"mode": "standard", "max_attempts": 10}
"""Control-plane operations are limited to five calls a second, so that throttling is normal life."""


class LimitExceeded(ClientError):
    """A quota of the account is full."""


class RekognitionHook(AwsBaseHook):
    """Interact with Amazon Rekognition Custom Labels.

    :param aws_conn_id: the Airflow connection, as for every hook of the Amazon provider; likewise
        ``region_name``, ``verify`` and ``config`` (a botocore ``Config`` or its keywords).
    """

    def __init__(
        self,
        aws_conn_id: str | None = "aws_default",
        *,
        region_name: str | None = None,
        verify: bool | str | None = None,
        config: Config | dict[str, Any] | None = None,
    ) -> None:
        given = Config(**config) if isinstance(config, dict) else config
        defaults = Config(retries=RETRIES)  # type: ignore[arg-type]
        super().__init__(
            aws_conn_id,
            region_name=region_name,
            verify=verify,
            client_type="rekognition",
            config=defaults.merge(given) if given else defaults,
        )

    @cached_property
    def waiter_path(self) -> os.PathLike[str] | None:
        """The waiters of this package; the SDK has two and the provider none for this service."""
        return Path(__file__).parents[1] / "waiters" / "rekognition.json"

    @cached_property
    def client(self) -> RekognitionClient:
        """The boto3 client, typed; a full quota is an error at once, while throttling is waited out."""
        client: RekognitionClient = self.conn
        client.meta.events.register_first("needs-retry.rekognition", _raise_full_quota)
        return client

    def find_project(self, name: str) -> ProjectDescriptionTypeDef | None:
        """Describe the project of this name, ``None`` if there is none."""
        found = self.client.describe_projects(ProjectNames=[name])["ProjectDescriptions"]
        return next((p for p in found if p["ProjectArn"].split("/")[1] == name), None)

    def describe_project(self, name: str) -> Described:
        """Describe a project by its name; one that does not exist has no status."""
        project = self.find_project(name)
        return Described(project["Status"], "", dict(project)) if project else NOTHING

    def find_dataset(self, project_arn: str, dataset_type: str) -> str | None:
        """Find the ARN of a project's TRAIN or TEST dataset; a project has at most one of each."""
        project = self.find_project(project_arn.split("/")[1])
        if project is None:
            return None
        datasets = project.get("Datasets", [])
        return next((d["DatasetArn"] for d in datasets if d["DatasetType"] == dataset_type), None)

    def describe_dataset(self, dataset_arn: str) -> Described:
        """Describe a dataset; one that does not exist (any more) has no status."""
        try:
            raw = self.client.describe_dataset(DatasetArn=dataset_arn)["DatasetDescription"]
        except self.client.exceptions.ResourceNotFoundException:
            return NOTHING
        return Described(raw["Status"], raw.get("StatusMessage", ""), {**raw, "DatasetArn": dataset_arn})

    def describe_version(self, project_arn: str, version_name: str) -> Described:
        """Describe one version of a project by its name; one that does not exist has no status.

        Always by name: without ``VersionNames`` the API answers with every version, newest first.
        """
        try:
            found = self.client.describe_project_versions(ProjectArn=project_arn, VersionNames=[version_name])[
                "ProjectVersionDescriptions"
            ]
        except self.client.exceptions.ResourceNotFoundException:
            return NOTHING
        if not found:
            return NOTHING
        return Described(found[0]["Status"], found[0].get("StatusMessage", ""), dict(found[0]))

    def read_tags(self, arn: str) -> dict[str, str]:
        """Read a resource's tags; none where the service knows no tags for this kind of resource."""
        try:
            return self.client.list_tags_for_resource(ResourceArn=arn)["Tags"]
        except ClientError as error:
            if error.response["Error"]["Code"] in {"ResourceNotFoundException", "InvalidParameterException"}:
                self.log.info("No tags can be read of %s: %s", arn, error)
                return {}
            raise


def _raise_full_quota(response: Any, operation: Any, **_: Any) -> None:
    """Raise LimitExceededException instead of retrying it.

    Botocore's standard mode counts the code among throttling errors. Custom Labels says it when an account trains or
    runs as many models as its quota allows, which does not pass in the minute and a half that the retries take.
    """
    parsed: Any = response[1] if response else {}
    if parsed.get("Error", {}).get("Code") == "LimitExceededException":
        raise LimitExceeded(parsed, operation.name)
