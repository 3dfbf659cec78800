"""The operator that trains a version, with the images that Custom Labels refused in its errors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from custom_labels.aws.operators.versions import CustomLabelsTrainVersionOperator
from custom_labels.aws.statuses import Described
from custom_labels.core.names import PROJECT_FILE
from custom_labels.datasets.refusals import refusals_in_words
from custom_labels.datasets.refusals_records import read_refusals
from custom_labels.s3.store import S3Store


class TrainVersionOperator(CustomLabelsTrainVersionOperator):
    """Train a version of a project, and name the images that a failed training was refused for.

    :param bucket: the project's bucket (templated).
    """

    how_to_delete: ClassVar[str] = "delete versions, set 'keep_versions' so that the cost guard does"
    template_fields: Sequence[str] = (*CustomLabelsTrainVersionOperator.template_fields, "bucket")

    def __init__(self, *, bucket: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.bucket = bucket

    def explain(self, described: Described) -> str:
        """Add the images that Custom Labels refused, and why."""
        store = S3Store(
            self.bucket,
            aws_conn_id=self.aws_conn_id,
            region_name=self.region_name,
            verify=self.verify,
            botocore_config=self.botocore_config,
            configured_in=PROJECT_FILE,
        )
        refused = refusals_in_words(read_refusals(store, described.raw).to_record())
        return super().explain(described) + (f" Custom Labels did not use {refused}." if refused else "")
