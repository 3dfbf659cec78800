"""What S3 takes as the name of a bucket and as the beginning of a key (S3 user guide, "General purpose bucket naming
rules" and "Naming Amazon S3 objects")."""

from __future__ import annotations

import re

_BUCKET = re.compile(r"[a-z0-9][a-z0-9.\-]{1,61}[a-z0-9]")
_ADDRESS = re.compile(r"\d+\.\d+\.\d+\.\d+")
_RESERVED_BEGINNINGS = ("xn--", "sthree-", "amzn-s3-demo-")
_RESERVED_ENDINGS = ("-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3")
LONGEST_PREFIX = 200
"""Bytes of a prefix at most: a key has 1,024, and the rest is for what lies below the prefix."""


def why_no_bucket_name(name: str) -> str | None:
    """Say why no bucket can have this name, ``None`` if one can."""
    if "://" in name or "/" in name:
        return "expected the name of a bucket alone, without 's3://' and without a folder, which is 'prefix'"
    if name.startswith("arn:"):
        return "expected the name of a bucket, not its ARN"
    if not _BUCKET.fullmatch(name):
        return (
            "expected the name of a bucket, 3 to 63 lowercase letters, digits, dots and dashes, with a letter or digit "
            "at both ends"
        )
    if ".." in name or _ADDRESS.fullmatch(name):
        return "expected the name of a bucket, which has no two dots in a row and is no IP address"
    if name.startswith(_RESERVED_BEGINNINGS) or name.endswith(_RESERVED_ENDINGS):
        return "expected the name of a bucket; S3 keeps this beginning or ending for itself"
    return None


def why_no_prefix(prefix: str) -> str | None:
    """Say why keys cannot begin like this, ``None`` if they can.

    :param prefix: empty, or ending in a slash.
    """
    parts = prefix.split("/")[:-1]
    if "" in parts or {".", ".."} & set(parts) or not prefix.isprintable():
        return (
            "expected folders with single slashes between them, such as 'models/birds', without the bucket, '.', '..' "
            "and characters that cannot be seen"
        )
    if parts and parts[0].endswith(":"):
        return "expected folders within the bucket, without 's3://'"
    if len(prefix.encode()) > LONGEST_PREFIX:
        return f"expected at most {LONGEST_PREFIX} bytes"
    return None
