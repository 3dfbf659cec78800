"""The bootstrap DAG's checks of a workteam, of the role that shows it images, and of the bucket that these are in."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from airflow.providers.amazon.aws.hooks.base_aws import AwsBaseHook
from botocore.exceptions import ClientError

from custom_labels.aws.hooks.sagemaker import ReviewSetupHook
from custom_labels.core.checks import Check, CheckFailed, named
from custom_labels.core.context import ProjectContext
from custom_labels.review.backends.cors import check_cors
from custom_labels.review.backends.workforce import WorkforcePart
from custom_labels.s3.errors import error_code


class WorkforceChecks:
    """The checks of one project.

    :param ctx: the project, as a task sees it.
    :param part: the backend's part of its file, ``backend`` that backend's name.
    """

    def __init__(self, ctx: ProjectContext, part: WorkforcePart, backend: str) -> None:
        self.ctx = ctx
        self.project = ctx.project
        self.part = part
        self.field = f"review.{backend}"

    def all(self) -> Iterator[Check]:
        """Give each check."""
        yield Check("review role", self.part.role_arn, self.role)
        yield Check("review workteam", self.part.workteam_arn, self.workteam)
        yield Check("bucket CORS", self.project.bucket, self.cors)

    @property
    def hook(self) -> ReviewSetupHook:
        """The hook of the project's connection and region."""
        return ReviewSetupHook(self.project.aws_conn_id, region_name=self.project.region_name)

    def role(self) -> str:
        """Find the role that AWS takes on; nothing else needs the right to read roles, so that it may be missing."""
        arn = self.part.role_arn
        iam: Any = AwsBaseHook(
            self.project.aws_conn_id, client_type="iam", region_name=self.project.region_name
        ).get_conn()
        try:
            with named(self.project, "role", arn, f"{self.field}.role_arn", "NoSuchEntity"):
                found = iam.get_role(RoleName=arn.rpartition("/")[2])["Role"]
        except ClientError as error:
            if error_code(error) not in {"AccessDenied", "AccessDeniedException"}:
                raise
            return f"{arn}, which may not be inspected (iam:GetRole)"
        if "sagemaker.amazonaws.com" not in str(found["AssumeRolePolicyDocument"]):
            raise CheckFailed(
                f"The role {arn} does not trust sagemaker.amazonaws.com, so that AWS cannot take it on. Add that to "
                f"its trust policy, or name another as '{self.field}.role_arn'."
            )
        return arn

    def workteam(self) -> str:
        """Find the people, and where they work."""
        arn = self.part.workteam_arn
        found = self.hook.find_workteam(arn)
        if found is None:
            raise CheckFailed(
                f"There is no workteam {arn}. Create it (SageMaker console, Labeling workforces), or correct "
                f"'{self.field}.workteam_arn' in {self.project.name}.yaml."
            )
        return f"{arn}, works at https://{found.get('SubDomain')}"

    def cors(self) -> str:
        """See whether the worker portal may show images of the bucket; tasks that cannot fail at AWS."""
        return check_cors(self.ctx, "the worker portal shows no images and AWS fails the tasks")
