"""What the evaluation files of both kinds of models have in common, in the shapes of the Custom Labels guide."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable
from dataclasses import dataclass

from include.local_aws.training.metrics import Judgement, LabelMetrics
from include.local_aws.wire.parse import Params

TRAINING_JOB = "rekognition-custom-labels-training-job"
EVALUATION_JOB = "rekognition-custom-labels-evaluation-job"


@dataclass(frozen=True)
class Evaluation:
    """How good a model is, and the files that say so: the summary and both manifests."""

    judgement: Judgement
    summary: Params
    training: str
    testing: str


def summary_of(
    version_arn: str, judgement: Judgement, aggregated: Params, testing_images: int, training_images: int
) -> Params:
    """Return the evaluation summary; `aggregated` is what only one kind of model has beside precision and recall."""
    return {
        "Version": 1,
        "AggregatedEvaluationResults": {
            **aggregated,
            "F1Score": judgement.f1,
            "Precision": judgement.precision,
            "Recall": judgement.recall,
        },
        "EvaluationDetails": {
            "EvaluationEndTimestamp": now(),
            "Labels": [metrics.label for metrics in judgement.labels],
            "NumberOfTestingImages": testing_images,
            "NumberOfTrainingImages": training_images,
            "ProjectVersionArn": version_arn,
        },
        "LabelEvaluationResults": [_label_result(metrics) for metrics in judgement.labels],
    }


def details(*, detected: bool, present: bool) -> Params:
    """Return what became of one prediction."""
    return {
        "version": 1,
        "is-true-positive": detected and present,
        "is-true-negative": not detected and not present,
        "is-false-positive": detected and not present,
        "is-false-negative": not detected and present,
        "is-present-in-ground-truth": present,
        "ground-truth-labelling-jobs": [TRAINING_JOB] if present else [],
    }


def as_manifest(documents: Iterable[Params]) -> str:
    """Return JSON Lines."""
    return "\n".join([*(json.dumps(document) for document in documents), ""])


def now() -> str:
    """Return the time as the guide's examples have it."""
    return dt.datetime.now(dt.UTC).replace(tzinfo=None).isoformat(timespec="microseconds")


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
