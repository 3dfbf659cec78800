"""What a project file says to Ground Truth."""

from __future__ import annotations

from pathlib import Path

from custom_labels.core.project_task import ProjectTask
from custom_labels.core.settings import projects_dir
from custom_labels.review.backends.workforce import WorkforcePart

TEMPLATES = {
    ProjectTask.IMAGE_CLASSIFICATION: "label_job.liquid.html",
    ProjectTask.MULTI_LABEL_CLASSIFICATION: "labels_job.liquid.html",
    ProjectTask.OBJECT_DETECTION: "boxes_job.liquid.html",
}
"""The worker task template of this package for each task."""


class GroundTruthPart(WorkforcePart):
    """The workteam, and what its members see.

    :param template: file of another worker task template, relative to the project files.
    """

    template: str | None = None

    def template_path(self, task: ProjectTask) -> Path:
        """Find the worker task template: the one that is named, or this package's for the project's task."""
        return projects_dir() / self.template if self.template else Path(__file__).parent / TEMPLATES[task]
