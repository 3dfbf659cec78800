"""Lines of annotations as the tests of several rooms need them: right ones, and ways to spoil them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

WHEN = "2026-01-31T12:00:00"
BOXES = "groundtruth/object-detection"
IMAGE_LABEL = "groundtruth/image-classification"
MULTI_LABEL = "groundtruth/image-classification-multilabel"


def boxes_line(
    source_ref: str = "s3://bucket/images/a.png",
    boxes: Sequence[tuple[str, float, float, float, float]] = (("Echo", 10, 20, 30, 40),),
    *,
    name: str = "bounding-box",
    size: tuple[int, int] = (640, 480),
    created: str = WHEN,
) -> dict[str, Any]:
    """Give a line with boxes of label, left, top, width and height, as Ground Truth writes them."""
    labels = sorted({label for label, *_ in boxes})
    return {
        "source-ref": source_ref,
        name: {
            "image_size": [{"width": size[0], "height": size[1], "depth": 3}],
            "annotations": [
                {"class_id": labels.index(label), "left": left, "top": top, "width": width, "height": height}
                for label, left, top, width, height in boxes
            ],
        },
        f"{name}-metadata": {
            "objects": [{"confidence": 0.9} for _ in boxes],
            "class-map": {str(number): label for number, label in enumerate(labels)},
            "type": BOXES,
            "human-annotated": "yes",
            "creation-date": created,
            "job-name": "labeling-job/a-job",
        },
    }


def native_line(
    source_ref: str = "s3://bucket/images/a.png",
    labels: Mapping[str, float] = {"ball": 0.8},
    *,
    name: str = "sport",
    absent: Sequence[str] = (),
    created: str = WHEN,
) -> dict[str, Any]:
    """Give a line of several labels with their confidence, as Ground Truth's multi-label jobs write them."""
    ids = {label: number for number, label in enumerate([*labels, *absent])}
    return {
        "source-ref": source_ref,
        name: [ids[label] for label in labels],
        f"{name}-metadata": {
            "class-map": {str(number): label for label, number in ids.items()},
            "confidence-map": {str(ids[label]): sure for label, sure in labels.items()},
            "type": MULTI_LABEL,
            "human-annotated": "yes",
            "creation-date": created,
            "job-name": "labeling-job/a-job",
        },
    }


def label_attribute(label: str, *, name: str = "sport0", created: str = WHEN, **metadata: object) -> dict[str, Any]:
    """Give the attribute of one label, as Custom Labels takes it."""
    return {
        name: 0,
        f"{name}-metadata": {
            "class-name": label,
            "confidence": 0.8,
            "type": IMAGE_LABEL,
            "job-name": "identify-sport",
            "human-annotated": "yes",
            "creation-date": created,
            **metadata,
        },
    }


def labels_line(*labels: str, source_ref: str = "s3://bucket/images/a.png", created: str = WHEN) -> dict[str, Any]:
    """Give a line of several labels, as Custom Labels takes it."""
    line: dict[str, Any] = {"source-ref": source_ref}
    for number, label in enumerate(labels):
        line |= label_attribute(label, name=f"sport{number}", created=created)
    return line


def spoilt(line: Mapping[str, Any], path: str, value: object = None, *, gone: bool = False) -> str:
    """Write a line with one value changed or gone.

    :param path: of names and numbers, with slashes between them.
    """
    made = json.loads(json.dumps(line))
    *places, last = path.split("/")
    place = made
    for name in places:
        place = place[int(name) if isinstance(place, list) else name]
    if gone:
        del place[int(last) if isinstance(place, list) else last]
    else:
        place[int(last) if isinstance(place, list) else last] = value
    return json.dumps(made)
