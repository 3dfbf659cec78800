"""CopyObject's condition on the source's ETag, which moto does not look at."""

from __future__ import annotations

from urllib.parse import unquote

from include.local_aws.messages import Request
from include.local_aws.objects import ObjectMissing, Objects

_CONDITION = "x-amz-copy-source-if-match"
_SOURCE = "x-amz-copy-source"


def is_other_source(request: Request, objects: Objects) -> bool:
    """Say whether a copy is asked for of a source that must have another ETag than it has.

    A missing source is left to moto, which has the right error for it.
    """
    wanted, source = request.headers.get(_CONDITION), request.headers.get(_SOURCE)
    if wanted is None or source is None:
        return False
    bucket, _, key = unquote(source).partition("?versionId=")[0].lstrip("/").partition("/")
    try:
        return objects.etag(bucket, key) != wanted.strip('"')
    except (ObjectMissing, PermissionError):
        return False
