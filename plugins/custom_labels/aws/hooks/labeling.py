"""The hook for labeling jobs of Amazon SageMaker Ground Truth."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from custom_labels.aws.hooks.base import NOT_FOUND, ServiceHook, find
from custom_labels.aws.statuses import NOTHING, Described

if TYPE_CHECKING:
    from mypy_boto3_sagemaker.client import SageMakerClient
    from mypy_boto3_sagemaker.type_defs import CreateLabelingJobRequestTypeDef, LabelingJobSummaryTypeDef

MISSING = NOT_FOUND | {"ValidationException"}
"""StopLabelingJob of a job that does not exist or has ended; for the second no code is documented."""
ACCOUNTS = {
    "us-east-1": "432418664414",
    "us-east-2": "266458841044",
    "us-west-2": "081040173940",
    "ca-central-1": "918755190332",
    "eu-west-1": "568282634449",
    "eu-west-2": "487402164563",
    "eu-central-1": "203001061592",
    "ap-northeast-1": "477331159723",
    "ap-northeast-2": "845288260483",
    "ap-south-1": "565803892007",
    "ap-southeast-1": "377565633583",
    "ap-southeast-2": "454466003867",
}
"""AWS's account that holds its functions for labeling jobs, by region (SageMaker API reference, HumanTaskConfig)."""


def lambda_arn(function: str, region: str) -> str | None:
    """Give the ARN of one of AWS's functions, such as ``PRE-BoundingBox``; ``None`` in a region that has none."""
    account = ACCOUNTS.get(region)
    return f"arn:aws:lambda:{region}:{account}:function:{function}" if account else None


class LabelingHook(ServiceHook["SageMakerClient"]):
    """Interact with Ground Truth labeling jobs; the parameters are those of :class:`ServiceHook`."""

    service = "sagemaker"

    @property
    def region(self) -> str:
        """The region that is called."""
        return self.client.meta.region_name

    def describe_job(self, name: str) -> Described:
        """Describe a labeling job by name; one that does not exist has no status."""
        found = find(self.client.describe_labeling_job, LabelingJobName=name)
        return (
            Described(found["LabelingJobStatus"], found.get("FailureReason") or "", dict(found)) if found else NOTHING
        )

    def create_job(self, request: CreateLabelingJobRequestTypeDef) -> bool:
        """Create a job; ``False`` if there is one of that name, which stays as it is."""
        try:
            self.client.create_labeling_job(**request)
        except ClientError as error:
            if error.response["Error"]["Code"] != "ResourceInUse":
                raise
            return False
        return True

    def stop_job(self, name: str) -> None:
        """Stop a job; one that has ended or does not exist is left."""
        try:
            self.client.stop_labeling_job(LabelingJobName=name)
        except ClientError as error:
            if error.response["Error"]["Code"] not in MISSING:
                raise
            self.log.info("Labeling job %s has ended or is gone: %s", name, error)

    def jobs(self, name_contains: str, since: datetime) -> Iterator[list[LabelingJobSummaryTypeDef]]:
        """List jobs that were created at or after a moment, oldest first, a page at a time.

        The SDK sends moments in whole seconds, so that the second before is asked for too.
        """
        pages = self.client.get_paginator("list_labeling_jobs").paginate(
            NameContains=name_contains,
            CreationTimeAfter=since - timedelta(seconds=1),
            SortBy="CreationTime",
            SortOrder="Ascending",
        )
        for page in pages:
            yield [job for job in page["LabelingJobSummaryList"] if job["CreationTime"] >= since]
