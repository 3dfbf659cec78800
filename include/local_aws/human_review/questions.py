"""What a worker page asks: its elements that want an answer, read as a worker's browser reads them.

Source: the SageMaker guide's pages on crowd-image-classifier, crowd-image-classifier-multi-select and
crowd-bounding-box.
"""

from __future__ import annotations

import html.parser
import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from urllib.parse import unquote, urlsplit

from include.local_aws.boxes import Box
from include.local_aws.human_review.attributes import read_list, read_value

SIDES = ("left", "top", "width", "height")


class Kind(StrEnum):
    """The elements that have stand-ins here, by their names."""

    CHOICE = "crowd-image-classifier"
    CHOICES = "crowd-image-classifier-multi-select"
    BOXES = "crowd-bounding-box"


_NAMES = frozenset(kind.value for kind in Kind)


@dataclass(frozen=True)
class Question:
    """What a worker is asked by one element.

    Parameters: `field` is the name to answer by; `image` is the image's s3:// URI; `categories` are the labels to
    choose from; `exclusion` is what may be chosen beside them where none fits; `initial` are the boxes that are drawn
    already, None where the page leaves them out.
    """

    field: str
    image: str
    categories: tuple[str, ...]
    kind: Kind = Kind.CHOICE
    exclusion: str | None = None
    initial: tuple[Box, ...] | None = None


@dataclass(frozen=True)
class Element:
    """An element of a page and its attributes."""

    kind: Kind
    attributes: Mapping[str, str | None]

    def question(self) -> Question:
        """Read the attributes; raises ValueError for those that cannot be read, or a missing name."""
        given = self.attributes
        name = given.get("name")
        if not name:
            raise ValueError(f"the {self.kind} has no name")
        labels = read_list(given.get("labels" if self.kind is Kind.BOXES else "categories") or "[]")
        # The page shows a link to the image on this very endpoint: /bucket/key.
        image = f"s3:/{unquote(urlsplit(given.get('src') or '').path)}"
        exclusion, initial = given.get("exclusion-category"), given.get("initial-value")
        return Question(
            name,
            image,
            tuple(labels),
            self.kind,
            _exclusion(exclusion) if exclusion and self.kind is Kind.CHOICES else None,
            _boxes(initial) if initial and self.kind is Kind.BOXES else None,
        )


def find_elements(page: str) -> list[Element]:
    """Return a page's elements that want an answer, in its order."""
    found = _Elements()
    found.feed(page)
    return found.elements


def is_number(value: object) -> bool:
    """Say whether a value from JSON is a number that can be a place in an image."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


class _Elements(html.parser.HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.elements: list[Element] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _NAMES:
            self.elements.append(Element(Kind(tag), dict(attrs)))


def _exclusion(text: str) -> str:
    value = read_value(text)
    if not isinstance(value, dict) or "text" not in value:
        raise ValueError(f"the exclusion-category {text!r} is not written as {{ text: 'None' }}")
    return str(value["text"])


def _boxes(text: str) -> tuple[Box, ...] | None:
    value = read_value(text)
    if value is None:
        return None
    if not isinstance(value, list) or not all(map(_is_box, value)):
        raise ValueError(f"the initial-value {text!r} is not a list of boxes with a label and {', '.join(SIDES)}")
    return tuple(read_box(box) for box in value)


def _is_box(value: Any) -> bool:
    return isinstance(value, dict) and "label" in value and all(is_number(value.get(side)) for side in SIDES)


def read_box(value: Mapping[str, Any]) -> Box:
    """Return a box from the object that a page, a person or a truth has for it."""
    return Box(str(value["label"]), *(float(value[side]) for side in SIDES))
