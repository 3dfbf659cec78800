"""Composed scenes in the bucket, and their manifest lines of both kinds."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from include.demo.scenes import LABELS, Placed, Scene, SceneStyle, scenes
from tests.local_aws.support import BUCKET, Aws, line

SMALL = SceneStyle(size=(320, 240), sides=(50, 110), clutter=(2, 8), logos=(1, 2), empty_share=0)
"""Scenes that are learned in a few seconds."""


def put_scenes(aws: Aws, folder: str, count: int, seed: int, style: SceneStyle = SMALL) -> list[tuple[str, Scene]]:
    """Put so many scenes and return them with their keys."""
    made = [(f"{folder}/{number}.jpg", scene) for number, scene in enumerate(scenes(count, seed, style))]
    for key, scene in made:
        aws.put(key, scene.jpeg())
    return made


def boxes_line(key: str, placed: Sequence[Placed], size: tuple[int, int], **metadata: Any) -> str:
    """Return the manifest line of an image with boxes; `metadata` replaces members of the attribute's metadata."""
    return json.dumps(
        {
            "source-ref": f"s3://{BUCKET}/{key}",
            "bounding-box": {
                "image_size": [{"width": size[0], "height": size[1], "depth": 3}],
                "annotations": [
                    {
                        "class_id": LABELS.index(box.label),
                        "left": box.left,
                        "top": box.top,
                        "width": box.width,
                        "height": box.height,
                    }
                    for box in placed
                ],
            },
            "bounding-box-metadata": {
                "objects": [{"confidence": 1} for _ in placed],
                "class-map": {str(number): label for number, label in enumerate(LABELS)},
                "type": "groundtruth/object-detection",
                "human-annotated": "yes",
                "creation-date": "2026-01-01T00:00:00",
                **metadata,
            },
        }
    )


def box_lines(made: Sequence[tuple[str, Scene]]) -> list[str]:
    """Return the lines of scenes with a box around each logo."""
    return [boxes_line(key, scene.placed, scene.picture.size) for key, scene in made]


def label_lines(made: Sequence[tuple[str, Scene]]) -> list[str]:
    """Return the lines of scenes with the labels of what is on them."""
    return [line(key, *sorted({box.label for box in scene.placed})) for key, scene in made]
