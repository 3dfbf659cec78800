"""The page that shows what there is to learn from: HTML without scripts, which needs nothing from elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from custom_labels.core.names import PAGES
from custom_labels.datasets.inspection.inspection import Inspection
from custom_labels.evaluation.templates import render
from custom_labels.evaluation.thumbnail_records import thumbnails
from custom_labels.s3.store import S3Store

SHOWN_SUSPECTS, SHOWN_GROUPS, SHOWN_LABELS = 24, 12, 40
"""Suspects, groups and labels that are shown with pictures; the record has more."""
SIDE = 160
"""Pixels of the longer side of a picture: a page has up to 300 of them, some 2 MB."""


def data_page(project: str, store: S3Store, found: Inspection) -> str:
    """Write the page of a snapshot's inspection.

    Keys and labels come from a bucket that others write to; they are text here, whatever they hold.
    """
    pictures = thumbnails(store, dict.fromkeys(store.uri(key) for key in _shown(found)), SIDE)
    return render(
        "data.html.j2",
        Path(__file__).parent,
        project=project,
        found=found,
        suspects=found.suspects[:SHOWN_SUSPECTS],
        groups=found.groups[:SHOWN_GROUPS],
        most_images=max((each.images for each in found.labels), default=0) or 1,
        most_of_a_size=max((each.images for each in found.sizes), default=0) or 1,
        labels_with_examples=found.labels[:SHOWN_LABELS],
        pictures={key: pictures.get(store.uri(key)) for key in _shown(found)},
        lineage=f"{PAGES}/{project}/lineage",
    )


def _shown(found: Inspection) -> Iterator[str]:
    """Give the keys of the images that are shown."""
    for suspect in found.suspects[:SHOWN_SUSPECTS]:
        yield suspect.key
    for group in found.groups[:SHOWN_GROUPS]:
        yield from group.keys
    for label in found.labels[:SHOWN_LABELS]:
        yield from label.examples
