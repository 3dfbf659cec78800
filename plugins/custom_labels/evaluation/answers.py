"""What a version predicted about images whose labels are known, and the numbers that follow from it.

Answers are counted as they come, since docs/promises.md promises that memory does not grow with the number of images.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol, Self

from custom_labels.aws.predictions import DetectedLabel
from custom_labels.core.gate import Metric, Metrics, Scores
from custom_labels.evaluation.verdicts import Flip

CURVE_STEPS = 100
"""A curve has a point at most for each of so many confidences, from 0 to 1."""


@dataclass(frozen=True)
class JudgedPrediction:
    """Something that a version predicted of an image: a label, or an object.

    :param confidence: from 0 to 1.
    """

    label: str
    confidence: float
    right: bool


class Answer(Protocol):
    """One known image and what a version predicted of it. Each kind of data has an implementation of its own."""

    @property
    def image(self) -> str:
        """The image's ``s3://`` URI."""

    @property
    def actual_labels(self) -> Sequence[str]:
        """The labels of all that the image shows, sorted: of several objects one each."""

    @property
    def predicted_labels(self) -> Sequence[str]:
        """The labels of all that was predicted above the assumed thresholds, sorted: of several objects one each."""

    @property
    def predictions(self) -> Iterable[JudgedPrediction]:
        """All that was predicted, in any order."""

    @property
    def taken_for(self) -> Iterable[tuple[str | None, str | None]]:
        """Pairs of an actual and a predicted label, as a :class:`Cell` counts them."""

    @property
    def right(self) -> bool:
        """Whether all was predicted that the image shows, and nothing else."""

    def predicted_as(self, labels: Iterable[DetectedLabel]) -> Self:
        """Give the answer of another version to the same image.

        :param labels: what DetectCustomLabels returned.
        """

    def flip_to(self, challenger: Self) -> Flip | None:
        """Say how the challenger's answer to the same image differs from this one, the champion's, if it does."""


def stratum(answer: Answer) -> str:
    """Give the label that a sample counts an image under."""
    return next(iter(answer.actual_labels), "")


@dataclass(frozen=True)
class ChampionAnswer:
    """What the champion predicted of an image that the challenger was tested on, as it is written down.

    :param key: relative to the project's prefix; ``etag`` is the image's, without quotes.
    :param labels: what it saw above the labels' assumed thresholds.
    :param why_not: why there is no answer; empty where there is one.
    """

    key: str
    etag: str
    labels: tuple[DetectedLabel, ...] = ()
    why_not: str = ""


@dataclass(frozen=True)
class Cell:
    """How often a label was predicted where another, or the same, is shown; objects are counted where boxes are.

    :param actual: ``None`` for images that show no label, and for objects that are not there.
    :param predicted: ``None`` where neither the label itself nor a wrong one was predicted.
    """

    actual: str | None
    predicted: str | None
    count: int


@dataclass(frozen=True)
class Counts:
    """How often a label was predicted rightly (a hit), wrongly (a false alarm), and not at all (a miss)."""

    hits: int
    false_alarms: int
    misses: int

    @property
    def metrics(self) -> Metrics:
        """Precision, recall and F1 as Custom Labels reckons them; 0 where there is nothing to divide by."""
        hits, wrong = self.hits, self.false_alarms + self.misses
        return Metrics(
            f1=2 * hits / max(1, 2 * hits + wrong),
            precision=hits / max(1, hits + self.false_alarms),
            recall=hits / max(1, hits + self.misses),
        )


@dataclass(frozen=True)
class PrecisionRecall:
    """A label's precision and recall if only predictions of some confidence counted.

    :param confidence: from 0 to 1, the least that counts.
    """

    confidence: float
    precision: float
    recall: float


class Tally:
    """Counts answers one by one: memory does not grow with the number of images."""

    def __init__(self, answers: Iterable[Answer]) -> None:
        self.images = 0
        self._shown: Counter[str] = Counter()
        self._predicted: Counter[tuple[str, bool]] = Counter()
        self._sure: Counter[tuple[str, int, bool]] = Counter()
        self._cells: Counter[tuple[str | None, str | None]] = Counter()
        for answer in answers:
            self._add(answer)

    def _add(self, answer: Answer) -> None:
        self.images += 1
        self._shown.update(answer.actual_labels)
        for each in answer.predictions:
            self._predicted[each.label, each.right] += 1
            # What is written as 0.29 is a little less in binary.
            self._sure[each.label, int(each.confidence * CURVE_STEPS + 1e-9), each.right] += 1
        self._cells.update(answer.taken_for)

    def counts(self, label: str) -> Counts:
        """Give a label's hits, false alarms and misses."""
        hits = self._predicted[label, True]
        return Counts(hits, self._predicted[label, False], self._shown[label] - hits)

    def scores(self, known: Collection[str] | None = None) -> Scores:
        """Give precision, recall and F1 by label, and their means over the labels that some image shows.

        The mean of the labels' metrics is how Custom Labels aggregates them (developer guide, "Metrics for evaluating
        your model"); a label that no image shows counts in no mean.

        :param known: the labels that the version was trained on. One that it never knew counts in the means, where it
            is 0, but has no metrics of its own: there is nothing to compare.
        """
        found = {label: self.counts(label).metrics for label in sorted(self._shown)}
        means = {each.value: sum(one.value(each) for one in found.values()) / max(1, len(found)) for each in Metric}
        labels = {label: one for label, one in found.items() if known is None or label in known}
        return Scores(Metrics(**means), labels)

    def curves(self) -> dict[str, tuple[PrecisionRecall, ...]]:
        """Give the points of each label that some image shows, from the surest predictions on.

        A version gives what reaches the label's assumed threshold, so that a curve ends there.
        """
        return {label: self._curve(label) for label in sorted(self._shown)}

    def _curve(self, label: str) -> tuple[PrecisionRecall, ...]:
        points: list[PrecisionRecall] = []
        hits = false_alarms = 0
        for step in range(CURVE_STEPS, -1, -1):
            found, wrong = self._sure[label, step, True], self._sure[label, step, False]
            hits, false_alarms = hits + found, false_alarms + wrong
            if found or wrong:
                metrics = Counts(hits, false_alarms, self._shown[label] - hits).metrics
                points.append(PrecisionRecall(step / CURVE_STEPS, metrics.precision, metrics.recall))
        return tuple(points)

    def confusion(self) -> tuple[Cell, ...]:
        """Give the cells of the confusion matrix that are not empty, in the order of the labels, nothing last."""
        ranked = sorted(self._cells, key=lambda cell: [(label is None, label or "") for label in cell])
        return tuple(Cell(*cell, self._cells[cell]) for cell in ranked)
