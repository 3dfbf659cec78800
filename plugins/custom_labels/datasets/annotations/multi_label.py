"""Several labels an image: the lines of Ground Truth's multi-label jobs and of Custom Labels, which are not the same.

Ground Truth writes one attribute with a list of class ids; Custom Labels takes an attribute a label (developer guide,
"Transforming multi-label SageMaker Ground Truth manifest files" and "Adding multiple image-level labels to an image").
Both are read, and the second is written.
"""

from __future__ import annotations

from typing import Any

from custom_labels.datasets.annotations.annotation import (
    MAXIMUM_IMAGE_LABELS,
    Annotation,
    Code,
    ImageLabel,
    Refused,
    shown,
)
from custom_labels.datasets.annotations.json_lines import (
    IMAGE_LABEL_TYPE,
    MULTI_LABEL_TYPE,
    Attribute,
    invalid_attribute,
    invalid_metadata,
    is_share,
    labels_of,
    read_annotation,
    read_class_map,
    read_label,
    read_provenance,
    write_provenance,
)

ATTRIBUTE = "label"
"""What the names of the attributes begin with in the lines that are written; a number follows."""


def read_labels(text: str) -> Annotation:
    """Read a line.

    :raises Refused: the line cannot be used.
    """
    found = read_annotation(text, (IMAGE_LABEL_TYPE, MULTI_LABEL_TYPE), _read_attribute)
    if len(found.image_labels) > MAXIMUM_IMAGE_LABELS:
        # The guide has this limit among its quotas, and no code for it.
        raise Refused(
            Code.NO_VALID_LABEL_ATTRIBUTES,
            f"it has {len(found.image_labels)} labels: expected at most {MAXIMUM_IMAGE_LABELS}",
        )
    return found


def write_labels(annotation: Annotation) -> dict[str, Any]:
    """Write the attributes of a line, as the guide shows them: one a label, with its metadata behind it.

    That none fits can be said in Ground Truth's way only. Custom Labels has no such line, and gets none.
    """
    if not annotation.image_labels:
        provenance = write_provenance(MULTI_LABEL_TYPE, annotation.provenance)
        return {ATTRIBUTE: [], f"{ATTRIBUTE}-metadata": {"class-map": {}, "confidence-map": {}, **provenance}}
    made: dict[str, Any] = {}
    for number, each in enumerate(sorted(annotation.image_labels, key=lambda each: each.label)):
        made[f"{ATTRIBUTE}{number}"] = number
        made[f"{ATTRIBUTE}{number}-metadata"] = {
            "class-name": each.label,
            "confidence": each.confidence,
            **write_provenance(IMAGE_LABEL_TYPE, annotation.provenance),
        }
    return made


def _read_attribute(name: str, value: Any, metadata: dict[str, Any]) -> Attribute:
    return (_read_several if metadata["type"] == MULTI_LABEL_TYPE else _read_one)(name, value, metadata)


def _read_one(name: str, value: Any, metadata: dict[str, Any]) -> Attribute:
    if type(value) is not int:
        raise invalid_attribute(name, f"it is {shown(value)}: expected a whole number")
    if "class-name" not in metadata:
        raise invalid_metadata(name, "'class-name' is missing")
    label = read_label(name, metadata["class-name"])
    labels = (ImageLabel(label, _read_confidence(name, "confidence", metadata.get("confidence"))),)
    return Attribute(*read_provenance(name, metadata), frozenset({label}), image_labels=labels)


def _read_several(name: str, value: Any, metadata: dict[str, Any]) -> Attribute:
    if not isinstance(value, list) or any(type(each) is not int for each in value):
        raise invalid_attribute(name, f"it is {shown(value)}: expected a list of class ids")
    classes, sure = read_class_map(name, metadata, value), metadata.get("confidence-map", {})
    if not isinstance(sure, dict):
        raise invalid_metadata(name, f"'confidence-map' is {shown(sure)}: expected an object of numbers by class id")
    found = {
        label: _read_confidence(name, "confidence-map", sure.get(str(each))) for each, label in sorted(classes.items())
    }
    labels = tuple(ImageLabel(label, confidence) for label, confidence in found.items())
    return Attribute(*read_provenance(name, metadata), labels_of(metadata["class-map"]), image_labels=labels)


def _read_confidence(name: str, key: str, value: object) -> float:
    if not is_share(value):
        raise invalid_metadata(name, f"{key!r} has {shown(value)}: expected a number from 0 to 1")
    return value
