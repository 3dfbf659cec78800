"""Read an object localization attribute: boxes that are valid are kept, the others say why not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeGuard

from include.local_aws.boxes import Box
from include.local_aws.rekognition.drafts import Draft, is_label_name

_REQUIRED_METADATA = ("objects", "class-map", "human-annotated", "creation-date", "type")
_SCALED_SIDE = 1280
_ALLOWED_SIDES = (64, 4096)


def read_boxes(draft: Draft, name: str, metadata: dict[str, Any], most_boxes: int) -> None:
    """Read the boxes of the attribute `name` into `draft`, noting errors where Custom Labels notes them."""
    attribute = draft.document.get(name)
    if not _is_attribute(attribute):
        draft.attribute_error("ERROR_INVALID_LABEL_ATTRIBUTE_FORMAT", name)
        return
    code = _metadata_error(attribute, metadata)
    if code is not None:
        draft.nested_error(metadata, code)
        return
    if not attribute["annotations"]:
        draft.nested_warning(attribute, "WARNING_NO_ATTRIBUTE_ANNOTATIONS")
        return
    if len(attribute["annotations"]) > most_boxes:
        draft.nested_error(attribute, "ERROR_TOO_MANY_BOUNDING_BOXES")
        return
    size = attribute["image_size"][0]
    if any(not _ALLOWED_SIDES[0] <= size[side] <= _ALLOWED_SIDES[1] for side in ("width", "height")):
        draft.line_error("ERROR_INVALID_IMAGE_DIMENSION")
        return
    declared = (size["width"], size["height"])
    draft.image_size = draft.frame or declared
    _keep_valid(draft, attribute, metadata["class-map"], declared)


def _keep_valid(
    draft: Draft, attribute: dict[str, Any], class_map: Mapping[str, str], declared: tuple[int, int]
) -> None:
    # Where image_size lies, a box must lie in the image that it describes and in the one that there is.
    frame = (min(declared[0], draft.image_size[0]), min(declared[1], draft.image_size[1]))
    kept = 0
    for annotation in attribute["annotations"]:
        code = _box_error(annotation, frame)
        if code is not None:
            draft.nested_error(annotation, code)
            continue
        kept += 1
        sides = (annotation[side] for side in ("left", "top", "width", "height"))
        draft.boxes.append(Box(class_map[str(annotation["class_id"])], *sides))
    if not kept:
        draft.nested_error(attribute, "ERROR_NO_VALID_ANNOTATIONS")


def _is_attribute(value: object) -> TypeGuard[dict[str, Any]]:
    if not isinstance(value, dict):
        return False
    sizes, annotations = value.get("image_size"), value.get("annotations")
    if not isinstance(sizes, list) or len(sizes) != 1 or not isinstance(annotations, list):
        return False
    return _has_numbers(sizes[0], ("width", "height", "depth"), int) and all(
        # The guide's program for COCO datasets writes sides with fractions.
        _has_numbers(item, ("class_id",), int) and _has_numbers(item, ("top", "left", "width", "height"), int, float)
        for item in annotations
    )


def _has_numbers(value: object, names: tuple[str, ...], *kinds: type) -> bool:
    return isinstance(value, dict) and all(type(value.get(name)) in kinds for name in names)


def _metadata_error(attribute: Mapping[str, Any], metadata: Mapping[str, Any]) -> str | None:
    annotations, objects, class_map = attribute["annotations"], metadata.get("objects"), metadata.get("class-map")
    if any(name not in metadata for name in _REQUIRED_METADATA):
        return "ERROR_INVALID_LABEL_ATTRIBUTE_METADATA_FORMAT"
    if not isinstance(objects, list) or not isinstance(class_map, dict):
        return "ERROR_INVALID_LABEL_ATTRIBUTE_METADATA_FORMAT"
    if len(objects) != len(annotations) or any(
        not isinstance(item, dict) or "confidence" not in item for item in objects
    ):
        return "ERROR_MISSING_BOUNDING_BOX_CONFIDENCE"
    if any(str(item["class_id"]) not in class_map for item in annotations):
        return "ERROR_MISSING_CLASS_MAP_ID"
    return _name_error(class_map)


def _name_error(class_map: Mapping[str, Any]) -> str | None:
    if any(not isinstance(name, str) for name in class_map.values()):
        return "ERROR_INVALID_LABEL_ATTRIBUTE_METADATA_FORMAT"
    if any(not is_label_name(name) for name in class_map.values()):
        return "ERROR_INVALID_LABEL_NAME_LENGTH"
    return None


def _box_error(box: Mapping[str, float], frame: tuple[int, int]) -> str | None:
    inside = (
        box["left"] >= 0
        and box["top"] >= 0
        and box["left"] + box["width"] <= frame[0]
        and box["top"] + box["height"] <= frame[1]
    )
    if not inside:
        return "ERROR_INVALID_BOUNDING_BOX"
    # Custom Labels scales images down to 1,280 pixels, and boxes with them.
    scale = min(1.0, _SCALED_SIDE / max(frame))
    if box["width"] * scale <= 1 or box["height"] * scale <= 1:
        return "ERROR_BOUNDING_BOX_TOO_SMALL"
    return None
