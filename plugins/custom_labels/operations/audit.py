"""Human sampling: which detections people check, and how often the model turns out to be right."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from pydantic import computed_field

from custom_labels.aws.predictions import DetectedLabel
from custom_labels.core.live_version import LiveVersion
from custom_labels.datasets.annotations.annotation import Box, ImageSize
from custom_labels.datasets.annotations.pixels import in_pixels
from custom_labels.deployment.service import Notice
from custom_labels.evaluation.box_matching import match

T = TypeVar("T")

Z_95 = 1.959964
"""Standard normal quantile of a 95 % confidence interval."""


@dataclass(frozen=True)
class AuditSample:
    """A detection that people check.

    :param review: name of the review that asks them.
    :param label: what the version predicted, ``None`` for no label; ``confidence`` in percent.
    :param is_doubtful: whether that was below its minimum confidence.
    :param found: all labels or boxes that it predicted, noise left out, where an image may have several; else ``None``.
    """

    review: str
    image: str
    version_name: str
    label: str | None
    confidence: float | None
    is_doubtful: bool
    found: tuple[DetectedLabel, ...] | None = None


@dataclass(frozen=True)
class AuditAnswer:
    """What people agree on about a sample.

    :param label: ``None`` for none of the above; ``labels`` or ``boxes`` where an image may have several.
    :param size: of the picture that boxes were drawn on, in pixels.
    """

    label: str | None = None
    labels: tuple[str, ...] = ()
    boxes: tuple[Box, ...] = ()
    size: ImageSize | None = None


def judge_sample(sample: AuditSample, answer: AuditAnswer | None) -> dict[str | None, bool]:
    """Say of each label that was predicted whether people saw the same, and of ``None`` where nothing was predicted.

    Boxes are right where each is on one that people drew, and none of theirs is left, label by label.

    :param answer: ``None`` while there is none, to which nothing is right.
    """
    if sample.found is None:
        return {sample.label: answer is not None and answer.label == sample.label}
    predicted: list[str | None] = [*dict.fromkeys(each.name for each in sample.found)] or [None]
    if answer is None:
        return dict.fromkeys(predicted, False)
    if all(each.box is None for each in sample.found) and not answer.boxes:
        return {label: label in answer.labels if label else not answer.labels for label in predicted}
    return {label: _are_same(sample.found, answer, label) if label else not answer.boxes for label in predicted}


def is_all_right(sample: AuditSample, answer: AuditAnswer | None) -> bool:
    """Say whether people saw on an image what was predicted, and nothing else."""
    if sample.found is None or answer is None:
        return all(judge_sample(sample, answer).values())
    predicted = {each.name for each in sample.found}
    return predicted == {*answer.labels, *(box.label for box in answer.boxes)} and (
        not predicted or all(judge_sample(sample, answer).values())
    )


def _are_same(found: Iterable[DetectedLabel], answer: AuditAnswer, label: str) -> bool:
    # As ratios, which have the same overlaps, since only people's boxes are sure to come with the picture's size.
    size = answer.size or ImageSize(1, 1)
    actual = [
        Box(label, box.left / size.width, box.top / size.height, box.width / size.width, box.height / size.height)
        for box in answer.boxes
        if box.label == label
    ]
    predicted = [in_pixels(each, ImageSize(1, 1)) for each in found if each.name == label]
    matched = match(actual, [box for box in predicted if box])
    return not matched.missed and not matched.false_alarms


def every_nth(items: Iterable[T], interval: int, *, seen: int) -> Iterator[tuple[T, bool, int]]:
    """Mark every n-th item.

    :param interval: n, from 1.
    :param seen: items since the last marked one, before these.
    :return: each item, whether it is marked, and the items since the last marked one behind it.
    """
    for item in items:
        seen += 1
        marked = seen >= interval
        seen = 0 if marked else seen
        yield item, marked, seen


@dataclass(frozen=True)
class Stratum:
    """Samples that the version was equally sure of: all those in doubt, or all others.

    People answer doubtful images less often (they disagree, or let them expire), so that the answers alone are not a
    sample of the detections; within a stratum they are.

    :param sampled: detections shown to people, of which ``answered`` have an answer that they agree on.
    """

    is_doubtful: bool
    sampled: int
    answered: int
    right: int

    @property
    def share(self) -> float:
        """The share of right answers; one half, which is as far from all as from none, without any answer."""
        return self.right / self.answered if self.answered else 0.5

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % confidence interval of the share: from 0 to 1 without any answer."""
        return wilson_interval(self.right, self.answered) if self.answered else (0.0, 1.0)


