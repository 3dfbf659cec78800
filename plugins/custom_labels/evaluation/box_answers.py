"""Answers where objects are found: each box is judged for itself, by the true box that it is on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

from custom_labels.aws.predictions import DetectedLabel
from custom_labels.datasets.annotations.annotation import Box, ImageSize, shown
from custom_labels.datasets.annotations.json_lines import is_number
from custom_labels.datasets.annotations.pixels import in_pixels
from custom_labels.evaluation.answers import JudgedPrediction
from custom_labels.evaluation.box_matching import Matching, match
from custom_labels.evaluation.evaluation_lines import (
    EVALUATION,
    METADATA,
    TRAINING,
    is_predicted,
    read_confidence,
    read_details,
    read_entry,
    read_text,
    unexpected,
)
from custom_labels.evaluation.verdicts import Flip, JudgedBox, VerdictChange, verdict_change

_MOST_BOXES = 1_000
"""Of one image, in a line that is read: far above what Custom Labels annotates or finds, and soon matched."""
_FARTHEST = 100_000
"""Pixels: far beyond the edges of any image."""


@dataclass(frozen=True)
class BoxAnswer:
    """One known image and what a version found on it; all boxes are in pixels.

    :param image: its ``s3://`` URI.
    :param size: the image's.
    :param actual: the objects that it shows.
    :param predicted: what the version found above the labels' assumed thresholds.
    """

    image: str
    size: ImageSize
    actual: tuple[Box, ...]
    predicted: tuple[Box, ...]

    @cached_property
    def matching(self) -> Matching:
        """Which predicted box is which true one."""
        return match(self.actual, self.predicted)

    @property
    def actual_labels(self) -> tuple[str, ...]:
        """The labels of the objects, one each."""
        return _labels(self.actual)

    @property
    def predicted_labels(self) -> tuple[str, ...]:
        """The labels of the boxes that were predicted, one each."""
        return _labels(self.predicted)

    @property
    def predictions(self) -> Iterator[JudgedPrediction]:
        """The boxes that were predicted, judged."""
        for _, hit in self.matching.found:
            if hit is not None:
                yield JudgedPrediction(hit.label, hit.confidence, right=True)
        for wrong in self.matching.false_alarms:
            yield JudgedPrediction(wrong.label, wrong.confidence, right=False)

    @property
    def taken_for(self) -> Iterator[tuple[str | None, str | None]]:
        """Each object with itself, with what was seen in its place, or with nothing; and what is not there."""
        yield from ((hit.label, hit.label) for _, hit in self.matching.found if hit is not None)
        confused = match(self.matching.missed, self.matching.false_alarms, same_label=False)
        yield from ((actual.label, seen.label if seen else None) for actual, seen in confused.found)
        yield from ((None, wrong.label) for wrong in confused.false_alarms)

    @property
    def right(self) -> bool:
        """Whether every object was found, and nothing else."""
        return not self.matching.missed and not self.matching.false_alarms

    def predicted_as(self, labels: Iterable[DetectedLabel]) -> Self:
        """Give the answer of another version to the same image; labels that are nowhere on it are no boxes."""
        boxes = (in_pixels(each, self.size) for each in labels)
        return type(self)(self.image, self.size, self.actual, tuple(box for box in boxes if box))

    def flip_to(self, challenger: Self) -> Flip | None:
        """Say how the challenger's answer differs, if it does: where a box is right in one of the two only.

        Boxes that both have at about the same place are the same answer.
        """
        boxes = sorted(_judged(self.matching, challenger.matching), key=_worst_first)
        change = verdict_change(champion=self.right, challenger=challenger.right)
        if change is None or all(box.change in {None, VerdictChange.STILL_WRONG} for box in boxes):
            return None
        return Flip(
            self.image,
            change,
            self.actual_labels,
            self.predicted_labels,
            challenger.predicted_labels,
            tuple(boxes),
            self.size,
        )


def _labels(boxes: Iterable[Box]) -> tuple[str, ...]:
    return tuple(sorted(box.label for box in boxes))


def _judged(champion: Matching, challenger: Matching) -> Iterator[JudgedBox]:
    for (actual, one), (_, other) in zip(champion.found, challenger.found, strict=True):
        change = verdict_change(champion=one is not None, challenger=other is not None)
        yield JudgedBox(actual, one, other, change)
    alarms = match(champion.false_alarms, challenger.false_alarms)
    for one, other in alarms.found:
        yield JudgedBox(None, one, other, verdict_change(champion=False, challenger=other is None))
    for other in alarms.false_alarms:
        yield JudgedBox(None, None, other, VerdictChange.REGRESSION)


def _worst_first(box: JudgedBox) -> int:
    return len(VerdictChange) if box.change is None else list(VerdictChange).index(box.change)


# -- reading ---------------------------------------------------------------------------------------


def read_box_line(line: bytes) -> BoxAnswer:
    """Read a line with boxes in ``rekognition-custom-labels-training-N`` and ``rekognition-custom-labels-evaluation``.

    Of the latter those that reached their label's threshold are predicted. The others are objects that were missed,
    with what was found there below it; they are passed over.

    Which of them are right is found out as for any other version, so that one rule judges both. Custom Labels writes
    boxes in whole pixels: of one that is on an object by hardly half it may have said something else.

    :raises ValueError: it is none, or not one of boxes.
    """
    image, entry = read_entry(line)
    size: ImageSize | None = None
    actual: list[Box] = []
    predicted: list[Box] = []
    for name, metadata in entry.items():
        if not name.endswith(METADATA) or not name.startswith((TRAINING, EVALUATION)):
            continue
        objects, labels = _read_metadata(name, metadata)
        here, annotations = _read_frame(name.removesuffix(METADATA), entry)
        if here != (size or here):
            raise ValueError("its boxes are on images of different sizes")
        if len(objects) != len(annotations):
            raise ValueError(f"{shown(name)} has {len(objects)} objects for {len(annotations)} boxes")
        size = here
        for each, annotation in zip(objects, annotations, strict=True):
            box = _read_box(name, annotation, each, labels)
            if name.startswith(TRAINING):
                actual.append(box)
            elif is_predicted(read_details(name, each)):
                predicted.append(box)
    if size is None:
        raise ValueError("it has no boxes: neither what people drew nor what the version found")
    return BoxAnswer(image, size, tuple(actual), tuple(predicted))


def _read_metadata(name: str, metadata: Any) -> tuple[list[Any], Mapping[str, Any]]:
    objects, labels = (metadata.get(key) if isinstance(metadata, dict) else None for key in ("objects", "class-map"))
    if not isinstance(objects, list) or not isinstance(labels, dict):
        raise unexpected("'objects'", name, metadata, "boxes: a list of them, with a 'class-map'")
    if len(objects) > _MOST_BOXES:
        raise ValueError(f"{shown(name)} has {len(objects):,} objects: expected at most {_MOST_BOXES:,}")
    return objects, labels


def _read_frame(name: str, entry: Mapping[str, Any]) -> tuple[ImageSize, list[Any]]:
    value = entry.get(name)
    sizes, annotations = (value.get(key) if isinstance(value, dict) else None for key in ("image_size", "annotations"))
    if not isinstance(sizes, list) or len(sizes) != 1:
        raise unexpected("'image_size'", name, sizes, "a list with one size")
    if not isinstance(annotations, list):
        raise unexpected("'annotations'", name, annotations, "a list of boxes")
    width, height = _numbers(name, sizes[0], ("width", "height"))
    if not (isinstance(width, int) and isinstance(height, int) and width >= 1 and height >= 1):
        raise ValueError(f"'image_size' of {shown(name)} is {width:g} x {height:g}: expected whole numbers of pixels")
    return ImageSize(width, height), annotations


def _read_box(name: str, annotation: Any, entry: Any, labels: Mapping[str, Any]) -> Box:
    left, top, width, height = _numbers(name, annotation, ("left", "top", "width", "height"))
    if width < 0 or height < 0:
        raise ValueError(f"a box in {shown(name)} is {width:g} wide and {height:g} high: expected 0 or more")
    number = annotation.get("class_id")
    if type(number) is not int or not abs(number) <= _FARTHEST:
        raise unexpected("'class_id'", name, number, "a whole number")
    if not isinstance(entry, dict):
        raise unexpected("an entry of 'objects'", name, entry, "an object")
    label = read_text(name, "class-map", labels.get(str(number)))
    return Box(label, left, top, width, height, read_confidence(name, entry))


def _numbers(name: str, holder: Any, keys: Sequence[str]) -> list[float]:
    found: list[float] = []
    for key in keys:
        value = holder.get(key) if isinstance(holder, dict) else None
        if not is_number(value) or abs(value) > _FARTHEST:
            raise unexpected(repr(key), name, value, "a number of pixels")
        found.append(value)
    return found
