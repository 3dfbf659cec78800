"""XML of strangers: no entities, nothing loaded from elsewhere, element by element."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO
from xml.etree.ElementTree import Element, ParseError

from defusedxml.ElementTree import iterparse

from custom_labels.datasets.imports.entries import Unfit
from custom_labels.datasets.imports.source import ImportCode


def read_elements(file: BinaryIO) -> Iterator[tuple[str, Element]]:
    """Parse a file, giving each element when it begins and when it ends.

    :raises Unfit: it is no XML, or defines entities, with which a small file would fill a worker's memory.
    """
    try:
        yield from iterparse(file, events=("start", "end"), forbid_dtd=False, forbid_entities=True)
    # Beside ParseError: entities are a ValueError, and so is an encoding with several bytes a character; one that
    # Python does not know is a LookupError.
    except (ParseError, ValueError, LookupError) as error:
        why = str(error) or type(error).__name__
        raise Unfit(ImportCode.UNREADABLE_FILE, f"it is no XML that can be read: {ascii(why)[1:-1][:200]}") from None


def require_root(element: Element, name: str, what: str) -> None:
    """Refuse a file of another kind.

    :raises Unfit: its outermost element has another name.
    """
    if element.tag != name:
        tag = ascii(element.tag)[:60]
        raise Unfit(
            ImportCode.UNREADABLE_FILE, f"its outermost element is {tag}: expected '{name}', as {what} writes it"
        )
