"""Doubt: why a detection goes to people. Each rule is a function that gives its reason in words, or ``None``.

What the rules share is the order of labels, the surest first, and that noise has been left out before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Self

from custom_labels.aws.predictions import DetectedLabel
from custom_labels.core.project_task import ProjectTask
from custom_labels.core.uncertainty import Uncertainty
from custom_labels.datasets.annotations.annotation import ImageSize
from custom_labels.datasets.annotations.pixels import in_pixels
from custom_labels.detection.settings import DetectionSettings
from custom_labels.evaluation.box_matching import LEAST_OVERLAP, overlap

_WHOLE = ImageSize(1, 1)


def least_confident(labels: Iterable[DetectedLabel], minimum_of: Callable[[str], float]) -> str | None:
    """Doubt a label, or a box, that is below its own minimum; of several the one that is farthest below.

    :param minimum_of: gives the confidence in percent that a label must reach.
    """
    below = [each for each in labels if each.confidence < minimum_of(each.name)]
    worst = min(below, key=lambda each: (each.confidence - minimum_of(each.name), each.name), default=None)
    if worst is None:
        return None
    more = f", and so are {len(below) - 1} more" if len(below) > 2 else ", and so is another" if len(below) > 1 else ""
    return f"{in_words(worst)} is below its minimum of {minimum_of(worst.name):g} %{more}"


def small_margin(labels: Sequence[DetectedLabel], least: float) -> str | None:
    """Doubt the surest label where the next one is about as sure, and only one of them can be right.

    :param least: percent that must be between them.
    """
    if len(labels) < 2 or labels[0].confidence - labels[1].confidence >= least:
        return None
    return f"{in_words(labels[0])} is less than {least:g} % ahead of {in_words(labels[1])}"


def small_margin_of_boxes(labels: Iterable[DetectedLabel], least: float) -> str | None:
    """Doubt boxes of two labels at one place that are about equally sure; boxes at two places exclude nothing."""
    for one, other in combinations(labels, 2):
        if one.name == other.name or one.confidence - other.confidence >= least:
            continue
        places = in_pixels(one, _WHOLE), in_pixels(other, _WHOLE)
        if places[0] and places[1] and overlap(places[0], places[1]) >= LEAST_OVERLAP:
            return f"{in_words(one)} is less than {least:g} % ahead of {in_words(other)}, which is at the same place"
    return None


def odd_count(labels: Sequence[DetectedLabel], fewest: int, most: int) -> str | None:
    """Doubt an image on which unusually few or many objects were found.

    :param fewest: usual number at least, and ``most`` at most.
    """
    count = len(labels)
    if fewest <= count <= most:
        return None
    bound = f"fewer than the {fewest}" if count < fewest else f"more than the {most}"
    return f"{count} {'was' if count == 1 else 'were'} found, {bound} that are usual"


def missing_label(labels: Iterable[DetectedLabel], expected: Iterable[str]) -> str | None:
    """Doubt an image that lacks a label which is usually there."""
    found = {each.name for each in labels}
    missing = [label for label in expected if label not in found]
    return f"{' and '.join(map(repr, missing))} {'is' if len(missing) == 1 else 'are'} missing" if missing else None


def in_words(label: DetectedLabel) -> str:
    """Name a label with its confidence."""
    return f"'{label.name}' at {label.confidence:.1f} %"


@dataclass(frozen=True)
class DoubtRules:
    """A project's settings, as far as they decide which detections are doubted.

    :param minimum: confidence in percent that a label must reach; ``by_label`` for single labels.
    :param strategies: the rules that are in force, beside those on nothing and on expected labels.
    :param noise: confidence in percent below which a box, or one of several labels, does not count.
    :param margin: percent between two labels that exclude each other.
    :param fewest: boxes, or labels, that are usual at least, and ``most`` at most. With 0 nothing may be there.
    :param expected: labels that are usually there, of several.
    """

    task: ProjectTask = ProjectTask.IMAGE_CLASSIFICATION
    minimum: float = 70
    by_label: Mapping[str, float] = field(default_factory=dict)
    strategies: tuple[Uncertainty, ...] = (Uncertainty.LEAST_CONFIDENT,)
    noise: float = 30
    margin: float = 10
    fewest: int = 1
    most: int = 50
    expected: tuple[str, ...] = ()

    @classmethod
    def of(cls, task: ProjectTask, settings: DetectionSettings) -> Self:
        """Take them from a project's settings."""
        return cls(
            task,
            settings.minimum_label_detection_confidence,
            settings.label_detection_confidence,
            settings.uncertainty,
            settings.noise_confidence if task.has_several else 0,
            settings.minimum_label_margin,
            settings.fewest_boxes,
            settings.most_boxes,
            settings.expected_labels,
        )

    def minimum_of(self, label: str) -> float:
        """Give the confidence in percent that a label must reach."""
        return self.by_label.get(label, self.minimum)

    def counted(self, labels: Iterable[DetectedLabel]) -> tuple[DetectedLabel, ...]:
        """Give the labels that count: all but noise, or the surest one where an image has one label."""
        if self.task.has_several:
            return above_noise(labels, self.noise)
        return tuple(labels)[:1]

    def doubts(self, labels: Sequence[DetectedLabel]) -> list[str]:
        """Give every reason to doubt a detection that has found something."""
        counted = self.counted(labels)
        found: dict[Uncertainty, str | None] = {Uncertainty.LEAST_CONFIDENT: least_confident(counted, self.minimum_of)}
        if self.task is ProjectTask.IMAGE_CLASSIFICATION:
            found[Uncertainty.MARGIN] = small_margin(labels, self.margin)
        else:
            found[Uncertainty.BOX_COUNT] = odd_count(counted, self.fewest, self.most)
        if self.task is ProjectTask.OBJECT_DETECTION:
            found[Uncertainty.MARGIN] = small_margin_of_boxes(counted, self.margin)
        reasons = [found.get(each) for each in dict.fromkeys(self.strategies)]
        if self.task.has_several:
            reasons.append(missing_label(counted, self.expected))
        return [reason for reason in reasons if reason]


def above_noise(labels: Iterable[DetectedLabel], noise: float) -> tuple[DetectedLabel, ...]:
    """Leave out what is below the confidence of noise, in percent."""
    return tuple(label for label in labels if label.confidence >= noise)
