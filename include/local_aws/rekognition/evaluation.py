"""The files that describe how good a model is, in the shapes of the Custom Labels guide."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Sequence

import numpy as np

from include.local_aws.rekognition.manifest_lines import ManifestLine
from include.local_aws.training.metrics import Judgement, LabelMetrics, Scores, confusion
from include.local_aws.wire.parse import Params

_TRAINING_JOB = "rekognition-custom-labels-training-job"
_EVALUATION_JOB = "rekognition-custom-labels-evaluation-job"
_KIND = "groundtruth/image-classification"


def summary(version_arn: str, judgement: Judgement, scores: Scores, truth: Scores, training_images: int) -> Params:
    """Return the evaluation summary; `scores` and `truth` are (test images, labels)."""
    labels = tuple(metrics.label for metrics in judgement.labels)
    thresholds = [metrics.threshold for metrics in judgement.labels]
    shares = confusion(labels, scores, truth.astype(bool), thresholds)
    return {
        "Version": 1,
        "AggregatedEvaluationResults": {
            "ConfusionMatrix": [
                {"GroundTruthLabel": true, "PredictedLabel": predicted, "Value": round(float(shares[row, column]), 6)}
                for row, true in enumerate(labels)
                for column, predicted in enumerate(labels)
                if shares[row, column] > 0
            ],
            "F1Score": judgement.f1,
            "Precision": judgement.precision,
            "Recall": judgement.recall,
        },
        "EvaluationDetails": {
            "EvaluationEndTimestamp": _now(),
            "Labels": list(labels),
            "NumberOfTestingImages": len(scores),
            "NumberOfTrainingImages": training_images,
            "ProjectVersionArn": version_arn,
        },
        "LabelEvaluationResults": [_label_result(metrics) for metrics in judgement.labels],
    }


def training_lines(lines: Sequence[ManifestLine]) -> str:
    """Return the snapshot of the training manifest, labels under Custom Labels' own attribute names."""
    now = _now()
    documents = []
    for line in lines:
        document: Params = {"source-ref": line.source_ref}
        for number, label in enumerate(line.image_labels):
            document.update(_truth_attribute(number, label, now))
        documents.append(json.dumps(document))
    return "\n".join([*documents, ""])


def testing_lines(lines: Sequence[ManifestLine], judgement: Judgement, scores: Scores) -> str:
    """Return the evaluation snapshot: each test image with its labels and what the model says of it."""
    now = _now()
    documents = []
    for line, row in zip(lines, scores, strict=True):
        document: Params = {"source-ref": line.source_ref}
        for number, label in enumerate(line.image_labels):
            document.update(_truth_attribute(number, label, now))
        shown = [
            (metrics, float(score))
            for metrics, score in zip(judgement.labels, row, strict=True)
            if score >= metrics.threshold or metrics.label in line.image_labels
        ]
        for number, (metrics, score) in enumerate(shown):
            document.update(_evaluation_attribute(number, metrics, score, line.image_labels, now))
        documents.append(json.dumps(document))
    return "\n".join([*documents, ""])


def truth_matrix(labels: tuple[str, ...], lines: Sequence[ManifestLine]) -> Scores:
    """Return (lines, labels): 1 where a line has the label."""
    return np.array([[label in line.image_labels for label in labels] for line in lines], dtype=float).reshape(
        len(lines), len(labels)
    )


def _label_result(metrics: LabelMetrics) -> Params:
    return {
        "Label": metrics.label,
        "Metrics": {
            "F1Score": metrics.f1,
            "Precision": metrics.precision,
            "Recall": metrics.recall,
            "Threshold": metrics.threshold,
        },
        "NumberOfTestingImages": metrics.test_images,
    }


def _truth_attribute(number: int, label: str, now: str) -> Params:
    name = f"rekognition-custom-labels-training-{number}"
    return {name: 1, f"{name}-metadata": _metadata(1.0, _TRAINING_JOB, label, "yes", now)}


def _evaluation_attribute(number: int, metrics: LabelMetrics, score: float, truth: tuple[str, ...], now: str) -> Params:
    name = f"rekognition-custom-labels-evaluation-{number}"
    detected, present = score >= metrics.threshold, metrics.label in truth
    details = {
        "version": 1,
        "is-true-positive": detected and present,
        "is-true-negative": not detected and not present,
        "is-false-positive": detected and not present,
        "is-false-negative": not detected and present,
        "is-present-in-ground-truth": present,
        "ground-truth-labelling-jobs": [_TRAINING_JOB] if present else [],
    }
    metadata = _metadata(round(score, 6), _EVALUATION_JOB, metrics.label, "no", now)
    return {
        name: int(detected),
        f"{name}-metadata": {**metadata, "rekognition-custom-labels-evaluation-details": details},
    }


def _metadata(confidence: float, job: str, label: str, by_human: str, now: str) -> Params:
    return {
        "confidence": confidence,
        "job-name": job,
        "class-name": label,
        "human-annotated": by_human,
        "creation-date": now,
        "type": _KIND,
    }


def _now() -> str:
    return dt.datetime.now(dt.UTC).replace(tzinfo=None).isoformat(timespec="microseconds")
