"""Judge found boxes against annotated ones: right are those that overlap one of their label by half; pure numpy."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from include.local_aws.boxes import Box, overlaps, rows
from include.local_aws.training.metrics import UNTESTED_THRESHOLD, Judgement, LabelMetrics, assumed_threshold, average
from include.local_aws.training.results import Detection, Tested

LEAST_OVERLAP = 0.5
"""Intersection over union from which on a found box is on an annotated one."""


@dataclass(frozen=True)
class BoxJudgement(Judgement):
    """The metrics by box, and their averages over all thresholds.

    `hits` says for each test image and each box found in it which annotated box it is on, None for none.
    """

    average_precision: float
    average_recall: float
    hits: tuple[tuple[int | None, ...], ...]


def judge_boxes(labels: tuple[str, ...], tested: Sequence[Tested], truths: Sequence[Sequence[Box]]) -> BoxJudgement:
    """Judge what was found in the test images against the boxes on them, which are in pixels."""
    hits = tuple(find_hits(image, truth) for image, truth in zip(tested, truths, strict=True))
    results = [_judge_label(label, tested, truths, hits) for label in labels]
    judgement = average(tuple(metrics for metrics, _, _ in results))
    judged = [result for result in results if result[0].test_images]
    return BoxJudgement(
        judgement.labels,
        judgement.precision,
        judgement.recall,
        judgement.f1,
        average_precision=_mean(precision for _, precision, _ in judged),
        average_recall=_mean(recall for _, _, recall in judged),
        hits=hits,
    )


def find_hits(image: Tested, truth: Sequence[Box]) -> tuple[int | None, ...]:
    """Return the annotated box of its label that each found box is on; the surest one comes first, others go on."""
    found = np.array([pixels_of(detection, image.size) for detection in image.found]).reshape(-1, 4)
    shared = overlaps(found, rows(truth))
    taken: set[int] = set()
    hits: list[int | None] = []
    for detection, row in zip(image.found, shared, strict=True):
        free = [n for n, box in enumerate(truth) if box.label == detection.name and n not in taken]
        best = max(free, key=lambda number, row=row: float(row[number]), default=None)  # type: ignore[misc]
        if best is not None and row[best] >= LEAST_OVERLAP:
            taken.add(best)
            hits.append(best)
        else:
            hits.append(None)
    return tuple(hits)


def pixels_of(detection: Detection, size: tuple[int, int]) -> tuple[float, float, float, float]:
    """Return left, top, width and height in pixels of what was found in an image of a size."""
    left, top, width, height = detection.box or (0.0, 0.0, 1.0, 1.0)
    return left * size[0], top * size[1], width * size[0], height * size[1]


def _judge_label(
    label: str,
    tested: Sequence[Tested],
    truths: Sequence[Sequence[Box]],
    hits: Sequence[Sequence[int | None]],
) -> tuple[LabelMetrics, float, float]:
    """Return a label's metrics, its average precision, and the share of its boxes that are found at all."""
    counts = [sum(box.label == label for box in truth) for truth in truths]
    positives, images = sum(counts), sum(map(bool, counts))
    found = [
        (detection.confidence, hit is not None)
        for image, image_hits in zip(tested, hits, strict=True)
        for detection, hit in zip(image.found, image_hits, strict=True)
        if detection.name == label
    ]
    if not positives or not found:
        return LabelMetrics(label, UNTESTED_THRESHOLD, 0.0, 0.0, 0.0, images), 0.0, 0.0
    scores = np.array([confidence for confidence, _ in found])
    right = np.array([is_hit for _, is_hit in found])
    threshold = assumed_threshold(scores, right, positives)
    detected = scores >= threshold
    hit_count = int((detected & right).sum())
    metrics = LabelMetrics(
        label,
        threshold,
        precision=hit_count / max(1, int(detected.sum())),
        recall=hit_count / positives,
        f1=2 * hit_count / (int(detected.sum()) + positives),
        test_images=images,
    )
    return metrics, _average_precision(scores, right, positives), int(right.sum()) / positives


def _average_precision(scores: NDArray[np.float64], right: NDArray[np.bool_], positives: int) -> float:
    """Return the area below the curve of precision by recall, each precision the best at that recall or above."""
    in_order = right[np.argsort(-scores, kind="stable")]
    precision = in_order.cumsum() / np.arange(1, len(in_order) + 1)
    best = np.maximum.accumulate(precision[::-1])[::-1]
    return float(best[in_order].sum() / positives)


def _mean(values: Iterable[float]) -> float:
    listed = list(values)
    return float(np.mean(listed)) if listed else 0.0
