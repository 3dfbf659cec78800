"""The operator that copies a model version into another Custom Labels project."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from airflow.providers.amazon.aws.utils.mixins import aws_template_fields
from airflow.sdk.exceptions import AirflowException, AirflowFailException

from custom_labels.aws.hooks.rekognition import LimitExceeded
from custom_labels.aws.operators.versions import VersionOperator
from custom_labels.aws.statuses import VERSION_COPIED, Described

if TYPE_CHECKING:
    from airflow.sdk import Context


class CustomLabelsCopyVersionOperator(VersionOperator):
    """Copy a trained version into another project of the region, or adopt the copy of that name. XCom: the copy's ARN.

    The version of that name is described first, so that a retry does not copy twice. A copy that failed is final: its
    name is taken until it is deleted. A copy between accounts needs a project policy on the source project that
    allows ``rekognition:CopyProjectVersion``. ``project_arn`` is the destination.

    :param source_project_arn: the project that the version is copied from (templated).
    :param source_version_arn: the version to copy (templated).
    :param output_uri: ``s3://`` URI of the prefix for the copies of the training's files (templated).
    :param tags: tags of the copy, which an adopted one gets as well (templated).
    :param kms_key_id: the KMS key that encrypts the copy; AWS's own key if not given (templated).
    :raises AirflowFailException: the copy failed, or the name belongs to a version that is no copy of this one.
    :raises AirflowException: a quota is full.
    """

    table = VERSION_COPIED
    polls = (30, 480)
    final_failure = True
    needed = (*VersionOperator.needed, "source_project_arn", "source_version_arn", "output_uri")
    template_fields: Sequence[str] = aws_template_fields(
        *VersionOperator.template_fields, "source_project_arn", "source_version_arn", "output_uri", "tags", "kms_key_id"
    )

    def __init__(
        self,
        *,
        source_project_arn: str,
        source_version_arn: str,
        output_uri: str,
        tags: dict[str, str] | None = None,
        kms_key_id: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.source_project_arn = source_project_arn
        self.source_version_arn = source_version_arn
        self.output_uri = output_uri
        self.tags = tags
        self.kms_key_id = kms_key_id

    def submit(self, context: Context) -> Described:  # noqa: ARG002
        """Copy the version unless its copy is there."""
        client = self.hook.client
        copy = partial(
            client.copy_project_version,
            SourceProjectArn=self.source_project_arn,
            SourceProjectVersionArn=self.source_version_arn,
            DestinationProjectArn=self.project_arn,
        )
        if self.kms_key_id:
            copy = partial(copy, KmsKeyId=self.kms_key_id)
        try:
            return self.create("COPYING_IN_PROGRESS", copy, self.output_uri, self.tags)
        except (LimitExceeded, client.exceptions.ServiceQuotaExceededException) as error:
            raise AirflowException(
                f"{self.subject} cannot be copied to {self.project_arn} now: {error}. An account takes five copies at "
                "once, and a project 100 versions, unless the quota was raised. Nothing was copied; wait until another "
                "copy has ended, delete versions that are not needed, or ask for a higher quota, then clear this task."
            ) from error

    def adopt(self, present: Described) -> None:
        """Take a version of that name for the copy, unless AWS names another source of it."""
        source = present.raw.get("SourceProjectVersionArn")
        if source is not None and source != self.source_version_arn:
            raise AirflowFailException(
                f"{self.subject} of {self.project_arn} is a copy of {source}, not of {self.source_version_arn}. "
                "Nothing was copied; give 'version_name' another name, or delete that version, then clear this task."
            )
        super().adopt(present)

    def explain(self, described: Described) -> str:
        """Say how to copy again: the name of a failed copy is taken."""
        return (
            f"It was to be copied from {self.source_version_arn} with its files below {self.output_uri}. Delete "
            f"{described.arn or 'it'} or choose another 'version_name', then clear this task."
        )
