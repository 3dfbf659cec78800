"""The result of a detection in S3, drawn over its image."""

from __future__ import annotations

from custom_labels.datasets.images import MAXIMUM_BYTES
from custom_labels.evaluation.drawn_result import LARGEST_BYTES, SIDE, read_result
from custom_labels.evaluation.thumbnail_records import small_picture
from custom_labels.s3.errors import MISSING
from custom_labels.s3.store import S3Store


def draw_result(store: S3Store, key: str) -> str | None:
    """Draw a result, ``None`` where there is none; without its image where that is gone or no picture.

    :param key: of the result; only images in the project's place are shown.
    :raises StorageError: S3 refused.
    """
    text = _read(store, key, LARGEST_BYTES)
    result = read_result(text) if text else None
    if result is None:
        return None
    body = _read(store, result.key, MAXIMUM_BYTES)
    picture = small_picture(body, SIDE) if body else None
    return result.draw(picture.uri, picture.size) if picture else result.draw(None)


def _read(store: S3Store, key: str, most: int) -> bytes | None:
    from botocore.exceptions import ClientError

    try:
        body, _ = store.read_bytes(key, expect=MISSING | {"InvalidRange"}, Range=f"bytes=0-{most - 1}")
    except ClientError:
        return None
    return body
