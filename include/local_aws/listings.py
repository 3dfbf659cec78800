"""ListObjectsV2's RestoreStatus, which moto does not write: which archived objects can be read for some days."""

from __future__ import annotations

import re
from urllib.parse import unquote_plus
from xml.sax.saxutils import unescape

from include.local_aws.messages import Request, Response
from include.local_aws.objects import Objects

_ARCHIVED = re.compile(
    r"(<Contents>\s*<Key>([^<]*)</Key>(?:(?!</Contents>).)*?"
    r"<StorageClass>(?:GLACIER|DEEP_ARCHIVE)</StorageClass>(?:(?!</Contents>).)*?)(</Contents>)",
    re.DOTALL,
)


def with_restore_status(request: Request, response: Response, objects: Objects) -> Response:
    """Add RestoreStatus to the archived objects of a listing that asks for it (S3 API reference, ListObjectsV2)."""
    asked = "restorestatus" in request.headers.get("x-amz-optional-object-attributes", "").lower()
    if not asked or response.status != 200 or (b"ARCHIVE<" not in response.body and b"GLACIER<" not in response.body):
        return response
    bucket = request.path.lstrip("/").partition("/")[0]
    encoded = request.parameters.get("encoding-type") == "url"

    def add(match: re.Match[str]) -> str:
        key = unescape(match[2])
        until = objects.restored_until(bucket, unquote_plus(key) if encoded else key)
        if until is None:
            return match[0]
        status = "<IsRestoreInProgress>false</IsRestoreInProgress>" + f"<RestoreExpiryDate>{until}</RestoreExpiryDate>"
        return f"{match[1]}<RestoreStatus>{status}</RestoreStatus>{match[3]}"

    body = _ARCHIVED.sub(add, response.body.decode()).encode()
    headers = {name: value for name, value in response.headers.items() if name.lower() != "content-length"}
    return Response(response.status, headers, body)
