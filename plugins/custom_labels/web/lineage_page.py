"""The pages of lineage: of an image, which is asked about by a form, and of a version. HTML without scripts."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from custom_labels.evaluation.templates import render
from custom_labels.operations.lineage import ImageLineage, Show, VersionImage, VersionLineage

VERSIONS_SHOWN = 25
"""Versions that the page of an image looks at, the newest first, unless all are asked for: each is a download."""
IMAGES_A_PAGE = 100
LONGEST_IMAGE = 2048
"""Characters of a key or a URI that is asked about."""
LAST_PAGE = 1_000_000
"""Far above that of the most images that Custom Labels takes."""
ETAG = r'^("?[0-9a-f]{32}(-[0-9]{1,5})?"?)?$'
"""An ETag of S3, or none."""
_HERE = Path(__file__).parent


def image_page(
    project: str, asked: str, etag: str, found: ImageLineage | None, thumbnail: str | None = None, why_not: str = ""
) -> str:
    """Write the page of an image, or the form alone.

    Keys, labels and reasons come from a bucket that others write to; they are text here, whatever they hold.

    :param asked: what was asked about, and ``etag`` which content; empty where nothing was.
    :param found: what is known of it.
    :param thumbnail: ``data:`` URI of a small picture of it.
    :param why_not: why nothing is shown.
    """
    return render(
        "lineage.html.j2",
        _HERE,
        project=project,
        asked=asked,
        etag=etag,
        found=found,
        thumbnail=thumbnail,
        why_not=why_not,
        longest=LONGEST_IMAGE,
    )


def version_page(found: VersionLineage, images: Sequence[VersionImage], show: Show, page: int) -> str:
    """Write a page of a version's images.

    :param images: those of this page.
    :param page: from 1.
    """
    of_these = found.counts.get(show, 0)
    return render(
        "lineage_version.html.j2",
        _HERE,
        found=found,
        images=images,
        show=show,
        shows=list(Show),
        page=page,
        pages=max(1, -(-of_these // IMAGES_A_PAGE)),
    )
