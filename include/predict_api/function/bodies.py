"""What is in a body: the bytes of an image, an image in JSON, or the place of one in S3."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from .errors import Trouble
from .events import Request
from .settings import ApiSettings

BINARY_TYPES = ("image/jpeg", "image/png", "application/octet-stream")
"""Media types of bodies that are images: the REST API of predict-api.yaml hands these over as Base64, no others.

With ``*/*`` JSON would be encoded a second time, and an image in JSON could have 3.3 MB: Lambda takes events of 6 MB.
"""
JSON_TYPE = "application/json"
LARGEST_IMAGE_BYTES = 4 * 1024 * 1024
"""Image bytes that DetectCustomLabels takes (Custom Labels developer guide, limits); the service model says 5 MB."""
_LONGEST_KEY_BYTES = 1024
_SIGNATURES = {b"\xff\xd8\xff": ".jpg", b"\x89PNG\r\n\x1a\n": ".png"}


@dataclass(frozen=True)
class SentImage:
    """An image that was sent.

    :param ending: of its kind, ``.jpg`` or ``.png``.
    """

    content: bytes
    ending: str

    @cached_property
    def name(self) -> str:
        """The SHA-256 of its bytes, in hexadecimal."""
        return hashlib.sha256(self.content).hexdigest()

    @property
    def for_aws(self) -> dict[str, Any]:
        """``Image`` of DetectCustomLabels."""
        return {"Bytes": self.content}


@dataclass(frozen=True)
class StoredImage:
    """An image in the project's bucket.

    :param key: with the project's prefix.
    """

    bucket: str
    key: str

    @property
    def name(self) -> str:
        """Its URI."""
        return f"s3://{self.bucket}/{self.key}"

    @property
    def for_aws(self) -> dict[str, Any]:
        """``Image`` of DetectCustomLabels."""
        return {"S3Object": {"Bucket": self.bucket, "Name": self.key}}


def image_of(request: Request, settings: ApiSettings) -> SentImage | StoredImage:
    """Read the image of a request.

    :raises Trouble: 400 for a body that holds none, 413 for one that is too large, 415 for another kind of body.
    """
    kind = request.content_type
    if kind in BINARY_TYPES:
        return _sent(request.body)
    if kind == JSON_TYPE:
        return _in_json(request.body, settings)
    raise Trouble(
        415,
        "unsupported_type",
        f"Content-Type is {kind[:100]!a}: expected {', '.join((*BINARY_TYPES, JSON_TYPE))}. Send one of these.",
    )


def _sent(content: bytes) -> SentImage:
    if not content:
        raise Trouble(400, "bad_body", "The body has no image in it. Send the bytes of a JPEG or PNG file.")
    if len(content) > LARGEST_IMAGE_BYTES:
        raise Trouble(
            413,
            "image_too_large",
            f"The image has {len(content):,} bytes: at most {LARGEST_IMAGE_BYTES:,} can be sent. Send a smaller one, "
            "or name one in S3.",
        )
    for signature, ending in _SIGNATURES.items():
        if content.startswith(signature):
            return SentImage(content, ending)
    raise Trouble(400, "bad_image", "The image is neither JPEG nor PNG by its content. Send one of these.")


def _in_json(body: bytes, settings: ApiSettings) -> SentImage | StoredImage:
    try:
        value = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise _bad_json("The body is no JSON", cause=str(error)) from error
    if not isinstance(value, dict) or len(value) != 1:
        raise _bad_json("The body is no JSON object with one field")
    ((field, text),) = value.items()
    if field not in {"image", "s3"} or not isinstance(text, str):
        raise _bad_json(f"The body has the field {field[:100]!a}, or another value than text")
    return _stored(text, settings) if field == "s3" else _encoded(text)


def _bad_json(what: str, cause: str = "") -> Trouble:
    way = 'Send {"image": "<Base64 of a JPEG or PNG file>"} or {"s3": "s3://bucket/key"}.'
    return Trouble(400, "bad_body", f"{what}. {way}", cause=cause)


def _encoded(text: str) -> SentImage:
    try:
        content = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise _bad_json("'image' is not Base64 (RFC 4648, without line breaks)", cause=str(error)) from error
    return _sent(content)


def _stored(uri: str, settings: ApiSettings) -> StoredImage:
    """Take an image of the project's own bucket and folder only: the function may read what its callers may not."""
    if not settings.images_below:
        raise Trouble(400, "bad_image", "Images in S3 are not taken here. Send the bytes of the image.")
    below = f"s3://{settings.bucket}/{settings.prefix}{settings.images_below}"
    key = uri.removeprefix(f"s3://{settings.bucket}/")
    if not uri.startswith(below) or len(uri) == len(below) or len(key.encode("utf-8", "replace")) > _LONGEST_KEY_BYTES:
        raise Trouble(
            400,
            "bad_image",
            f"'s3' is {uri[:200]!a}: expected an image below {below}. Copy it there, or send its bytes.",
        )
    return StoredImage(settings.bucket, key)
