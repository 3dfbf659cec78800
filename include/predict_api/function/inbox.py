"""Put an image into the project's inbox, so that the detect DAG and people get it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from .bodies import SentImage
from .errors import error_code
from .logs import log

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client

INBOX = "images_for_detection/predict/"
_KINDS = {".jpg": "image/jpeg", ".png": "image/png"}
_THERE = frozenset({"PreconditionFailed", "ConditionalRequestConflict"})
"""Codes of a conditional write for an object that is there, and for one that another request writes at this moment."""


def inbox_key(image: SentImage, prefix: str, day: datetime) -> str:
    """Give an image's place, the same for the same bytes on one day."""
    return f"{prefix}{INBOX}{day:%Y/%m/%d}/{image.name}{image.ending}"


def put_into_inbox(s3: S3Client, bucket: str, prefix: str, image: SentImage) -> str:
    """Put an image there once; the answer to the caller does not depend on it, so that a refusal is only logged.

    :return: ``put``, ``there`` or ``failed``.
    """
    from botocore.exceptions import BotoCoreError, ClientError

    key = inbox_key(image, prefix, datetime.now(UTC))
    try:
        s3.put_object(Bucket=bucket, Key=key, Body=image.content, ContentType=_KINDS[image.ending], IfNoneMatch="*")
    except (BotoCoreError, ClientError) as error:
        if isinstance(error, ClientError) and error_code(error) in _THERE:
            return "there"
        log("error", "inbox_failed", key=key, cause=str(error))
        return "failed"
    return "put"
