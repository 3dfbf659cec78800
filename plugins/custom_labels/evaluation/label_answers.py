"""Answers where images have labels, one or several: each label is judged for itself."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from custom_labels.aws.predictions import DetectedLabel
from custom_labels.evaluation.answers import JudgedPrediction
from custom_labels.evaluation.evaluation_lines import (
    EVALUATION,
    METADATA,
    TRAINING,
    is_predicted,
    read_confidence,
    read_details,
    read_entry,
    read_text,
)
from custom_labels.evaluation.verdicts import Flip, verdict_change


@dataclass(frozen=True)
class LabelAnswer:
    """One known image and what a version predicted of it.

    :param image: its ``s3://`` URI.
    :param actual: the labels that it shows, sorted.
    :param predicted: the labels that the version saw above their assumed thresholds, sorted.
    :param confidences: of these, from 0 to 1; without them each counts as 1.
    """

    image: str
    actual: tuple[str, ...]
    predicted: tuple[str, ...]
    confidences: tuple[float, ...] = field(default=(), compare=False)

    @property
    def actual_labels(self) -> tuple[str, ...]:
        """The labels that the image shows."""
        return self.actual

    @property
    def predicted_labels(self) -> tuple[str, ...]:
        """The labels that were predicted."""
        return self.predicted

    @property
    def predictions(self) -> Iterator[JudgedPrediction]:
        """The labels that were predicted, judged."""
        confidences = self.confidences or (1.0,) * len(self.predicted)
        for label, confidence in zip(self.predicted, confidences, strict=True):
            yield JudgedPrediction(label, confidence, label in self.actual)

    @property
    def taken_for(self) -> Iterator[tuple[str | None, str | None]]:
        """Each label that is shown with itself and all that is wrong, or with nothing."""
        wrong = [label for label in self.predicted if label not in self.actual]
        for label in self.actual or (None,):
            predicted: list[str | None] = [*([label] if label in self.predicted else []), *wrong]
            yield from ((label, each) for each in predicted or [None])

    @property
    def right(self) -> bool:
        """Whether all was predicted that the image shows, and nothing else."""
        return self.actual == self.predicted

    def predicted_as(self, labels: Iterable[DetectedLabel]) -> Self:
        """Give the answer of another version to the same image."""
        return type(self)(self.image, self.actual, *_in_order({each.name: each.confidence / 100 for each in labels}))

    def flip_to(self, challenger: Self) -> Flip | None:
        """Say how the challenger's answer differs, if it does."""
        change = verdict_change(champion=self.right, challenger=challenger.right)
        if change is None or self.predicted == challenger.predicted:
            return None
        return Flip(self.image, change, self.actual, self.predicted, challenger.predicted)


def _in_order(confidences: Mapping[str, float]) -> tuple[tuple[str, ...], tuple[float, ...]]:
    labels = tuple(sorted(confidences))
    return labels, tuple(confidences[label] for label in labels)


def read_label_line(line: bytes) -> LabelAnswer:
    """Read a line with ``rekognition-custom-labels-evaluation-N[-metadata]``, one for each label that was weighed.

    :raises ValueError: it is none, or not one of image-level labels.
    """
    image, entry = read_entry(line)
    actual: set[str] = set()
    predicted: dict[str, float] = {}
    for name, metadata in entry.items():
        if not name.endswith(METADATA) or not name.startswith((TRAINING, EVALUATION)):
            continue
        label, details = _label(name, metadata)
        if name.startswith(TRAINING) or details.get("is-present-in-ground-truth"):
            actual.add(label)
        if is_predicted(details):
            predicted[label] = read_confidence(name, metadata)
    return LabelAnswer(image, tuple(sorted(actual)), *_in_order(predicted))


def _label(name: str, metadata: Any) -> tuple[str, Mapping[str, bool]]:
    if not isinstance(metadata, dict) or "class-name" not in metadata:
        raise ValueError(f"it has no image-level labels: {name!r} has no 'class-name'")
    return read_text(name, "class-name", metadata["class-name"]), read_details(name, metadata)