@dataclass(frozen=True)
class Accuracy:
    """How often a version was right, by the samples that people answered.

    :param label: what the version had predicted; ``None`` together with ``is_overall`` false for "no label". A sample
        of several labels counts for each of them, and once in the overall accuracy, where all of it must be right.
    :param strata: the samples, one stratum for doubtful ones and one for the others; none is empty. All else follows
        from them, and is on record as well for people to read.
    """

    version_name: str
    label: str | None
    is_overall: bool
    strata: tuple[Stratum, ...]

    @computed_field  # type: ignore[prop-decorator]
    @property
    def sampled(self) -> int:
        """Detections shown to people."""
        return sum(stratum.sampled for stratum in self.strata)

    @computed_field  # type: ignore[prop-decorator]
    @property
    def answered(self) -> int:
        """Samples with an answer that people agree on."""
        return sum(stratum.answered for stratum in self.strata)

    @computed_field  # type: ignore[prop-decorator]
    @property
    def right(self) -> int:
        """Samples that were answered as the version had predicted."""
        return sum(stratum.right for stratum in self.strata)

    @computed_field  # type: ignore[prop-decorator]
    @property
    def share(self) -> float | None:
        """The share of right detections, ``None`` without any answer.

        Each stratum counts by how many detections were sampled from it, not by how many of them were answered.
        """
        return self._weighted([stratum.share for stratum in self.strata]) if self.answered else None

    @property
    def highest_share(self) -> float | None:
        """The share if a stratum without any answer were all right, ``None`` without any answer at all."""
        return self._weighted([s.share if s.answered else 1.0 for s in self.strata]) if self.answered else None

    @computed_field  # type: ignore[prop-decorator]
    @property
    def interval(self) -> tuple[float, float] | None:
        """The 95 % confidence interval of the share, ``None`` without any answer.

        The strata's Wilson intervals are joined by the method of variance estimates recovery (Zou and Donner 2008, for
        stratified proportions Yan and Su 2010); the spread between the strata is added, since their weights are
        themselves those of a sample. One stratum alone has Wilson's interval.
        """
        share = self.share
        if share is None:
            return None
        between = Z_95 * Z_95 / self.sampled * self._weighted([(stratum.share - share) ** 2 for stratum in self.strata])
        below = between + self._squared([stratum.share - stratum.interval[0] for stratum in self.strata])
        above = between + self._squared([stratum.interval[1] - stratum.share for stratum in self.strata])
        return max(0.0, share - math.sqrt(below)), min(1.0, share + math.sqrt(above))

    def _weighted(self, values: list[float]) -> float:
        return sum(s.sampled * value for s, value in zip(self.strata, values, strict=True)) / self.sampled

    def _squared(self, values: list[float]) -> float:
        weights = [stratum.sampled / self.sampled for stratum in self.strata]
        return sum((weight * value) ** 2 for weight, value in zip(weights, values, strict=True))

    @property
    def words(self) -> str:
        """Word it for people."""
        if self.share is None or self.interval is None:
            return f"no answers yet to {self.sampled} samples"
        low, high = self.interval
        if len(self.strata) == 1:
            counts = f"{self.right} of {self.answered} samples"
        else:
            counts = " and ".join(
                f"{s.right} of {s.answered} {'doubtful' if s.is_doubtful else 'sure'} samples" for s in self.strata
            )
        unanswered = f", {self.sampled - self.answered} without an answer" if self.answered < self.sampled else ""
        return f"{self.share:.1%} (95 % interval {low:.1%} to {high:.1%}; {counts}{unanswered})"


@dataclass(frozen=True)
class VersionAccuracy:
    """A version's accuracy and that of each label it had predicted, next to the F1 of its training."""

    f1: float | None
    overall: Accuracy
    by_label: tuple[Accuracy, ...] = ()


@dataclass(frozen=True)
class AccuracyFile:
    """What is on record of all versions, as ``audit/accuracy.json`` holds it.

    :param measured_at: when it came to these numbers.
    :param notified: the version and the number of answers of the last alert: the same answers are no news.
    """

    measured_at: datetime
    versions: Mapping[str, VersionAccuracy]
    notified: Notice | None = None


# -- what the steps of the DAG hand on ---------------------------------------------------------------


@dataclass(frozen=True)
class Measured:
    """How often the live version was right.

    :param live: the version that serves.
    :param words: its accuracy.
    :param alarm: why an alert is due; ``None`` where none is, or people know it already.
    :param notice: what they know after an alert.
    """

    live: LiveVersion | None
    words: str
    alarm: str | None = None
    notice: Notice | None = None


@dataclass(frozen=True)
class Sampled:
    """How many of the new detections are sampled; ``seen`` are those since the last sample.

    :param suspects: training images with a doubtful label that people are asked about besides.
    """

    sampled: int
    detections: int
    seen: int
    suspects: int = 0

    @property
    def words(self) -> str:
        """What people are asked about, in words; empty if nothing is."""
        parts = []
        if self.sampled:
            parts.append(f"{self.sampled} of {self.detections} new detections go to people")
        if self.suspects:
            parts.append(f"people are asked about {self.suspects} training images whose label is doubtful")
        return ", and ".join(parts)


def wilson_interval(right: int, answered: int, z: float = Z_95) -> tuple[float, float]:
    """Give the Wilson score interval of a share; unlike the normal one it holds for few answers and for 0 and 100 %.

    :param answered: at least 1.
    """
    share = right / answered
    spread = z * z / answered
    centre = (share + spread / 2) / (1 + spread)
    half = z * math.sqrt(share * (1 - share) / answered + spread / (4 * answered)) / (1 + spread)
    return max(0.0, centre - half), min(1.0, centre + half)


def accuracy_alarm(live: Accuracy | None, *, minimum: float, minimum_answers: int) -> str | None:
    """Say why an alert is due on a version's live accuracy, ``None`` when there is no reason.

    :param minimum: share below which an alert is due, also if all were right of which nothing is known yet.
    :param minimum_answers: answers without which there is no alert.
    """
    if live is None or live.highest_share is None or live.answered < minimum_answers or live.highest_share >= minimum:
        return None
    return f"{live.version_name} was right in {live.words}, below the minimum of {minimum:.1%}"
