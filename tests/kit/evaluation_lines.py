"""Lines of an evaluation snapshot as Custom Labels writes them: a test image, and what a trained version says of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from custom_labels.datasets.annotations.annotation import Box

IMAGE = "s3://b/k"
DETAILS = "rekognition-custom-labels-evaluation-details"


def details(*, predicted: bool, present: bool) -> dict[str, Any]:
    """Give what became of one prediction."""
    return {
        "version": 1,
        "is-true-positive": predicted and present,
        "is-true-negative": not predicted and not present,
        "is-false-positive": predicted and not present,
        "is-false-negative": present and not predicted,
        "is-present-in-ground-truth": present,
        "ground-truth-labelling-jobs": ["rekognition-custom-labels-training-job"],
    }


def labels_evaluated(
    actual: Sequence[str], weighed: Mapping[str, tuple[float, bool]], image: str = IMAGE
) -> dict[str, Any]:
    """Give a line of image-level labels.

    :param weighed: by label, how sure the version is, and whether that reaches the threshold.
    """
    line: dict[str, Any] = {"source-ref": image}
    for number, label in enumerate(actual):
        name = f"rekognition-custom-labels-training-{number}"
        line |= {name: 1, f"{name}-metadata": {"confidence": 1.0, "class-name": label}}
    for number, (label, (confidence, predicted)) in enumerate(weighed.items()):
        name = f"rekognition-custom-labels-evaluation-{number}"
        judged = details(predicted=predicted, present=label in actual)
        line |= {name: 1, f"{name}-metadata": {"confidence": confidence, "class-name": label, DETAILS: judged}}
    return line


def boxes_evaluated(
    actual: Sequence[Box],
    predicted: Sequence[Box],
    missed: Sequence[Box] = (),
    *,
    image: str = IMAGE,
    size: tuple[int, int] = (640, 480),
) -> dict[str, Any]:
    """Give a line of boxes.

    :param predicted: those that reach the threshold.
    :param missed: those at an object that do not.
    """
    weighed = [*((box, True) for box in predicted), *((box, False) for box in missed)]
    ids = {label: number for number, label in enumerate(sorted({box.label for box in [*actual, *predicted, *missed]}))}
    return {
        "source-ref": image,
        "rekognition-custom-labels-training-0": _frame(actual, ids, size),
        "rekognition-custom-labels-training-0-metadata": {
            "job-name": "rekognition-custom-labels-training-job",
            "class-map": {str(number): label for label, number in ids.items()},
            "human-annotated": "yes",
            "objects": [{"confidence": 1.0} for _ in actual],
            "creation-date": "2019-10-21T22:02:18.432644",
            "type": "groundtruth/object-detection",
        },
        "rekognition-custom-labels-evaluation": _frame([box for box, _ in weighed], ids, size),
        "rekognition-custom-labels-evaluation-metadata": {
            "confidence": max((box.confidence for box, _ in weighed), default=0.0),
            "job-name": "rekognition-custom-labels-evaluation-job",
            "class-map": {str(number): label for label, number in ids.items()},
            "human-annotated": "no",
            "objects": [
                {
                    "confidence": box.confidence,
                    DETAILS: details(predicted=is_sure, present=not is_sure or box.label in {a.label for a in actual}),
                }
                for box, is_sure in weighed
            ],
            "creation-date": "2019-10-21T22:02:18.432644",
            "type": "groundtruth/object-detection",
        },
    }


def _frame(boxes: Sequence[Box], ids: Mapping[str, int], size: tuple[int, int]) -> dict[str, Any]:
    return {
        "annotations": [
            {"class_id": ids[box.label], "left": box.left, "top": box.top, "width": box.width, "height": box.height}
            for box in boxes
        ],
        "image_size": [{"width": size[0], "height": size[1], "depth": 3}],
    }
