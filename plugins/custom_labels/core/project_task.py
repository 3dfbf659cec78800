"""What the model of a project learns to do, which decides what its training data look like."""

from __future__ import annotations

from enum import StrEnum


class ProjectTask(StrEnum):
    """What a project's model does; ``task`` in the project file.

    One label an image comes from the folder that the image is in. Several labels an image, and boxes, come from Ground
    Truth JSON Lines below ``annotations/``.
    """

    IMAGE_CLASSIFICATION = "image_classification"
    MULTI_LABEL_CLASSIFICATION = "multi_label_classification"
    OBJECT_DETECTION = "object_detection"

    @property
    def has_several(self) -> bool:
        """Whether an image may have several labels or boxes, or none."""
        return self is not ProjectTask.IMAGE_CLASSIFICATION
