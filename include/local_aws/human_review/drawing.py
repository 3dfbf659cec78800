"""How people draw boxes: mostly as the objects are, sometimes with less care."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from include.local_aws.boxes import Box

_MOST_OFF = 0.25
"""By which share of its box's side an edge may be off, at most, where somebody draws without care."""


@dataclass(frozen=True)
class Canvas:
    """The image that is drawn on: its pixels, and the labels that the page offers."""

    width: int
    height: int
    labels: tuple[str, ...]


def draw(truth: Iterable[Box], canvas: Canvas, sloppy_rate: float, dice: random.Random) -> tuple[tuple[Box, ...], bool]:
    """Return the boxes that a person draws, in whole pixels, and whether all of them are as they should be.

    Objects whose label is not offered are left out. One box in `1 / sloppy_rate` has edges that are off, a wrong label,
    or is forgotten, each as often as the others.
    """
    drawn: list[Box | None] = []
    is_right = True
    for box in truth:
        if box.label not in canvas.labels:
            continue
        if dice.random() < sloppy_rate:
            is_right = False
            drawn.append(_sloppy(box, canvas, dice))
        else:
            drawn.append(box)
    return tuple(whole_pixels(box, canvas) for box in drawn if box is not None), is_right


def whole_pixels(box: Box, canvas: Canvas) -> Box:
    """Return a box in whole pixels within the image, as the element on the page gives it."""
    left, right = _whole(box.left, box.width, canvas.width)
    top, bottom = _whole(box.top, box.height, canvas.height)
    return Box(box.label, left, top, right - left, bottom - top)


def answer_of(boxes: Sequence[Box], canvas: Canvas, initial: Sequence[Box] | None) -> dict[str, Any]:
    """Return boxes in whole pixels as crowd-bounding-box answers.

    Parameters: `initial` are the boxes that the page has drawn already, None where it has no initial-value.
    """
    answer: dict[str, Any] = {
        "boundingBoxes": [
            {"height": box.height, "label": box.label, "left": box.left, "top": box.top, "width": box.width}
            for box in boxes
        ],
        "inputImageProperties": {"height": canvas.height, "width": canvas.width},
    }
    if initial is not None:
        shown = sorted(whole_pixels(box, canvas) for box in initial)
        answer["initialValueModified"] = sorted(boxes) != shown
    return answer


def _sloppy(box: Box, canvas: Canvas, dice: random.Random) -> Box | None:
    others = [label for label in canvas.labels if label != box.label]
    how = dice.choice(("edges", "label", "forgotten"))
    if how == "forgotten":
        return None
    if how == "label" and others:
        return box._replace(label=dice.choice(others))
    left, right = (dice.uniform(-_MOST_OFF, _MOST_OFF) * box.width for _ in range(2))
    top, bottom = (dice.uniform(-_MOST_OFF, _MOST_OFF) * box.height for _ in range(2))
    return Box(box.label, box.left + left, box.top + top, box.width - left + right, box.height - top + bottom)


def _whole(start: float, length: float, most: int) -> tuple[int, int]:
    first = min(max(round(start), 0), most - 1)
    return first, min(max(round(start + length), first + 1), most)
