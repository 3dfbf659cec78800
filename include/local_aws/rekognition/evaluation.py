"""How good a model of image-level labels is, in the shapes of the Custom Labels guide."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from include.local_aws.rekognition.evaluation_files import (
    EVALUATION_JOB,
    TRAINING_JOB,
    Evaluation,
    as_manifest,
    details,
    now,
    summary_of,
)
from include.local_aws.rekognition.manifest_lines import IMAGE_LEVEL, ManifestLine
from include.local_aws.training.metrics import Judgement, LabelMetrics, Scores, confusion, judge
from include.local_aws.training.results import ImageLevelResult
from include.local_aws.wire.parse import Params


def evaluate(
    version_arn: str, result: ImageLevelResult, training: Sequence[ManifestLine], testing: Sequence[ManifestLine]
) -> Evaluation:
    """Judge what a training gave, and write its files: the labels go under Custom Labels' own attribute names."""
    truth = _truth_matrix(result.labels, testing)
    judgement = judge(result.labels, result.test_scores, truth.astype(bool))
    aggregated = {"ConfusionMatrix": _confusion_matrix(judgement, result.test_scores, truth)}
    return Evaluation(
        judgement,
        summary_of(version_arn, judgement, aggregated, len(testing), len(training)),
        as_manifest(_with_truth(line, now()) for line in training),
        as_manifest(_tested_lines(testing, judgement, result.test_scores)),
    )


def _confusion_matrix(judgement: Judgement, scores: Scores, truth: Scores) -> list[Params]:
    labels = tuple(metrics.label for metrics in judgement.labels)
    shares = confusion(labels, scores, truth.astype(bool), [metrics.threshold for metrics in judgement.labels])
    return [
        {"GroundTruthLabel": true, "PredictedLabel": predicted, "Value": round(float(shares[row, column]), 6)}
        for row, true in enumerate(labels)
        for column, predicted in enumerate(labels)
        if shares[row, column] > 0
    ]


def _tested_lines(lines: Sequence[ManifestLine], judgement: Judgement, scores: Scores) -> Iterator[Params]:
    """Give each test image with its labels and what the model says of it."""
    moment = now()
    for line, row in zip(lines, scores, strict=True):
        document = _with_truth(line, moment)
        shown = [
            (metrics, float(score))
            for metrics, score in zip(judgement.labels, row, strict=True)
            if score >= metrics.threshold or metrics.label in line.image_labels
        ]
        for number, (metrics, score) in enumerate(shown):
            document.update(_evaluation_attribute(number, metrics, score, line.image_labels, moment))
        yield document


def _truth_matrix(labels: tuple[str, ...], lines: Sequence[ManifestLine]) -> Scores:
    """Return (lines, labels): 1 where a line has the label."""
    return np.array([[label in line.image_labels for label in labels] for line in lines], dtype=float).reshape(
        len(lines), len(labels)
    )


def _with_truth(line: ManifestLine, moment: str) -> Params:
    document: Params = {"source-ref": line.source_ref}
    for number, label in enumerate(line.image_labels):
        name = f"rekognition-custom-labels-training-{number}"
        document.update({name: 1, f"{name}-metadata": _metadata(1.0, TRAINING_JOB, label, "yes", moment)})
    return document


def _evaluation_attribute(
    number: int, metrics: LabelMetrics, score: float, truth: tuple[str, ...], moment: str
) -> Params:
    name = f"rekognition-custom-labels-evaluation-{number}"
    detected = score >= metrics.threshold
    metadata = _metadata(round(score, 6), EVALUATION_JOB, metrics.label, "no", moment)
    outcome = details(detected=detected, present=metrics.label in truth)
    return {
        name: int(detected),
        f"{name}-metadata": {**metadata, "rekognition-custom-labels-evaluation-details": outcome},
    }


def _metadata(confidence: float, job: str, label: str, by_human: str, moment: str) -> Params:
    return {
        "confidence": confidence,
        "job-name": job,
        "class-name": label,
        "human-annotated": by_human,
        "creation-date": moment,
        "type": IMAGE_LEVEL,
    }
