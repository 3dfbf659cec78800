"""What a training would do and cost, and why: computed before anything is paid, as a value that people read."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from custom_labels.core.codec import to_json
from custom_labels.core.gate import EACH_LABEL, NAMES, Gate, Metric
from custom_labels.core.label_settings import in_words, unknown_labels
from custom_labels.datasets.label_names import warn_of_names
from custom_labels.datasets.snapshot import LabelChange

RECOMMENDED_IMAGES = 10
"""Images that AWS recommends a label at least (Custom Labels developer guide, "Preparing images")."""
FEW_TEST_IMAGES = 10
"""Below it one wrong answer moves a label's recall by more than 0.1, more than most gates leave room for."""
MODERATE_RATIO = 4
EXTREME_RATIO = 99
"""Largest to smallest label: 80:20 and 99:1, where two classes count as moderately and extremely imbalanced
(developers.google.com, machine learning, "Imbalanced data")."""
GUIDE_HOURS = (0.5, 24.0)
"""How long a training typically takes (developer guide, "Training an Amazon Rekognition Custom Labels model")."""
NEAREST = 3
"""Past trainings that an estimate is made from: those nearest in their number of images."""


@dataclass(frozen=True)
class PlanLabel:
    """One label in a plan; all numbers are images.

    :param images: usable ones, ``train`` of them to train on and ``test`` to judge by.
    :param left_out: named as images, and not usable.
    """

    label: str
    images: int
    train: int
    test: int
    left_out: int
    change: LabelChange


@dataclass(frozen=True)
class PastTraining:
    """A training that AWS billed.

    :param images: images trained on.
    :param hours: billed, from ``BillableTrainingTimeInSeconds``.
    """

    images: int
    hours: float


@dataclass(frozen=True)
class Estimate:
    """How long a training may take, and what it costs.

    :param hours: the most likely; ``low_hours`` to ``high_hours`` is the range.
    :param usd_an_hour: price of a training hour in US dollars.
    :param basis: what the numbers are made of.
    """

    low_hours: float
    hours: float
    high_hours: float
    usd_an_hour: float
    basis: str

    @property
    def sentence(self) -> str:
        """The estimate in words."""
        low, usual, high = (hours * self.usd_an_hour for hours in (self.low_hours, self.hours, self.high_hours))
        return (
            f"about {_number(self.hours)} h ({_number(self.low_hours)} to {_number(self.high_hours)} h), "
            f"{usual:.2f} USD ({low:.2f} to {high:.2f} USD) at {self.usd_an_hour:.2f} USD an hour; {self.basis}"
        )


def estimate(images: int, past: Iterable[PastTraining], usd_an_hour: float, assumed_hours: float) -> Estimate:
    """Estimate a training from the past ones that are nearest in their number of images.

    How a training's time grows with the images AWS does not say. So each past one counts twice: as long as it took, and
    in proportion to the images. What lies between is the range.

    :param images: images to train on.
    :param assumed_hours: for a project that never trained.
    """
    known = [each for each in past if each.images > 0 and each.hours > 0]
    if not known or images <= 0:
        low, high = GUIDE_HOURS
        basis = "an assumption: this project has no past training, and the guide says 30 minutes to 24 hours"
        return Estimate(min(low, assumed_hours), assumed_hours, max(high, assumed_hours), usd_an_hour, basis)
    known.sort(key=lambda each: (abs(math.log(each.images / images)), each.hours))
    pairs = [(each.hours, each.hours * images / each.images) for each in known[:NEAREST]]
    every = [hours for pair in pairs for hours in pair]
    number = len(pairs)
    basis = f"from {number} past training{'s' if number > 1 else ''}, as long as then to in proportion to the images"
    return Estimate(min(every), median(sum(pair) / 2 for pair in pairs), max(every), usd_an_hour, basis)


