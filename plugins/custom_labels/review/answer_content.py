"""What a person's answer says, by the kind of question: read as the crowd elements give it, or refused in words.

The shapes are those of SageMaker's guide to crowd HTML elements: ``crowd-image-classifier``,
``crowd-image-classifier-multi-select`` and ``crowd-bounding-box``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from custom_labels.datasets.annotations.annotation import MAXIMUM_BOXES, Box, ImageSize, shown
from custom_labels.datasets.annotations.boxes import judge_box
from custom_labels.datasets.annotations.json_lines import is_number
from custom_labels.datasets.annotations.pixels import clip
from custom_labels.datasets.images import MAXIMUM_SIDE, MINIMUM_SIDE
from custom_labels.datasets.label_names import NONE_OF_THE_ABOVE
from custom_labels.errors import CustomLabelsError
from custom_labels.review.review import ReviewRequest

_SIDES = ("left", "top", "width", "height")
_MOST_BOXES = 1_000
"""In an answer that is read at all."""


class AnswerRefused(CustomLabelsError):
    """An answer that cannot be counted."""


def read_label(content: Any, request: ReviewRequest) -> str | None:
    """Read one label; ``None`` for none of the above.

    :raises AnswerRefused: it was not offered.
    """
    label = _member(content, "label")
    if not isinstance(label, str) or label not in (*request.labels, NONE_OF_THE_ABOVE):
        raise AnswerRefused(f"it is {shown(label)}, which was not offered")
    return request.none_label if label == NONE_OF_THE_ABOVE else label


def read_labels(content: Any, request: ReviewRequest) -> tuple[str, ...]:
    """Read several labels, each once and sorted; none where the person chose none, or none of the above.

    :raises AnswerRefused: one was not offered, or none of the above was chosen together with a label.
    """
    given = _member(content, "labels")
    if not isinstance(given, list):
        raise AnswerRefused(f"'labels' is {shown(given)}: expected a list")
    for label in given:
        if not isinstance(label, str) or label not in (*request.labels, NONE_OF_THE_ABOVE):
            raise AnswerRefused(f"it has {shown(label)}, which was not offered")
    labels = set(given) - {NONE_OF_THE_ABOVE}
    if labels and NONE_OF_THE_ABOVE in given:
        raise AnswerRefused(f"it has '{NONE_OF_THE_ABOVE}' and {shown(min(labels))}")
    return tuple(sorted(labels or ({request.none_label} if request.none_label and given else ())))


def read_boxes(content: Any, request: ReviewRequest) -> tuple[tuple[Box, ...], ImageSize, tuple[str, ...]]:
    """Read boxes, which are in pixels of the picture as the person saw it.

    A box that reaches over the edge is clipped, and one that is too small to be meant, or to be trained on, is left
    out; both are noted. If that leaves none, the answer is refused: "nothing is there" is another answer than a slip.

    :return: the boxes, the picture's size, and what was changed, in words.
    :raises AnswerRefused: it is of another picture, a label was not offered, or a box is beside the picture.
    """
    size = _read_size(_member(content, "inputImageProperties"), request.size)
    entries = _member(content, "boundingBoxes")
    if not isinstance(entries, list) or len(entries) > _MOST_BOXES:
        raise AnswerRefused(f"'boundingBoxes' is {shown(entries)}: expected a list of boxes")
    kept: list[Box] = []
    notes: list[str] = []
    for drawn in (_read_box(entry, request) for entry in entries):
        box = clip(drawn, size)
        words = f"the box of {shown(drawn.label)} at left {drawn.left:g}, top {drawn.top:g}"
        if drawn.width > 0 and drawn.height > 0 and not (box.width and box.height):
            raise AnswerRefused(f"{words} is beside the {size.width} x {size.height} picture")
        if judge_box(box, size):
            notes.append(f"{words} is too small and was left out")
            continue
        if (box.left, box.top, box.width, box.height) != (drawn.left, drawn.top, drawn.width, drawn.height):
            notes.append(f"{words} reached over the edge and was clipped")
        kept.append(box)
    if entries and not kept:
        raise AnswerRefused(f"none of its boxes can be used: {notes[0]}")
    if len(kept) > MAXIMUM_BOXES:
        raise AnswerRefused(f"it has {len(kept)} boxes, of which Custom Labels takes {MAXIMUM_BOXES}")
    return tuple(kept), size, tuple(notes)


def _member(content: Any, name: str) -> Any:
    if not isinstance(content, Mapping) or name not in content:
        raise AnswerRefused(f"it has no '{name}'")
    return content[name]


def _read_size(value: Any, asked: ImageSize | None) -> ImageSize:
    """Read the size of the picture that was drawn on.

    :raises AnswerRefused: it is not the size of the picture that was asked about, or that of no image of Custom Labels.
    """
    width, height = (value.get(side) if isinstance(value, Mapping) else None for side in ("width", "height"))
    if type(width) is not int or type(height) is not int:
        raise AnswerRefused("'inputImageProperties' has no width and height in whole pixels")
    if asked is not None:
        if (width, height) != (asked.width, asked.height):
            raise AnswerRefused(
                f"it is drawn on a picture of {shown(width)} x {shown(height)} pixels, and the image has "
                f"{asked.width} x {asked.height}"
            )
        return asked
    if not all(MINIMUM_SIDE <= side <= MAXIMUM_SIDE for side in (width, height)):
        raise AnswerRefused(f"it is drawn on a picture of {shown(width)} x {shown(height)} pixels")
    return ImageSize(width, height)


def _read_box(entry: Any, request: ReviewRequest) -> Box:
    if not isinstance(entry, Mapping) or not all(is_number(entry.get(side)) for side in _SIDES):
        raise AnswerRefused("a box has no numbers as left, top, width and height")
    if entry.get("label") not in request.labels:
        raise AnswerRefused(f"a box has the label {shown(entry.get('label'))}, which was not offered")
    left, top, width, height = (_bounded(entry[side]) for side in _SIDES)
    if width < 0 or height < 0:
        raise AnswerRefused(f"a box is {width:g} wide and {height:g} high")
    return Box(entry["label"], left, top, width, height)


def _bounded(number: float) -> float:
    """Refuse numbers that no screen has."""
    if abs(number) > 1_000_000:
        raise AnswerRefused(f"a box is at {shown(number)} pixels")
    return number
