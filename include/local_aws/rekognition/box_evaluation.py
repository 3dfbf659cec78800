"""How good a model that finds objects is, in the shapes of the Custom Labels guide."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from include.local_aws.boxes import Box
from include.local_aws.rekognition.evaluation_files import (
    EVALUATION_JOB,
    TRAINING_JOB,
    Evaluation,
    as_manifest,
    details,
    now,
    summary_of,
)
from include.local_aws.rekognition.manifest_lines import LOCALIZATION, ManifestLine
from include.local_aws.training.box_metrics import judge_boxes, pixels_of
from include.local_aws.training.results import LocalizationResult, Tested
from include.local_aws.wire.parse import Params


def evaluate(
    version_arn: str, result: LocalizationResult, training: Sequence[ManifestLine], testing: Sequence[ManifestLine]
) -> Evaluation:
    """Judge what a training gave, and write its files: the boxes go under Custom Labels' own attribute names."""
    truths = [[box for box in line.boxes if box.label in result.labels] for line in testing]
    judgement = judge_boxes(result.labels, result.tested, truths)
    aggregated = {"AveragePrecision": judgement.average_precision, "AverageRecall": judgement.average_recall}
    thresholds = {metrics.label: metrics.threshold for metrics in judgement.labels}
    numbers = {label: number for number, label in enumerate(result.labels)}
    moment = now()
    return Evaluation(
        judgement,
        summary_of(version_arn, judgement, aggregated, len(testing), len(training)),
        as_manifest(_with_truth(line, line.boxes, line.image_size, numbers, moment) for line in training),
        as_manifest(
            {
                **_with_truth(line, truth, image.size, numbers, moment),
                **_with_predictions(_predictions(image, truth, hits, thresholds), image.size, numbers, moment),
            }
            for line, image, truth, hits in zip(testing, result.tested, truths, judgement.hits, strict=True)
        ),
    )


@dataclass(frozen=True)
class _Prediction:
    """A box that the model found, or should have found, in pixels."""

    label: str
    confidence: float
    box: tuple[float, float, float, float]
    detected: bool
    present: bool


def _predictions(
    image: Tested, truth: Sequence[Box], hits: Sequence[int | None], thresholds: Mapping[str, float]
) -> Iterator[_Prediction]:
    """Give what reaches its label's threshold, and what does not but is there; what was not found has confidence 0."""
    for found, hit in zip(image.found, hits, strict=True):
        detected = found.confidence >= thresholds[found.name]
        if detected or hit is not None:
            box = pixels_of(found, image.size)
            yield _Prediction(found.name, found.confidence, box, detected, hit is not None)
    for number, missed in enumerate(truth):
        if number not in hits:
            yield _Prediction(missed.label, 0.0, missed[1:], detected=False, present=True)


def _with_truth(
    line: ManifestLine, boxes: Sequence[Box], size: tuple[int, int], numbers: Mapping[str, int], moment: str
) -> Params:
    name = "rekognition-custom-labels-training-0"
    return {
        "source-ref": line.source_ref,
        name: _attribute([(box.label, box[1:]) for box in boxes], size, numbers),
        f"{name}-metadata": {
            "job-name": TRAINING_JOB,
            "class-map": _class_map(numbers, [box.label for box in boxes]),
            "human-annotated": "yes",
            "objects": [{"confidence": 1.0} for _ in boxes],
            "creation-date": moment,
            "type": LOCALIZATION,
        },
    }


def _with_predictions(
    predictions: Iterator[_Prediction], size: tuple[int, int], numbers: Mapping[str, int], moment: str
) -> Params:
    name, every = "rekognition-custom-labels-evaluation", list(predictions)
    objects = [
        {
            "confidence": round(item.confidence, 6),
            "rekognition-custom-labels-evaluation-details": details(detected=item.detected, present=item.present),
        }
        for item in every
    ]
    return {
        name: _attribute([(item.label, item.box) for item in every], size, numbers),
        f"{name}-metadata": {
            "confidence": round(max((item.confidence for item in every), default=0.0), 6),
            "job-name": EVALUATION_JOB,
            "class-map": _class_map(numbers, [item.label for item in every]),
            "human-annotated": "no",
            "objects": objects,
            "creation-date": moment,
            "type": LOCALIZATION,
        },
    }


def _attribute(
    boxes: Sequence[tuple[str, tuple[float, float, float, float]]], size: tuple[int, int], numbers: Mapping[str, int]
) -> Params:
    return {
        "annotations": [
            {
                "class_id": numbers[label],
                "left": round(left),
                "top": round(top),
                "width": max(1, round(width)),
                "height": max(1, round(height)),
            }
            for label, (left, top, width, height) in boxes
        ],
        "image_size": [{"width": size[0], "height": size[1], "depth": 3}],
    }


def _class_map(numbers: Mapping[str, int], labels: Sequence[str]) -> dict[str, str]:
    return {str(numbers[label]): label for label in sorted(set(labels))}