@dataclass(frozen=True)
class TrainingPlan:
    """What a training of a snapshot would do.

    :param action: ``train``, ``resume`` or ``nothing``; ``impossible`` where Custom Labels would refuse the images.
    :param reason: why, as part of a sentence.
    :param digest: of the snapshot; empty where no snapshot could be written.
    :param as_of: up to when images are seen, ISO 8601.
    :param whole: all labels together, with each image once, however many labels it has.
    :param trained: digest of the snapshot that changes are counted against, if there is one.
    :param left_out: pairs of reason and number of images that cannot be used, or of other objects.
    :param share: of the images that judge, 0 to 1; ``asked_share`` is the setting, which is never followed downwards.
    :param exceptions: images whose side is not what their hash says, so that each label has both sides.
    :param gates: what the version will be judged by, in words; none where it is only measured.
    :param merged: by label, its folders, where several have the same name to a person.
    :param annotations: what is to be said of the lines of annotations, where there are such.
    :param inspection: what was found in the images, in words; none where they were not looked into.
    :param thresholds: labels that ``label_detection_confidence`` names.
    :param estimate: ``None`` where nothing is paid or no price is known; ``no_estimate`` says which.
    """

    action: str
    reason: str
    digest: str
    as_of: str
    trained: str | None
    labels: tuple[PlanLabel, ...] = ()
    whole: PlanLabel = PlanLabel("", 0, 0, 0, 0, LabelChange(""))
    left_out: tuple[tuple[str, int], ...] = ()
    share: float = 0.0
    asked_share: float = 0.0
    exceptions: int = 0
    gates: tuple[str, ...] = ()
    estimate: Estimate | None = None
    no_estimate: str = "nothing is paid"
    merged: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    thresholds: tuple[str, ...] = ()
    annotations: tuple[str, ...] = ()
    inspection: tuple[str, ...] = ()

    @property
    def warnings(self) -> tuple[str, ...]:
        """What speaks against the images as they are, in words."""
        trained = [label.label for label in self.labels if label.images]
        names = warn_of_names(trained, {label: self.merged[label] for label in trained if label in self.merged})
        return (
            *names,
            *_balance(self.labels),
            *_few(self.labels),
            *_vocabulary(self.labels, self.trained),
            *self._leaks(),
            *_misspelt(self.thresholds, trained),
        )

    def _leaks(self) -> Iterable[str]:
        if moved := self.whole.change.to_train:
            yield (
                f"{moved} images judged the version trained last and will be trained on: a label lost all others. "
                "Scores before and after are not on the same test images."
            )
        if moved := self.whole.change.to_test:
            yield f"{moved} images trained the version trained last and will judge this one: test_share was raised."

    def to_record(self) -> dict[str, Any]:
        """Give it as JSON types, with its warnings and its summary."""
        return {**to_json(self), "warnings": list(self.warnings), "summary": self.summary}

    @property
    def summary(self) -> str:
        """The plan in a few sentences, short enough for the note on a run."""
        said = [f"{self.action}: {self.reason}."]
        if self.labels:
            whole, change = self.whole, self.whole.change
            said.append(
                f"{whole.images} images in {sum(1 for label in self.labels if label.images)} labels: "
                f"{whole.train} to train on, {whole.test} to judge by; {change.new} new, "
                f"{change.changed} changed, {change.removed} removed."
            )
        if self.estimate:
            said.append(f"Expected: {self.estimate.sentence}.")
        if self.warnings:
            more = f" And {len(self.warnings) - 1} more warnings." if len(self.warnings) > 1 else ""
            said.append(f"Warning: {_cut(self.warnings[0])}{more}")
        return " ".join(said)

    def text(self) -> str:
        """Give the whole plan as Markdown; the same plan gives the same text."""
        return "\n".join(
            [
                f"# Plan: {self.action}",
                "",
                f"Because: {self.reason}.",
                "",
                f"Images as of {self.as_of}, snapshot `{self.digest[:12] or '-'}`, compared with "
                + (f"`{self.trained[:12]}`, trained on last." if self.trained else "nothing: no version was trained."),
                *_table(self.labels, self.whole),
                *_section("Left out", [f"{count}: {reason}" for reason, count in self.left_out]),
                *_section("Annotations", self.annotations),
                *_section("In the images", self.inspection),
                *_section("Split", self._split()),
                *_section("Warnings", self.warnings),
                *_section("Gates", self.gates),
                *_section("Expected", [self.estimate.sentence if self.estimate else self.no_estimate]),
            ]
        )

    def _split(self) -> Iterable[str]:
        if not self.labels:
            return
        lower = f" (asked for {self.asked_share:g}; it is never lowered)" if self.asked_share < self.share else ""
        yield (
            f"{self.whole.train} images to train on, {self.whole.test} to judge by: test_share {self.share:g}{lower}"
        )
        yield (
            "by a hash of the content, so that an image keeps its side whatever comes, goes or is renamed, and equal "
            "contents, of which one is used, cannot fall on both sides"
        )
        if self.exceptions:
            yield (
                f"{self.exceptions} images are on another side than their hash says, so that each label has both, and "
                "near duplicates are together"
            )


