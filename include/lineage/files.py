"""Lineage for other programs: JSON, and CSV that no spreadsheet takes for formulas."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable
from typing import TextIO

from custom_labels.core.codec import to_json
from custom_labels.operations.lineage import ImageLineage, Seen, VersionImage, VersionLineage

COLUMNS = ("key", "etag", "side", "used", "labels", "predicted", "right")
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""What a spreadsheet takes for the beginning of a formula, also in full width (OWASP, "CSV Injection")."""


def write_json(out: TextIO, lineage: ImageLineage) -> None:
    """Write what is known of an image."""
    # In ASCII, so that a terminal gets no sign from a key that is not its own.
    out.write(f"{json.dumps(to_json(lineage), indent=1)}\n")


def write_version_json(out: TextIO, lineage: VersionLineage, images: Iterable[VersionImage]) -> None:
    """Write a version and its images, which are as they come: memory does not grow with them."""
    head = json.dumps(to_json(lineage), indent=1)
    out.write(f'{head.removesuffix("}").rstrip()},\n "images": [')
    out.writelines(f"{',' if number else ''}\n  {json.dumps(to_json(image))}" for number, image in enumerate(images))
    out.write("\n ]\n}\n")


def write_csv(out: TextIO, images: Iterable[VersionImage]) -> None:
    """Write a line for each image, with a heading."""
    rows = csv.writer(out)
    rows.writerow(COLUMNS)
    for each in images:
        image = each.image
        predicted = "" if each.seen is None else in_words(each.seen)
        right = "" if each.right is None else _yes_or_no(is_so=each.right)
        row = (image.key, image.etag, image.subset, _yes_or_no(is_so=image.is_used), ", ".join(image.labels))
        rows.writerow([plain_cell(cell) for cell in (*row, predicted, right)])


def plain_cell(text: str) -> str:
    """Give a cell that a spreadsheet shows as text: one that begins like a formula gets an apostrophe before it.

    What begins with blanks and goes on like a formula is one for some programs.
    """
    return f"'{text}" if text.lstrip(" ").startswith(_FORMULA) else text


def in_words(seen: Iterable[Seen]) -> str:
    """Say what a version saw."""
    return ", ".join(f"{each.label} {each.confidence:.0%}" for each in seen) or "nothing"


def _yes_or_no(*, is_so: bool) -> str:
    return "yes" if is_so else "no"
