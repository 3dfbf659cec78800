"""Judge scores against the truth: assumed thresholds, precision, recall, F1; pure numpy."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Scores = NDArray[np.float64]
Truth = NDArray[np.bool_]

UNTESTED_THRESHOLD = 0.5


@dataclass(frozen=True)
class LabelMetrics:
    """How well one label is told from the others on the test images."""

    label: str
    threshold: float
    precision: float
    recall: float
    f1: float
    test_images: int


@dataclass(frozen=True)
class Judgement:
    """The metrics of every label, and their averages over the labels that have test images."""

    labels: tuple[LabelMetrics, ...]
    precision: float
    recall: float
    f1: float


def judge(labels: tuple[str, ...], scores: Scores, truth: Truth) -> Judgement:
    """Judge `scores` against `truth`, both (images, labels).

    A label without test images cannot be judged: it has zero metrics and is left out of the averages.
    """
    return average(
        tuple(_judge_label(label, scores[:, column], truth[:, column]) for column, label in enumerate(labels))
    )


def average(metrics: tuple[LabelMetrics, ...]) -> Judgement:
    """Judge a model by the metrics of its labels."""
    tested = [item for item in metrics if item.test_images]
    if not tested:
        return Judgement(metrics, 0.0, 0.0, 0.0)
    return Judgement(
        metrics,
        precision=float(np.mean([item.precision for item in tested])),
        recall=float(np.mean([item.recall for item in tested])),
        f1=float(np.mean([item.f1 for item in tested])),
    )


def assumed_threshold(scores: NDArray[np.float64], right: NDArray[np.bool_], positives: int) -> float:
    """Return the threshold with the best F1, as Custom Labels assumes it.

    `right` (n,) says which predictions are; `positives` is how many there are to be found, predicted or not.
    Every threshold between two neighbouring scores judges the test images alike; the middle is taken, since
    new images score a little lower than the lowest accepted one too.
    """
    candidates, first = np.unique(np.sort(scores), return_index=True)
    detected = len(scores) - first
    hits = right[np.argsort(scores, kind="stable")][::-1].cumsum()[detected - 1]
    f1 = 2 * hits / np.maximum(1, detected + positives)
    equally_good = np.flatnonzero(f1 >= f1.max() - 1e-12)
    best = equally_good[len(equally_good) // 2]
    below = candidates[best - 1] if best else 0.0
    return float((candidates[best] + below) / 2)


def confusion(labels: tuple[str, ...], scores: Scores, truth: Truth, thresholds: list[float]) -> Scores:
    """Return (labels, labels): the share of a true label's images for which each label is detected."""
    detected = scores >= np.array(thresholds)
    matrix = np.zeros((len(labels), len(labels)))
    for row in range(len(labels)):
        images = truth[:, row]
        if images.any():
            matrix[row] = detected[images].mean(axis=0)
    return matrix


def _judge_label(label: str, scores: NDArray[np.float64], truth: NDArray[np.bool_]) -> LabelMetrics:
    if not truth.any():
        return LabelMetrics(label, UNTESTED_THRESHOLD, 0.0, 0.0, 0.0, 0)
    threshold = assumed_threshold(scores, truth, int(truth.sum()))
    detected = scores >= threshold
    right = int((detected & truth).sum())
    precision = right / max(1, int(detected.sum()))
    recall = right / int(truth.sum())
    f1 = 2 * right / max(1, int(detected.sum()) + int(truth.sum()))
    return LabelMetrics(label, threshold, precision, recall, f1, int(truth.sum()))
