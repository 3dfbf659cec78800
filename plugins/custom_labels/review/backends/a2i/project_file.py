"""What a project file says to Amazon A2I."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

from custom_labels.core.project_task import ProjectTask
from custom_labels.review.backends.workforce import WorkforcePart


class A2IPart(WorkforcePart):
    """The workteam, and what its members see."""

    templates: ClassVar[Mapping[ProjectTask, Path]] = {
        ProjectTask.IMAGE_CLASSIFICATION: Path(__file__).with_name("image_review.liquid.html"),
        ProjectTask.MULTI_LABEL_CLASSIFICATION: Path(__file__).with_name("labels_review.liquid.html"),
        ProjectTask.OBJECT_DETECTION: Path(__file__).with_name("boxes_review.liquid.html"),
    }
