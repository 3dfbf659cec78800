"""Operators that create or adopt a Custom Labels project and its datasets, or replace these."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from airflow.providers.amazon.aws.hooks.s3 import S3Hook
from airflow.providers.amazon.aws.utils.mixins import aws_template_fields
from airflow.sdk.exceptions import AirflowException

from custom_labels.aws.links import CustomLabelsProjectLink, persist_link
from custom_labels.aws.operators.base import WaitingOperator
from custom_labels.aws.resources import dataset_counts
from custom_labels.aws.statuses import (
    DATASET_CREATED,
    DATASET_DELETED,
    DATASET_FAULTS,
    NOTHING,
    PROJECT_CREATED,
    Described,
    Verdict,
)
from custom_labels.aws.triggers.rekognition import DatasetStatusTrigger, ProjectStatusTrigger

if TYPE_CHECKING:
    from airflow.sdk import Context
    from mypy_boto3_s3.client import S3Client

MANIFEST_TAG = "custom-labels/manifest"
"""Dataset tag that holds the ETag of the manifest it was made from: how a retry knows its own dataset."""


class CustomLabelsCreateProjectOperator(WaitingOperator):
    """Create a Custom Labels project, or adopt the one of that name. XCom: the project's ARN.

    :param project_name: 1-255 characters of ``[a-zA-Z0-9_.\\-]``, unique in account and region (templated).
    :param tags: tags of the project, which an adopted one gets as well (templated).
    """

    table = PROJECT_CREATED
    polls = (5, 60)
    template_fields: Sequence[str] = aws_template_fields(*WaitingOperator.template_fields, "project_name", "tags")
    operator_extra_links = (CustomLabelsProjectLink(),)

    def __init__(self, *, project_name: str, tags: dict[str, str] | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.project_name = project_name
        self.tags = tags

    @property
    def subject(self) -> str:
        """Name the project."""
        return f"Project '{self.project_name}'"

    def persist(self, context: Context) -> None:
        """Link to the project."""
        persist_link(CustomLabelsProjectLink, context, self, project_name=self.project_name)

    def submit(self, context: Context) -> Described:  # noqa: ARG002
        """Create the project unless it is there."""
        present = self.describe()
        if present.status is not None:
            self.log.info("Adopting the project '%s'.", self.project_name)
            self.hook.ensure_tags(present.arn, self.tags or {})
            return present
        client = self.hook.client
        try:
            made = client.create_project(ProjectName=self.project_name, Tags=self.tags or {})
        except client.exceptions.ResourceInUseException:
            self.log.info("The project '%s' was created meanwhile: adopting it.", self.project_name)
            return self.describe()
        return Described("CREATING", raw=dict(made))

    def describe(self) -> Described:
        """Describe the project by its name."""
        return self.hook.describe_project(self.project_name)

    def trigger(self) -> ProjectStatusTrigger:
        """Wait for the project."""
        return ProjectStatusTrigger(project_name=self.project_name, **self.trigger_parameters())


class CustomLabelsCreateDatasetOperator(WaitingOperator):
    """Create a project's TRAIN or TEST dataset from a manifest, or adopt the one it has. XCom: the dataset's ARN.

    A project has one dataset of each type. The present one is adopted as it is, whatever it was made from, and nothing
    is ever deleted; the log says if it is not known to come from this manifest.

    :param project_arn: the project (templated).
    :param dataset_type: ``TRAIN`` or ``TEST``.
    :param manifest_uri: ``s3://`` URI of the manifest (templated).
    :param tags: tags of the dataset beside the manifest's, which an adopted one gets as well (templated).
    """

    table = DATASET_CREATED
    polls = (10, 360)
    template_fields: Sequence[str] = aws_template_fields(
        *WaitingOperator.template_fields, "project_arn", "manifest_uri", "tags"
    )
    needed = ("project_arn", "manifest_uri")
    operator_extra_links = (CustomLabelsProjectLink(),)

    def __init__(
        self,
        *,
        project_arn: str,
        dataset_type: str,
        manifest_uri: str,
        tags: dict[str, str] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.project_arn = project_arn
        self.dataset_type = dataset_type
        self.manifest_uri = manifest_uri
        self.tags = tags
        self.dataset_arn: str | None = None

    @property
    def subject(self) -> str:
        """Name the dataset and where it comes from."""
        return f"The {self.dataset_type} dataset from {self.manifest_uri}"

    def persist(self, context: Context) -> None:
        """Link to the project."""
        persist_link(CustomLabelsProjectLink, context, self, project_name=self.project_arn.split("/")[1])

    def submit(self, context: Context) -> Described:  # noqa: ARG002
        """Create the dataset unless there is one that can be adopted."""
        parts = urlsplit(self.manifest_uri)
        bucket, key = parts.netloc, parts.path.lstrip("/")
        s3: S3Client = S3Hook(**self._hook_parameters).get_conn()
        etag = s3.head_object(Bucket=bucket, Key=key)["ETag"].strip('"')
        present = self.hook.find_dataset(self.project_arn, self.dataset_type)
        if present and self.make_way(present, etag):
            self.dataset_arn = present
            self.hook.ensure_tags(present, self.tags or {})
            return self._in_progress()
        client = self.hook.client
        try:
            self.dataset_arn = client.create_dataset(
                ProjectArn=self.project_arn,
                DatasetType=self.dataset_type,  # type: ignore[arg-type]
                DatasetSource={"GroundTruthManifest": {"S3Object": {"Bucket": bucket, "Name": key}}},
                Tags={**(self.tags or {}), MANIFEST_TAG: etag},
            )["DatasetArn"]
        except (client.exceptions.ResourceAlreadyExistsException, client.exceptions.ResourceInUseException) as error:
            # The response of an earlier call may have been lost: what it made is adopted, and nothing else.
            found = self.hook.find_dataset(self.project_arn, self.dataset_type)
            if found is None or not self._is_ours(found, etag):
                raise
            self.log.info("The dataset was created meanwhile (%s): adopting it.", error)
            self.dataset_arn = found
        return self._in_progress()

    def _in_progress(self) -> Described:
        return Described("CREATE_IN_PROGRESS", raw={"DatasetArn": self.dataset_arn})

    def make_way(self, present: str, manifest_etag: str) -> bool:
        """Decide about the present dataset: adopt it, or remove it for the new one.

        :return: whether it is adopted.
        """
        if self.hook.read_tags(present).get(MANIFEST_TAG) == manifest_etag:
            self.log.info("Adopting %s, which was made from this manifest.", present)
        else:
            self.log.warning(
                "Adopting %s, which is not known to come from %s. Use CustomLabelsReplaceDatasetOperator to replace "
                "it by a dataset made from this manifest.",
                present,
                self.manifest_uri,
            )
        return True

    def _is_ours(self, dataset_arn: str, manifest_etag: str) -> bool:
        """Whether the dataset was made from this manifest and did not fail."""
        if self.hook.read_tags(dataset_arn).get(MANIFEST_TAG) != manifest_etag:
            return False
        return self.table.judge(self.hook.describe_dataset(dataset_arn).status) is not Verdict.FAILED

    def describe(self) -> Described:
        """Describe the dataset; after a deferral it is looked up again."""
        arn = self.dataset_arn or self.hook.find_dataset(self.project_arn, self.dataset_type)
        self.dataset_arn = arn
        return self.hook.describe_dataset(arn) if arn else NOTHING

    def trigger(self) -> DatasetStatusTrigger:
        """Wait for the dataset."""
        return DatasetStatusTrigger(dataset_arn=str(self.dataset_arn), **self.trigger_parameters())

    def explain(self, described: Described) -> str:  # noqa: ARG002
        """Say what can be wrong with a manifest: AWS names no line of a failed dataset."""
        return f"It was to be made from {self.manifest_uri}. {DATASET_FAULTS}"

    def details(self, described: Described) -> str:
        """Say what AWS counted."""
        return dataset_counts(described)


class CustomLabelsReplaceDatasetOperator(CustomLabelsCreateDatasetOperator):
    """Give a project the TRAIN or TEST dataset that a manifest describes. XCom: the dataset's ARN.

    A project has one dataset of each type, and another can only be made after deleting the present one. A dataset that
    carries this manifest's tag is adopted, so that a retry does not import again. The parameters are those of
    :class:`CustomLabelsCreateDatasetOperator`.

    :raises AirflowException: the present dataset could not be deleted, or the import failed.
    """

    def make_way(self, present: str, manifest_etag: str) -> bool:
        """Adopt the dataset made from this manifest, or delete the present one."""
        if self._is_ours(present, manifest_etag):
            self.log.info("Adopting %s, which was made from this manifest.", present)
            return True
        self._delete(present)
        return False

    def _delete(self, dataset_arn: str) -> None:
        """Delete a dataset and wait until it is gone; one that is still being made is waited for first.

        In the worker: both take seconds, not hours.
        """
        describe = partial(self.hook.describe_dataset, dataset_arn)
        if DATASET_DELETED.judge(self.poll(describe, self.table).status) is not Verdict.WAIT:
            self.log.info("Deleting %s to make room for the one from %s.", dataset_arn, self.manifest_uri)
            client = self.hook.client
            try:
                client.delete_dataset(DatasetArn=dataset_arn)
            except client.exceptions.ResourceNotFoundException:
                return
        left = self.poll(describe, DATASET_DELETED)
        match DATASET_DELETED.judge(left.status):
            case Verdict.WAIT:
                self.give_up()
            case Verdict.FAILED:
                raise AirflowException(
                    f"The {self.dataset_type} dataset {dataset_arn} could not be deleted to make room for the one from "
                    f"{self.manifest_uri}: it is {left.status}. Inspect it in the Custom Labels console (link on this "
                    "task)."
                )
