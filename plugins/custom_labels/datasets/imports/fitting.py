"""What of an annotation a project can learn, by what its model does."""

from __future__ import annotations

from dataclasses import replace

from custom_labels.core.project_task import ProjectTask
from custom_labels.datasets.annotations.annotation import (
    MAXIMUM_BOXES,
    MAXIMUM_IMAGE_LABELS,
    Annotation,
    Code,
    ImageLabel,
    ImageSize,
    Refusal,
)
from custom_labels.datasets.images import MAXIMUM_SIDE, MINIMUM_SIDE
from custom_labels.datasets.imports.source import Found, ImportCode, SourceItem, Unusable


def fit(found: Found, task: ProjectTask) -> SourceItem:
    """Give what a project can learn of an annotation, or say why it cannot learn from it.

    A project without boxes takes the labels of boxes. Of an image on which there is nothing a project of one label
    learns nothing; others keep that as evidence.
    """
    annotation = found.annotation
    if task is ProjectTask.OBJECT_DETECTION:
        if annotation.image_labels and not annotation.boxes:
            return Unusable(found.where, ImportCode.NO_BOXES, f"it has the labels {_named(annotation)} without boxes")
        if refusal := _why_no_boxes(annotation):
            return Unusable(found.where, refusal.code, refusal.detail)
        return replace(found, annotation=replace(annotation, image_labels=()))
    labels = _labels(annotation)
    if task is ProjectTask.IMAGE_CLASSIFICATION and len(labels) != 1:
        if not labels:
            return Unusable(found.where, ImportCode.NO_LABEL, "it says that nothing is on the image")
        return Unusable(found.where, ImportCode.SEVERAL_LABELS, f"it has the labels {_named(annotation)}")
    if len(labels) > MAXIMUM_IMAGE_LABELS:
        detail = f"it has {len(labels)} labels: expected at most {MAXIMUM_IMAGE_LABELS}"
        return Unusable(found.where, Code.NO_VALID_LABEL_ATTRIBUTES, detail)
    return replace(found, annotation=replace(annotation, boxes=(), size=None, image_labels=labels))


def _why_no_boxes(annotation: Annotation) -> Refusal | None:
    """Say why Custom Labels would not take the boxes of an image (developer guide, "Guidelines and quotas")."""
    if len(annotation.boxes) > MAXIMUM_BOXES:
        detail = f"it has {len(annotation.boxes)} boxes: expected at most {MAXIMUM_BOXES}"
        return Refusal(Code.TOO_MANY_BOUNDING_BOXES, detail)
    size = annotation.size or ImageSize(0, 0)
    if not all(MINIMUM_SIDE <= side <= MAXIMUM_SIDE for side in (size.width, size.height)):
        detail = (
            f"the image is {size.width} x {size.height}: expected sides from {MINIMUM_SIDE} to {MAXIMUM_SIDE} pixels"
        )
        return Refusal(Code.INVALID_IMAGE_DIMENSION, detail)
    return None


def _labels(annotation: Annotation) -> tuple[ImageLabel, ...]:
    """Give the labels of an image, those of its boxes included, each with its highest confidence."""
    sure: dict[str, float] = {}
    said = [(each.label, each.confidence) for each in annotation.image_labels]
    said += [(box.label, box.confidence) for box in annotation.boxes]
    for label, confidence in said:
        sure[label] = max(confidence, sure.get(label, 0))
    return tuple(ImageLabel(label, confidence) for label, confidence in sorted(sure.items()))


def _named(annotation: Annotation) -> str:
    some = annotation.labels[:5]
    return ", ".join(map(ascii, some)) + (", ..." if len(annotation.labels) > len(some) else "")
