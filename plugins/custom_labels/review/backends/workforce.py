"""What backends have in common whose reviewers are a private or vendor workteam of SageMaker: Amazon A2I's are."""

from __future__ import annotations

from pydantic import Field

from custom_labels.core.field_types import RoleArn, WorkteamArn
from custom_labels.core.review_setup import BackendPart


class WorkforcePart(BackendPart):
    """Who answers, and by which role AWS shows them images.

    :param workteam_arn: the private or vendor workteam.
    :param role_arn: role that AWS reads images and writes answers with; ``iam:PassRole`` on it is needed.
    :param task_seconds: how long a person may take for an image.
    """

    workteam_arn: WorkteamArn
    role_arn: RoleArn
    task_seconds: int = Field(300, ge=30, le=28_800)
