"""XML of strangers: no entities, nothing loaded from elsewhere, element by element."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO
from xml.etree.ElementTree import Element, ParseError

from defusedxml.ElementTree import iterparse

from custom_labels.datasets.imports.entries import Unfit
from custom_labels.datasets.imports.source import ImportCode

LONGEST_PART = 8 * 1024 * 1024
"""Bytes of what is directly in the outermost element: far above those of any image."""


class _Measured:
    """A file of which not more is read at a stretch than is held."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.at_a_stretch = 0

    def read(self, size: int = -1) -> bytes:
        """Read on.

        :raises Unfit: a part is too long.
        """
        chunk = self._file.read(size)
        self.at_a_stretch += len(chunk)
        if self.at_a_stretch > LONGEST_PART:
            raise Unfit(ImportCode.UNREADABLE_FILE, f"a part of it has more than {LONGEST_PART:,} bytes")
        return chunk


def read_elements(file: BinaryIO) -> Iterator[tuple[str, Element]]:
    """Parse a file, giving each element when it begins and when it ends.

    :raises Unfit: it is no XML; it defines entities, with which a small file would fill a worker's memory; or a part
        of it would by itself.
    """
    measured, depth = _Measured(file), 0
    try:
        for event, element in iterparse(measured, events=("start", "end"), forbid_dtd=False, forbid_entities=True):
            depth += 1 if event == "start" else -1
            if depth == 1:
                measured.at_a_stretch = 0
            yield event, element
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
