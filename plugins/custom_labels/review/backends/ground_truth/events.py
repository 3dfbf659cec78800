"""The messages by which S3 announces what a labeling job has written, sent by the bucket itself or by EventBridge."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote_plus


def created_key(body: Mapping[str, Any], bucket: str, prefix: str) -> str | None:
    """Give the key, relative to a project's prefix, of the object that a message announces; ``None`` for another one.

    S3 puts one record into a message.
    """
    try:
        if "Records" in body:
            found = body["Records"][0]["s3"]
            name, key = found["bucket"]["name"], unquote_plus(found["object"]["key"])
        elif body.get("source") == "aws.s3":
            name, key = body["detail"]["bucket"]["name"], body["detail"]["object"]["key"]
        else:
            return None
    except (KeyError, TypeError, IndexError):
        return None
    is_ours = name == bucket and isinstance(key, str) and key.startswith(prefix)
    return str(key).removeprefix(prefix) if is_ours else None
