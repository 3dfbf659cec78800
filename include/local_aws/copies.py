"""CopyObject's condition on the source's ETag, which moto does not look at."""

from __future__ import annotations

from urllib.parse import unquote

from include.local_aws.messages import Request
from include.local_aws.objects import ObjectMissing, Objects

_CONDITION = "x-amz-copy-source-if-match"
_SOURCE = "x-amz-copy-source"


def source_of(request: Request) -> tuple[str, str] | None:
    """Return bucket and key of what a request copies, None if it copies nothing."""
    source = request.headers.get(_SOURCE)
    if source is None:
        return None
    bucket, _, key = unquote(source).partition("?versionId=")[0].lstrip("/").partition("/")
    return bucket, key


def is_other_source(request: Request, objects: Objects) -> bool:
    """Say whether a copy is asked for of a source that must have another ETag than it has.

    A missing source is left to moto, which has the right error for it.
    """
    wanted, source = request.headers.get(_CONDITION), source_of(request)
    if wanted is None or source is None:
        return False
    try:
        return objects.etag(*source) != wanted.strip('"')
    except (ObjectMissing, PermissionError):
        return False
