"""What became of the verdict on an image, and on each of its boxes, from the champion to the challenger."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from custom_labels.datasets.annotations.annotation import Box, ImageSize


class VerdictChange(StrEnum):
    """What became of the verdict on an image or a box, from the champion to the challenger; the worst comes first."""

    REGRESSION = "regression"
    IMPROVEMENT = "improvement"
    STILL_WRONG = "still wrong"


def verdict_change(*, champion: bool, challenger: bool) -> VerdictChange | None:
    """Give what became of a verdict, ``None`` where both are right.

    :param champion: whether the champion is right; likewise ``challenger``.
    """
    if champion and challenger:
        return None
    if champion:
        return VerdictChange.REGRESSION
    return VerdictChange.IMPROVEMENT if challenger else VerdictChange.STILL_WRONG


@dataclass(frozen=True)
class JudgedBox:
    """An object on an image, or a place where a version saw one that is not there.

    :param actual: the true box, ``None`` for a false alarm.
    :param champion: what the champion predicted there, ``None`` for nothing; likewise ``challenger``.
    :param change: ``None`` where both are right.
    """

    actual: Box | None
    champion: Box | None
    challenger: Box | None
    change: VerdictChange | None


@dataclass(frozen=True)
class Flip:
    """An image of which the two versions say different things.

    :param actual: labels that it shows: of objects one each.
    :param champion: the labels that the champion predicted; likewise ``challenger``.
    :param boxes: every object and every false alarm, regressions first; only where boxes are predicted.
    :param size: of the image that the boxes are on.
    """

    image: str
    change: VerdictChange
    actual: tuple[str, ...]
    champion: tuple[str, ...]
    challenger: tuple[str, ...]
    boxes: tuple[JudgedBox, ...] = ()
    size: ImageSize | None = None

    def of_boxes(self, change: VerdictChange) -> int:
        """Count the boxes with one change."""
        return sum(box.change is change for box in self.boxes)
