"""Draws boxes over a picture, as an SVG: what is right and wrong is told apart by line and sign, not only by colour."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from custom_labels.aws.predictions import Box, DetectedLabel
from custom_labels.evaluation.templates import render

UNITS = 640
"""Of the longer side of a drawing, whatever its picture has in pixels, so that lines and letters are of one size."""
_LONGEST_NAME = 28
_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_LETTERS, _SMALL_LETTERS = 20, 13
"""Height of a line of text; where boxes are many, smaller, so that they hide less."""
_MANY = 12


class Mark(StrEnum):
    """What a box, or a label, is."""

    TRUTH = "truth"
    """Of an object that was found; what was found of it is a hit."""
    HIT = "hit"
    MISS = "miss"
    FALSE_ALARM = "false alarm"
    FOUND = "found"
    """By a version, where nobody knows what is there."""


@dataclass(frozen=True)
class Style:
    """How a box is drawn.

    :param colour: one that is dark on white and told apart by people who see no red or no green.
    :param dashes: of its line, in the units of a drawing; empty for none.
    :param sign: before its text.
    """

    colour: str
    dashes: str = ""
    sign: str = ""
    width: float = 3.5


STYLES = {
    Mark.TRUTH: Style("#1c2330", width=1.5),
    Mark.HIT: Style("#00704f", sign="\N{CHECK MARK}"),
    Mark.MISS: Style("#a04a00", "14 7", "\N{BALLOT X}"),
    Mark.FALSE_ALARM: Style("#b0005e", "2 6", "!"),
    Mark.FOUND: Style("#1d4f91"),
}


@dataclass(frozen=True)
class DrawnBox:
    """A label with its box, which is in shares of the picture's sides; without one it is of the whole picture."""

    mark: Mark
    label: DetectedLabel

    @property
    def name(self) -> str:
        """The label's name, as it may stand in a document."""
        return _NO_XML.sub("\N{REPLACEMENT CHARACTER}", self.label.name)

    @property
    def text(self) -> str:
        """What is written at the box: the name comes last, since it may be long, or turn the direction of writing."""
        style, name = STYLES[self.mark], self.name
        sure = "" if self.mark in {Mark.TRUTH, Mark.MISS} else f"{self.label.confidence:.0f} %"
        short = name if len(name) <= _LONGEST_NAME else f"{name[: _LONGEST_NAME - 1]}\N{HORIZONTAL ELLIPSIS}"
        return " ".join(filter(None, (style.sign, sure, short)))


def found(labels: Iterable[DetectedLabel]) -> list[DrawnBox]:
    """Give what a version found on a picture of which nobody knows what it shows."""
    return [DrawnBox(Mark.FOUND, label) for label in labels]


def draw(picture: str | None, size: tuple[int, int], boxes: Iterable[DrawnBox], title: str, name: str = "") -> str:
    """Draw boxes over a picture.

    :param picture: its ``data:`` URI, or ``#`` and the ``name`` of a drawing in the same document that has it; ``None``
        for a grey area.
    :param size: width and height of the picture, of which only the ratio counts.
    :param title: says what is to be seen, for people who do not see it.
    :return: an SVG, in which all that was given is text. It is a document of its own, or a part of an HTML one.
    """
    scale = UNITS / max(size)
    width, height = (round(side * scale, 1) for side in size)
    # The surest last, so that it is on top, and what is true below all.
    ranked = sorted(boxes, key=lambda each: (each.mark is not Mark.TRUTH, each.label.confidence))
    letters = _LETTERS if len(ranked) <= _MANY else _SMALL_LETTERS
    return render(
        "drawing.svg.j2",
        picture=picture,
        name=name,
        title=_NO_XML.sub("\N{REPLACEMENT CHARACTER}", title),
        width=width,
        height=height,
        boxes=[_place(each, each.label.box, width, height, letters) for each in ranked if each.label.box],
        labels=[(STYLES[each.mark], each.text) for each in reversed(ranked) if not each.label.box],
        letters=letters,
    )


def _place(drawn: DrawnBox, box: Box, width: float, height: float, letters: float) -> dict[str, object]:
    left, top, across, down = box.left * width, box.top * height, box.width * width, box.height * height
    is_right = left > width / 2
    return {
        "mark": drawn.mark.value,
        "name": drawn.name,
        "style": STYLES[drawn.mark],
        "rect": tuple(round(each, 1) for each in (left, top, across, down)),
        "text": "" if drawn.mark is Mark.TRUTH else drawn.text,
        "x": round(min(left + across, width) if is_right else max(left, 0), 1),
        "y": round(top - 6 if top >= letters else min(max(top, 0) + letters, height - 6), 1),
        "anchor": "end" if is_right else "start",
    }
