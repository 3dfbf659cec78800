"""What backends have in common whose reviewers are a private or vendor workteam of SageMaker: Amazon A2I's are."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

from pydantic import Field

from custom_labels.core.field_types import RoleArn, WorkteamArn
from custom_labels.core.project_task import ProjectTask
from custom_labels.core.review_setup import BackendPart
from custom_labels.core.settings import projects_dir


class WorkforcePart(BackendPart):
    """Who answers, by which role AWS shows them images, and on which page.

    :param workteam_arn: the private or vendor workteam.
    :param role_arn: role that AWS reads images and writes answers with; ``iam:PassRole`` on it is needed.
    :param task_seconds: how long a person may take for an image.
    :param template: file of another worker task template, relative to the project files.
    """

    templates: ClassVar[Mapping[ProjectTask, Path]]
    """The worker task template of the backend for each task."""

    workteam_arn: WorkteamArn
    role_arn: RoleArn
    task_seconds: int = Field(300, ge=30, le=28_800)
    template: str | None = None

    def template_path(self, task: ProjectTask) -> Path:
        """Find the worker task template: the one that is named, or the backend's for the project's task."""
        return projects_dir() / self.template if self.template else self.templates[task]
