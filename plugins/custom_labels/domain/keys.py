"""Where things lie in the bucket, and how keys are written into text files."""

from __future__ import annotations

IMAGES = "images_labeled_by_folder/"
SNAPSHOTS = "snapshots/"
CHECKS = "snapshots/checks/"
MANIFESTS = "manifests/"

IMAGE_SUFFIXES = (".jpg", ".jpeg", ".png")
"""The endings that make a file an image for us, whatever their case; what is inside is checked separately."""

# Only these four would break a line of tab-separated values or make escaping ambiguous.
_ESCAPES = {"%": "%25", "\t": "%09", "\n": "%0A", "\r": "%0D"}
_TABLE = str.maketrans(_ESCAPES)


def escape(text: str) -> str:
    """Write a key or label as one field of a row; almost all keys stay as they are."""
    return text.translate(_TABLE)


def unescape(text: str) -> str:
    """Read back what :func:`escape` gave."""
    if "%" not in text:
        return text
    for plain in ("\t", "\n", "\r", "%"):  # the percent sign last, or '%2509' would become a tab
        text = text.replace(_ESCAPES[plain], plain)
    return text


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
