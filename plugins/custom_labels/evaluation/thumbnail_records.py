"""Small pictures of images in the bucket, as ``data:`` URIs; an image that cannot be shown has none."""

from __future__ import annotations

import base64
import io
import logging
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from custom_labels.datasets.images import MAXIMUM_BYTES, MAXIMUM_SIDE
from custom_labels.datasets.pictures import UNREADABLE, open_picture, shrink_upright
from custom_labels.s3.errors import MISSING, StorageError
from custom_labels.s3.store import S3Store

log = logging.getLogger(__name__)

SIDE = 480
"""Pixels of the longer side: enough to see small objects; a page has 60 of them, some 2 MB."""
QUALITY = 75
READERS = 4
"""Images read at once, up to 15 MB each, and up to 64 MB while they are decoded."""


def thumbnails(store: S3Store, images: Iterable[str], side: int = SIDE) -> dict[str, str]:
    """Make small pictures of images, by their URIs.

    :param images: ``s3://`` URIs; those outside the project's place in the bucket are passed over.
    :param side: pixels of the longer side at most.
    """
    ours = [image for image in images if image.startswith(store.uri())]
    with ThreadPoolExecutor(READERS) as pool:
        made = pool.map(lambda image: _thumbnail(store, image.removeprefix(store.uri()), side), ours)
        return {image: picture for image, picture in zip(ours, made, strict=True) if picture}


def _thumbnail(store: S3Store, key: str, side: int) -> str | None:
    from botocore.exceptions import ClientError

    try:
        body, _ = store.read_bytes(key, expect=MISSING | {"InvalidRange"}, Range=f"bytes=0-{MAXIMUM_BYTES - 1}")
    except ClientError:
        return None
    except StorageError as error:
        log.warning("%s", error)
        return None
    return shrink(body, side)


def shrink(body: bytes, side: int = SIDE) -> str | None:
    """Make the small picture of an image's bytes, ``None`` where they are none that Custom Labels takes."""
    picture = small_picture(body, side)
    return picture.uri if picture else None


@dataclass(frozen=True)
class SmallPicture:
    """A picture as a ``data:`` URI, and its width and height in pixels."""

    uri: str
    size: tuple[int, int]


def small_picture(body: bytes, side: int) -> SmallPicture | None:
    """Make a picture, upright, of an image's bytes, ``None`` where they are none that Custom Labels takes.

    :param side: pixels of its longer side at most.
    """
    from PIL import Image

    try:
        with open_picture(body) as image:
            if max(image.size) > MAXIMUM_SIDE:  # before anything is decoded, so that no bomb goes off
                return None
            out = io.BytesIO()
            small = shrink_upright(image, side)
            small.save(out, "JPEG", quality=QUALITY)
    except (Image.DecompressionBombError, *UNREADABLE):
        return None
    return SmallPicture(f"data:image/jpeg;base64,{base64.b64encode(out.getvalue()).decode()}", small.size)
