"""Which predicted box is which true box."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from custom_labels.datasets.annotations.annotation import Box

LEAST_OVERLAP = 0.5
"""Intersection over union from which on a predicted box is on a true one.

Custom Labels' guide does not say what it takes; half is what detectors are judged by where nothing else is said.
"""
_TOLERANCE = 1e-9
"""Boxes come as ratios of floats; an overlap that equals the least one but for the last digits is enough."""


@dataclass(frozen=True)
class Matching:
    """True boxes, in the order of their places, with what was predicted there.

    :param found: each with its prediction, ``None`` where it was missed.
    :param false_alarms: predicted boxes that are on no true one, or on one that a surer box has taken.
    """

    found: tuple[tuple[Box, Box | None], ...]
    false_alarms: tuple[Box, ...]

    @property
    def missed(self) -> tuple[Box, ...]:
        """The true boxes that nothing was predicted on."""
        return tuple(actual for actual, predicted in self.found if predicted is None)


def overlap(one: Box, other: Box) -> float:
    """Give the intersection over union of two boxes, 0 to 1."""
    width = min(one.left + one.width, other.left + other.width) - max(one.left, other.left)
    height = min(one.top + one.height, other.top + other.height) - max(one.top, other.top)
    if width <= 0 or height <= 0:
        return 0.0
    shared = width * height
    return shared / (one.width * one.height + other.width * other.height - shared)


def match(
    actual: Iterable[Box], predicted: Iterable[Box], least: float = LEAST_OVERLAP, *, same_label: bool = True
) -> Matching:
    """Match predicted boxes to true ones: the surest first, each to the free one that it overlaps most.

    In whatever order the boxes come, the result is the same.

    :param least: intersection over union that is needed.
    :param same_label: whether a box can only be on one of its own label.
    """
    places = sorted(actual, key=_place)
    taken: dict[int, Box] = {}
    false_alarms: list[Box] = []
    for box in sorted(predicted, key=lambda each: (-each.confidence, *_place(each))):
        number = _best(box, places, taken, same_label=same_label)
        if number is None or overlap(places[number], box) < least - _TOLERANCE:
            false_alarms.append(box)
        else:
            taken[number] = box
    return Matching(tuple((place, taken.get(number)) for number, place in enumerate(places)), tuple(false_alarms))


def _best(box: Box, places: Sequence[Box], taken: Iterable[int], *, same_label: bool) -> int | None:
    free = (
        number
        for number, place in enumerate(places)
        if number not in taken and (place.label == box.label or not same_label)
    )
    return max(free, key=lambda number: overlap(places[number], box), default=None)


def _place(box: Box) -> tuple[str, float, float, float, float]:
    return box.label, box.left, box.top, box.width, box.height
