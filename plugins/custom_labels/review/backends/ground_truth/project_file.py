"""What a project file says to Ground Truth."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

from custom_labels.core.project_task import ProjectTask
from custom_labels.review.backends.workforce import WorkforcePart


class GroundTruthPart(WorkforcePart):
    """The workteam, and what its members see."""

    templates: ClassVar[Mapping[ProjectTask, Path]] = {
        ProjectTask.IMAGE_CLASSIFICATION: Path(__file__).with_name("label_job.liquid.html"),
        ProjectTask.MULTI_LABEL_CLASSIFICATION: Path(__file__).with_name("labels_job.liquid.html"),
        ProjectTask.OBJECT_DETECTION: Path(__file__).with_name("boxes_job.liquid.html"),
    }
