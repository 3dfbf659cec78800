"""Where things lie in the bucket, and which keys can be images."""

from __future__ import annotations

import hashlib
import re

IMAGES = "images_labeled_by_folder/"
INBOX = "images_for_detection/"
DETECTIONS = "detections/"
DETECTION_LOG = "detection_log/"
A2I_OUTPUT = "a2i-human-loop-data/"
REVIEWS = "reviews/"
NONE_FITS = "reviews/none_of_the_above/"
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


MAXIMUM_KEY_BYTES = 1024
"""The longest key that S3 takes, in UTF-8."""
_RESULT_ROOM_BYTES = 300
"""Room around an image's stem: the project's prefix before it; an ETag, a version's name and the ending behind it."""


def result_stem(key: str) -> str:
    """Give what the keys of all results of an image begin with, relative to the project's prefix.

    A key that is too long to be lengthened is replaced by its SHA-256.

    :param key: of an image below ``images_for_detection/``, relative to the project's prefix.
    """
    stem = f"{DETECTIONS}{key.removeprefix(INBOX)}/"
    if len(stem.encode()) + _RESULT_ROOM_BYTES <= MAXIMUM_KEY_BYTES:
        return stem
    return f"{DETECTIONS}{hashlib.sha256(key.encode()).hexdigest()}/"


def result_key(key: str, etag: str, version_name: str) -> str:
    """Give the place of the one result of (image, ETag, version).

    :param etag: without quotes.
    """
    return f"{result_stem(key)}{etag}/{version_name}.json"


def harvested_key(label: str, review: str, key: str) -> str:
    """Give the place of an image's copy in a label's folder: derived, so that a second harvest writes the same object.

    :param review: name of the review that gave the label.
    :param key: of the image; only its ending is kept, since nothing else of it is ours.
    """
    return f"{label_folder(label)}{review}{_ending(key)}"


def none_fits_key(review: str, key: str) -> str:
    """Give the place of an image that shows none of the labels."""
    return f"{NONE_FITS}{review}{_ending(key)}"


def _ending(key: str) -> str:
    return next((suffix for suffix in IMAGE_SUFFIXES if key.lower().endswith(suffix)), "")
