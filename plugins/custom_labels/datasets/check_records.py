"""Checking the images of a listing: what earlier checks found is taken from them, the rest is read, many at once.

``snapshots/checks/images.sqlite`` remembers what was found, so that no image is read twice. Losing it costs only
reading again. It is written by a run that holds the project's lock.
"""

from __future__ import annotations

import logging
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from custom_labels.core.keys import CHECKS
from custom_labels.datasets.image_records import Checked, check_image
from custom_labels.datasets.image_table import ImageTable
from custom_labels.datasets.images import Tally
from custom_labels.datasets.listing_records import in_threads
from custom_labels.datasets.split import position
from custom_labels.s3.errors import StorageError

if TYPE_CHECKING:
    from custom_labels.s3.store import S3Store

log = logging.getLogger(__name__)

READERS = 32
"""Images read at once."""
_BATCH = 32 * READERS
NAMED = 3
"""Refused images that the log names with S3's own words."""
PROBES = 5
"""Images known to be good that are read again, where all others were refused, to tell whose fault it is."""


def fetch_checks(store: S3Store, images: ImageTable, folder: Path) -> Path:
    """Let a table of images know what earlier checks found; give the local file of that."""
    path = folder / "checks.sqlite"
    store.download(CHECKS, path)
    images.use_checks(path)
    return path


def check_images(store: S3Store, images: ImageTable, tally: Tally, readers: int) -> int:
    """Check the images that no earlier check knows, and give their number.

    :param tally: takes the images that cannot be read now.
    :raises StorageError: S3 gave none of the images that were asked for.
    """
    read = refused = 0
    refusal = ""
    while batch := images.some(_BATCH, known=False):
        found = in_threads(lambda image: check_image(store, image.key, image.etag), batch, readers)
        images.settle((image, _position(checked), checked.reason) for image, checked in zip(batch, found, strict=True))
        read += len(batch)
        for image, checked in zip(batch, found, strict=True):
            if checked.reason and not checked.reason.is_permanent:
                tally.add(checked.reason, image.key)
            if checked.detail:
                refused += 1
                refusal = refusal or checked.detail
                if refused <= NAMED:
                    log.warning("An image is left out. %s", checked.detail)
    if refused and refused == read and not _is_any_readable(store, images):
        raise StorageError(f"None of the {refused} images that were to be checked could be read. {refusal}")
    return read


def _position(checked: Checked) -> str | None:
    return position(checked.content_id) if checked.content_id else None


def _is_any_readable(store: S3Store, images: ImageTable) -> bool:
    """Say whether S3 gives some image at all; if not, the images are not at fault, and no training is possible."""
    probes = (check_image(store, image.key, image.etag) for image in images.some(PROBES, known=True))
    return any(checked.reason is None or not checked.reason.is_refused for checked in probes)


def remember(store: S3Store, images: ImageTable, path: Path, as_of: datetime) -> None:
    """Keep what was found for later runs; a run about the past leaves alone what a later one wrote.

    :param path: the file of the images.
    """
    before = images.checked_as_of
    if not before or datetime.fromisoformat(before) <= as_of:
        store.upload(path, CHECKS)
