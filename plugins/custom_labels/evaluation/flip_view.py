"""An image of which two versions say different things, as the page of a decision shows it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from custom_labels.aws.predictions import Box as Share
from custom_labels.aws.predictions import DetectedLabel
from custom_labels.datasets.annotations.annotation import Box, ImageSize
from custom_labels.evaluation.drawing import DrawnBox, Mark, draw
from custom_labels.evaluation.verdicts import Flip, JudgedBox

Chip = tuple[str, Mark]
"""A label, and whether it was predicted rightly, wrongly or not at all."""

CHAMPION, CHALLENGER = "Champion", "Challenger"


@dataclass(frozen=True)
class BoxRow:
    """An object, or a place where one was seen that is not there, in words.

    :param where: in pixels.
    :param marks: of the champion and of the challenger, each with its confidence; ``None`` where nothing was seen and
        nothing is.
    """

    label: str
    where: str
    marks: tuple[tuple[Mark, float | None] | None, ...]
    change: str | None


@dataclass(frozen=True)
class FlipView:
    """A flip to be shown.

    :param picture: a ``data:`` URI, ``None`` where there is none.
    :param drawings: by version, the SVG of the picture with its boxes; empty where labels are of whole images.
    :param chips: by version, its labels; empty where boxes are predicted.
    """

    flip: Flip
    picture: str | None
    drawings: dict[str, str]
    chips: dict[str, list[Chip]]
    boxes: tuple[BoxRow, ...]


def view_flip(flip: Flip, picture: str | None, number: int) -> FlipView:
    """Put together what is shown of a flip.

    :param number: of the flip on its page.
    """
    if flip.size is None:
        chips = {
            CHAMPION: label_chips(flip.actual, flip.champion),
            CHALLENGER: label_chips(flip.actual, flip.challenger),
        }
        return FlipView(flip, picture, {}, chips, ())
    return FlipView(flip, picture, _drawings(flip, flip.size, picture, number), {}, tuple(map(_row, flip.boxes)))


def label_chips(actual: Sequence[str], predicted: Sequence[str]) -> list[Chip]:
    """Judge the labels that were predicted of a whole image, hits first."""
    shown, seen = Counter(actual), Counter(predicted)
    judged = ((shown & seen, Mark.HIT), (shown - seen, Mark.MISS), (seen - shown, Mark.FALSE_ALARM))
    return [(label, mark) for labels, mark in judged for label in sorted(labels.elements())]


def _drawings(flip: Flip, size: ImageSize, picture: str | None, number: int) -> dict[str, str]:
    """Draw what each version saw; the second drawing takes the picture of the first, which is large."""
    drawings = {}
    name = f"picture-{number}"
    for who, shown in ((CHAMPION, picture), (CHALLENGER, f"#{name}" if picture else None)):
        boxes = [drawn for box in flip.boxes for drawn in _drawn(box, who, size)]
        counts = Counter(drawn.mark for drawn in boxes)
        words = ", ".join(f"{counts[mark]} {mark}" for mark in (Mark.HIT, Mark.MISS, Mark.FALSE_ALARM))
        drawings[who] = draw(shown, (size.width, size.height), boxes, f"{who}: {words}", name)
    return drawings


def _drawn(box: JudgedBox, who: str, size: ImageSize) -> Iterator[DrawnBox]:
    seen = _seen(box, who)
    if box.actual is not None:
        yield DrawnBox(Mark.TRUTH if seen else Mark.MISS, in_shares(box.actual, size))
    if seen is not None:
        yield DrawnBox(Mark.HIT if box.actual else Mark.FALSE_ALARM, in_shares(seen, size))


def _seen(box: JudgedBox, who: str) -> Box | None:
    return box.champion if who == CHAMPION else box.challenger


def in_shares(box: Box, size: ImageSize) -> DetectedLabel:
    """Give a box in pixels as shares of the image's sides."""
    place = (box.left / size.width, box.top / size.height, box.width / size.width, box.height / size.height)
    return DetectedLabel(box.label, box.confidence * 100, Share(*place))


def _row(box: JudgedBox) -> BoxRow:
    place = next(each for each in (box.actual, box.champion, box.challenger) if each)
    where = f"{place.left:.0f}, {place.top:.0f}: {place.width:.0f} \N{MULTIPLICATION SIGN} {place.height:.0f}"
    marks = tuple(_mark(box, _seen(box, who)) for who in (CHAMPION, CHALLENGER))
    return BoxRow(place.label, where, marks, box.change.value if box.change else None)


def _mark(box: JudgedBox, seen: Box | None) -> tuple[Mark, float | None] | None:
    if seen is not None:
        return (Mark.HIT if box.actual else Mark.FALSE_ALARM), seen.confidence
    return (Mark.MISS, None) if box.actual else None
