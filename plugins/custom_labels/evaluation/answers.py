"""What a version predicted about images whose labels are known, and the numbers that follow from it.

Answers are counted as they come, since README promises that memory does not grow with the number of images.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from custom_labels.core.gate import Metric, Metrics, Scores

# Developer guide, "Accessing evaluation metrics: evaluation manifest snapshot".
_ACTUAL = "rekognition-custom-labels-training-"
_EVALUATION = "rekognition-custom-labels-evaluation-"
_METADATA = "-metadata"
_DETAILS = "rekognition-custom-labels-evaluation-details"


@dataclass(frozen=True, order=True)
class Answer:
    """One known image and what a version predicted of it.

    :param image: its ``s3://`` URI.
    :param actual: the labels that it shows, sorted.
    :param predicted: the labels that the version saw above their assumed thresholds, sorted.
    """

    image: str
    actual: tuple[str, ...]
    predicted: tuple[str, ...]

    @property
    def right(self) -> bool:
        """Whether all was predicted that the image shows, and nothing else."""
        return self.actual == self.predicted

    @property
    def stratum(self) -> str:
        """The label that a sample counts the image under."""
        return self.actual[0] if self.actual else ""


@dataclass(frozen=True)
class ChampionAnswer:
    """What the champion predicted of an image that the challenger was tested on, as it is written down.

    :param key: relative to the project's prefix; ``etag`` is the image's, without quotes.
    :param predicted: the labels that it saw above their assumed thresholds.
    :param why_not: why there is no answer; empty where there is one.
    """

    key: str
    etag: str
    predicted: tuple[str, ...] = ()
    why_not: str = ""


@dataclass(frozen=True)
class Cell:
    """How many images of a label were predicted to show a label.

    :param actual: ``None`` for images that show no label.
    :param predicted: ``None`` where neither the label itself nor a wrong one was predicted.
    """

    actual: str | None
    predicted: str | None
    images: int


def read_evaluation_line(line: str | bytes) -> Answer:
    """Read one line of the evaluation snapshot: a test image, its labels and what the trained version says of it.

    :param line: JSON with ``source-ref`` and the attributes ``rekognition-custom-labels-evaluation-N[-metadata]``.
    :raises ValueError: it is none, or not one of image-level labels.
    """
    entry = json.loads(line)
    if not isinstance(entry, dict) or "source-ref" not in entry:
        raise ValueError("a line has no 'source-ref'")
    actual, predicted = set(), set()
    for name, metadata in entry.items():
        if not name.endswith(_METADATA) or not name.startswith((_ACTUAL, _EVALUATION)):
            continue
        label, details = _label(metadata)
        if name.startswith(_ACTUAL) or details.get("is-present-in-ground-truth"):
            actual.add(label)
        if details.get("is-true-positive") or details.get("is-false-positive"):
            predicted.add(label)
    return Answer(str(entry["source-ref"]), tuple(sorted(actual)), tuple(sorted(predicted)))


def _label(metadata: Any) -> tuple[str, Mapping[str, Any]]:
    if not isinstance(metadata, dict) or "class-name" not in metadata:
        raise ValueError("a line has no image-level labels: its metadata has no 'class-name'")
    return str(metadata["class-name"]), metadata.get(_DETAILS, {})


class Tally:
    """Counts answers one by one: memory does not grow with the number of images."""

    def __init__(self, answers: Iterable[Answer]) -> None:
        self.images = 0
        self._shown: Counter[str] = Counter()
        self._predicted: Counter[str] = Counter()
        self._right: Counter[str] = Counter()
        self._cells: Counter[tuple[str | None, str | None]] = Counter()
        for answer in answers:
            self._add(answer)

    def _add(self, answer: Answer) -> None:
        self.images += 1
        self._shown.update(answer.actual)
        self._predicted.update(answer.predicted)
        self._right.update(set(answer.actual) & set(answer.predicted))
        wrong = [label for label in answer.predicted if label not in answer.actual]
        for label in answer.actual or (None,):
            predicted: list[str | None] = [*([label] if label in answer.predicted else []), *wrong]
            self._cells.update((label, each) for each in predicted or [None])

    def scores(self, known: Collection[str] | None = None) -> Scores:
        """Give precision, recall and F1 by label, and their means over the labels that some image shows.

        The mean of the labels' metrics is how Custom Labels aggregates them (developer guide, "Metrics for evaluating
        your model"); a label that no image shows counts in no mean.

        :param known: the labels that the version was trained on. One that it never knew counts in the means, where it
            is 0, but has no metrics of its own: there is nothing to compare.
        """
        found = {label: self._metrics(label) for label in sorted(self._shown)}
        means = {each.value: sum(one.value(each) for one in found.values()) / max(1, len(found)) for each in Metric}
        labels = {label: one for label, one in found.items() if known is None or label in known}
        return Scores(Metrics(**means), labels)

    def _metrics(self, label: str) -> Metrics:
        right, predicted, shown = self._right[label], self._predicted[label], self._shown[label]
        return Metrics(
            f1=2 * right / max(1, predicted + shown), precision=right / max(1, predicted), recall=right / shown
        )

    def confusion(self) -> tuple[Cell, ...]:
        """Give the cells of the confusion matrix that are not empty, in the order of the labels, nothing last."""
        ranked = sorted(self._cells, key=lambda cell: [(label is None, label or "") for label in cell])
        return tuple(Cell(*cell, self._cells[cell]) for cell in ranked)
