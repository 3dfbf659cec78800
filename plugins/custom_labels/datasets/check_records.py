"""Checking the images of a listing: what earlier checks found is taken from them, the rest is read, many at once.

``snapshots/checks/images.sqlite`` remembers what was found, so that no image is read twice. Losing it costs only
reading again. It is written by a run that holds the project's lock.
"""

from __future__ import annotations

import logging
from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from custom_labels.core.keys import CHECKS
from custom_labels.datasets.image_records import Checked, check_image
from custom_labels.datasets.image_table import ImageTable, ListedImage
from custom_labels.datasets.images import Tally
from custom_labels.s3.errors import StorageError
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


def check_images(store: S3Store, images: ImageTable, tally: Tally) -> int:
    """Check the images that no earlier check knows, and give their number.

    :param tally: takes the images that cannot be read now.
    :raises StorageError: S3 gave none of the images that were asked for.
    """
    read = refused = 0
    refusal = ""
    while batch := images.some(_BATCH, known=False):
        found = check_all(store, batch)
        images.settle(((image, one.position, one.reason) for image, one in zip(batch, found, strict=True)), tally)
        read += len(batch)
        for detail in filter(None, (checked.detail for checked in found)):
            refused += 1
            refusal = refusal or detail
            if refused <= NAMED:
                log.warning("An image is left out. %s", detail)
    if refused and refused == read and all(probe.detail for probe in check_all(store, images.some(PROBES, known=True))):
        # Then it is not the images' fault, and without them nothing can be trained.
        raise StorageError(f"None of the {refused} images that were to be checked could be read. {refusal}")
    return read


def check_all(store: S3Store, images: Collection[ListedImage]) -> list[Checked]:
    """Read some images, many at once; the first error ends it."""
    with ThreadPoolExecutor(READERS) as pool:
        return list(pool.map(lambda image: check_image(store, image.key, image.etag), images))
