"""The size of single images in S3, and how they are turned: their first 64 KiB, and all of one where that is needed."""

from __future__ import annotations

import logging
from typing import Any

from custom_labels.datasets.annotations.annotation import ImageSize
from custom_labels.datasets.image_records import HEAD_BYTES, judge_bytes
from custom_labels.datasets.images import MAXIMUM_BYTES
from custom_labels.s3.errors import CHANGED, MISSING, REFUSED
from custom_labels.s3.store import S3Store

EMPTY = frozenset({"InvalidRange"})
"""What S3 answers to a read of a part of an object that has no content."""
log = logging.getLogger(__name__)


def read_image_size(store: S3Store, key: str, etag: str) -> ImageSize | None:
    """Read the size that an image has as a person sees it, and Rekognition, which turns JPEGs by their Exif data.

    :param key: relative to the project's prefix.
    :param etag: without quotes.
    :return: ``None`` where it is another image by now, S3 refuses to give this one, or it has no size.
    :raises StorageError: S3 refused for a reason that is not the object's own.
    """
    from botocore.exceptions import ClientError

    wanted: dict[str, Any] = {"expect": CHANGED | MISSING | REFUSED | EMPTY, "IfMatch": f'"{etag}"'}
    try:
        head, answer = store.read_bytes(key, **wanted, Range=f"bytes=0-{HEAD_BYTES - 1}")
        if answer["ETag"].strip('"') != etag:  # not every server of the S3 protocol heeds If-Match on a read
            return None
        _, picture = judge_bytes(head, whole=False)
        if picture is None and len(head) < _bytes_of(answer) <= MAXIMUM_BYTES:
            # A JPEG may carry a preview and colour tables of more than 64 KiB before its dimensions.
            _, picture = judge_bytes(store.read_bytes(key, **wanted)[0], whole=False)
    except ClientError as error:
        log.warning("The size of an image is not known. %s", store.explain("get_object", key, error))
        return None
    return ImageSize(*picture.upright) if picture else None


def _bytes_of(answer: Any) -> int:
    return int(answer.get("ContentRange", "/0").rpartition("/")[2])