def gate_in_words(gate: Gate, headline: Metric) -> str:
    """Say what a gate asks for."""
    what = NAMES[gate.metric or headline]
    of = {None: "of all labels together", EACH_LABEL: "of each label"}.get(gate.label, f"of {gate.label!r}")
    way = "at least" if gate.at_least is not None else "at most"
    if gate.relative_to_champion:
        return f"{what} {of}: {way} the champion's {gate.bound:+g}"
    return f"{what} {of}: {way} {gate.bound:g}"


def plan_labels(
    labels: Iterable[tuple[str, int, int]], changes: Sequence[LabelChange], left_out: Mapping[str, int]
) -> tuple[PlanLabel, ...]:
    """Put together what is known of each label, those that vanished included.

    :param labels: of the snapshot, with their train and test images.
    :param left_out: by label, the images that cannot be used.
    """
    sides = {label: (train, test) for label, train, test in labels}
    by_label = {change.label: change for change in changes}
    every = sorted({*sides, *by_label, *(label for label, count in left_out.items() if count)}, key=str.encode)
    return tuple(
        PlanLabel(label, sum(side), *side, left_out.get(label, 0), by_label.get(label, LabelChange(label)))
        for label, side in ((label, sides.get(label, (0, 0))) for label in every)
    )


def plan_whole(train: int, test: int, candidates: int, change: LabelChange) -> PlanLabel:
    """Put together what is known of all images, each counted once.

    :param candidates: images that were inspected; those that are neither to train on nor to judge by are left out.
    """
    return PlanLabel("", train + test, train, test, candidates - train - test, change)


def _balance(labels: Sequence[PlanLabel]) -> Iterable[str]:
    present = [label for label in labels if label.images]
    if len(present) < 2:
        return
    largest, smallest = max(present, key=lambda each: each.images), min(present, key=lambda each: each.images)
    ratio = largest.images / smallest.images
    if ratio > MODERATE_RATIO:
        degree = "extremely" if ratio > EXTREME_RATIO else "moderately"
        yield (
            f"The labels are {degree} imbalanced: '{largest.label}' has {largest.images} images and "
            f"'{smallest.label}' {smallest.images}, {ratio:.1f} to 1. Add images of the smaller labels."
        )


def _few(labels: Sequence[PlanLabel]) -> Iterable[str]:
    if few := [label.label for label in labels if 0 < label.images < RECOMMENDED_IMAGES]:
        yield f"{_names(few)}: fewer than {RECOMMENDED_IMAGES} images, which is what AWS recommends a label at least."
    if few := [label.label for label in labels if 0 < label.test < FEW_TEST_IMAGES]:
        yield f"{_names(few)}: fewer than {FEW_TEST_IMAGES} test images, so that a gate on one of them says little."


def _vocabulary(labels: Sequence[PlanLabel], trained: str | None) -> Iterable[str]:
    if trained is None:
        return
    if new := [label.label for label in labels if label.images and label.change.new == label.images]:
        yield f"{_names(new)}: not in the snapshot trained on last, or with none of its images."
    if gone := [label.label for label in labels if not label.images and label.change.removed]:
        yield f"{_names(gone)}: in the snapshot trained on last, and without usable images now."


def _misspelt(thresholds: Sequence[str], labels: Sequence[str]) -> Iterable[str]:
    if unknown := unknown_labels(thresholds, labels):
        yield f"label_detection_confidence names labels that no image has: {in_words(unknown, labels)}."


def _names(labels: Sequence[str], most: int = 8) -> str:
    more = f" and {len(labels) - most} more labels" if len(labels) > most else ""
    return ", ".join(f"'{label}'" for label in labels[:most]) + more


def _table(labels: Sequence[PlanLabel], whole: PlanLabel) -> Iterable[str]:
    if not labels:
        return
    columns = ("images", "new", "changed", "removed", "train", "test", "left_out")
    yield from ("", f"| label | {' | '.join(columns).replace('_', ' ')} |", "|---" * (len(columns) + 1) + "|")
    for row in (*labels, whole):
        numbers = [getattr(row if hasattr(row, name) else row.change, name) for name in columns]
        name = "**all**" if row is whole else row.label.replace("|", chr(92) + "|")
        yield f"| {name} | {' | '.join(map(str, numbers))} |"


def _section(title: str, lines: Iterable[str]) -> list[str]:
    said = [f"- {line}" for line in lines]
    return ["", f"## {title}", "", *said] if said else []


def _number(value: float) -> str:
    return f"{value:.2g}" if value < 10 else f"{value:.0f}"


def _cut(text: str, most: int = 250) -> str:
    return text if len(text) <= most else f"{text[: most - 3]}..."
