"""Where things lie in the bucket, and which keys can be images."""

from __future__ import annotations

import re

IMAGES = "images_labeled_by_folder/"
SNAPSHOTS = "snapshots/"
CHECKS = "snapshots/checks/"
MANIFESTS = "manifests/"

IMAGE_SUFFIXES = (".jpg", ".jpeg", ".png")
"""The endings that make a file an image for us, whatever their case; the content is checked as well."""

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def has_control_character(key: str) -> bool:
    """Whether a key holds a tab, a line break or another control character: legal in S3, but in no list of ours."""
    return _CONTROL.search(key) is not None


def label_folder(label: str) -> str:
    """Give the folder of a label's images, relative to the project's prefix."""
    return f"{IMAGES}{label}/"


def has_image_suffix(key: str) -> bool:
    """Whether a key's ending says JPEG or PNG."""
    return key.lower().endswith(IMAGE_SUFFIXES)


def snapshot_header(digest: str) -> str:
    """Give the place of a snapshot's header."""
    return f"{SNAPSHOTS}{digest}/snapshot.json"


def manifest_key(digest: str, side: str) -> str:
    """Give the place of a snapshot's manifest; the ending is one that Custom Labels insists on in places."""
    return f"{MANIFESTS}{digest}/{side}.manifest"
