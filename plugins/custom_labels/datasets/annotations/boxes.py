"""Boxes with labels: the lines of Ground Truth's bounding box jobs, read and written for Custom Labels.

The format is that of the developer guide's "Object localization in manifest files".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from custom_labels.datasets.annotations.annotation import (
    MAXIMUM_BOXES,
    Annotation,
    Box,
    Code,
    ImageSize,
    Refusal,
    Refused,
    plain_number,
    shown,
)
from custom_labels.datasets.annotations.json_lines import (
    BOXES_TYPE,
    Attribute,
    invalid_attribute,
    invalid_metadata,
    is_number,
    is_share,
    labels_of,
    read_annotation,
    read_class_map,
    read_provenance,
    write_provenance,
)
from custom_labels.datasets.images import MAXIMUM_SIDE, MINIMUM_SIDE

ATTRIBUTE = "bounding-box"
"""Name of the attribute in the lines that are written."""
_SIDES = ("left", "top", "width", "height")
_SCALED_SIDE = 1280
"""Custom Labels scales larger images down to this side, and their boxes with them."""


def read_boxes(text: str) -> Annotation:
    """Read a line.

    As at Custom Labels, a box that is off the frame or too small is left out, with its code, and the others are used.

    :raises Refused: the line cannot be used.
    """
    found = read_annotation(text, (BOXES_TYPE,), _read_attribute)
    if len(found.boxes) > MAXIMUM_BOXES:
        raise _too_many(len(found.boxes))
    return found


def write_boxes(annotation: Annotation) -> dict[str, Any]:
    """Write the attributes of a line, as the guide shows them; class ids count the labels of the image in order."""
    if annotation.size is None:
        raise ValueError(f"The boxes of {annotation.source_ref} cannot be written: the size of the image is not known.")
    size, ids = annotation.size, {label: number for number, label in enumerate(annotation.labels)}
    return {
        ATTRIBUTE: {
            "image_size": [{"width": size.width, "height": size.height, "depth": size.depth}],
            "annotations": [
                {
                    "class_id": ids[box.label],
                    "top": plain_number(box.top),
                    "left": plain_number(box.left),
                    "width": plain_number(box.width),
                    "height": plain_number(box.height),
                }
                for box in annotation.boxes
            ],
        },
        f"{ATTRIBUTE}-metadata": {
            "objects": [{"confidence": box.confidence} for box in annotation.boxes],
            "class-map": {str(number): label for label, number in ids.items()},
            **write_provenance(BOXES_TYPE, annotation.provenance),
        },
    }


def _read_attribute(name: str, value: Any, metadata: dict[str, Any]) -> Attribute:
    size, entries = _read_frame(name, value)
    objects = metadata.get("objects")
    if not isinstance(objects, list):
        raise invalid_metadata(name, f"'objects' is {shown(objects)}: expected a list with an object a box")
    classes = read_class_map(name, metadata, {entry["class_id"] for entry in entries})
    provenance, created = read_provenance(name, metadata)
    if len(entries) > MAXIMUM_BOXES:
        raise _too_many(len(entries))
    boxes: list[Box] = []
    dropped: list[Refusal] = []
    for entry, confidence in zip(entries, _read_confidences(name, objects, len(entries)), strict=True):
        left, top, width, height = (plain_number(entry[side]) for side in _SIDES)
        box = Box(classes[entry["class_id"]], left, top, width, height, confidence)
        if refusal := judge_box(box, size):
            dropped.append(refusal)
        else:
            boxes.append(box)
    if dropped and not boxes:
        raise Refused(Code.NO_VALID_ANNOTATIONS, f"none of its boxes can be used: {dropped[0].detail}")
    return Attribute(
        provenance, created, labels_of(metadata["class-map"]), tuple(boxes), size=size, dropped=tuple(dropped)
    )


def _read_frame(name: str, value: Any) -> tuple[ImageSize, list[Mapping[str, Any]]]:
    """Read the size of the image and the boxes of it, whose values are numbers then."""
    sizes, entries = (value.get(key) if isinstance(value, dict) else None for key in ("image_size", "annotations"))
    if not isinstance(sizes, list) or len(sizes) != 1 or not _has(sizes[0], ("width", "height", "depth"), whole=True):
        raise invalid_attribute(name, "'image_size' must be a list of one object with width, height and depth")
    if not isinstance(entries, list):
        raise invalid_attribute(name, f"'annotations' is {shown(entries)}: expected a list of boxes")
    for entry in entries:
        if not _has(entry, ("class_id",), whole=True) or not _has(entry, _SIDES):
            raise invalid_attribute(
                name, "each of 'annotations' must have numbers as class_id, top, left, width, height"
            )
    size = ImageSize(*(sizes[0][side] for side in ("width", "height", "depth")))
    if any(not MINIMUM_SIDE <= side <= MAXIMUM_SIDE for side in (size.width, size.height)):
        raise Refused(
            Code.INVALID_IMAGE_DIMENSION,
            f"'image_size' of {shown(name)} is {shown(size.width)} x {shown(size.height)}: expected sides from "
            f"{MINIMUM_SIDE} to {MAXIMUM_SIDE} pixels",
        )
    return size, entries


def _read_confidences(name: str, objects: list[Any], boxes: int) -> list[float]:
    found = [entry["confidence"] for entry in objects if isinstance(entry, dict) and is_share(entry.get("confidence"))]
    if not len(found) == len(objects) == boxes:
        raise Refused(
            Code.MISSING_BOUNDING_BOX_CONFIDENCE,
            f"{shown(name)} has {boxes} boxes, and 'objects' of its metadata has {len(found)} with a confidence from 0 "
            "to 1",
        )
    return found


def judge_box(box: Box, size: ImageSize) -> Refusal | None:
    """Say why Custom Labels would not use a box, ``None`` if it would.

    :param size: of the image that it is drawn on.
    """
    # Each value on its own first: a sum with a number of a thousand digits is an error.
    is_within = box.left >= 0 and box.top >= 0 and box.width <= size.width and box.height <= size.height
    if not is_within or box.left > size.width - box.width or box.top > size.height - box.height:
        return Refusal(
            Code.INVALID_BOUNDING_BOX, f"the box {_words(box)} is not within the {size.width} x {size.height} image"
        )
    scale = min(1.0, _SCALED_SIDE / max(size.width, size.height))
    if box.width * scale <= 1 or box.height * scale <= 1:
        scaled = f" once the image is scaled down to {_SCALED_SIDE} pixels" if scale < 1 else ""
        return Refusal(
            Code.BOUNDING_BOX_TOO_SMALL, f"the box {_words(box)} is not more than 1 pixel wide and high{scaled}"
        )
    return None


def _words(box: Box) -> str:
    left, top, width, height = (shown(side) for side in (box.left, box.top, box.width, box.height))
    return f"of {shown(box.label)} at left {left}, top {top}, width {width}, height {height}"


def _too_many(boxes: int) -> Refused:
    return Refused(Code.TOO_MANY_BOUNDING_BOXES, f"it has {boxes} boxes: expected at most {MAXIMUM_BOXES}")


def _has(value: object, names: tuple[str, ...], *, whole: bool = False) -> bool:
    return isinstance(value, dict) and all(
        type(value.get(name)) is int if whole else is_number(value.get(name)) for name in names
    )
