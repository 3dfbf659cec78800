"""The messages by which S3 announces the answers that Label Studio wrote."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import unquote_plus


def announced_keys(body: Mapping[str, Any], bucket: str) -> Iterator[str]:
    """Give the keys of objects that a message announces in a bucket: one of S3 itself, or of EventBridge."""
    if body.get("source") == "aws.s3":
        yield from _key(body.get("detail"), bucket, is_encoded=False)
    records = body.get("Records")
    for record in records if isinstance(records, list) else []:
        if isinstance(record, Mapping) and str(record.get("eventName", "")).startswith("ObjectCreated:"):
            yield from _key(record.get("s3"), bucket, is_encoded=True)


def _key(part: Any, bucket: str, *, is_encoded: bool) -> Iterator[str]:
    try:
        name, key = part["bucket"]["name"], part["object"]["key"]
    except (KeyError, TypeError):
        return
    if name == bucket and isinstance(key, str):
        yield unquote_plus(key) if is_encoded else key
