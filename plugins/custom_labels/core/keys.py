"""Where things lie in the bucket, and which keys can be images."""

from __future__ import annotations

import hashlib
import mimetypes
import re
from pathlib import PurePosixPath

IMAGES = "images_labeled_by_folder/"
ANNOTATIONS = "annotations/"
REVIEWED_LINES = "annotations/reviewed/"
REVIEWED_IMAGES = "images_reviewed/"
IMPORTS = "imports/"
IMPORTED_LINES = "annotations/imported/"
IMPORTED_IMAGES = "images_imported/"
REPLACED_IMAGES = "images_replaced/"
INBOX = "images_for_detection/"
UNLABELED = "images_to_label/"
LABEL_ASSIST = "label_assist/"
DETECTIONS = "detections/"
DETECTION_LOG = "detection_log/"
A2I_OUTPUT = "a2i-human-loop-data/"
LABELING_JOBS = "ground-truth/jobs/"
LABELING_OUTPUT = "ground-truth/output/"
LABELING_REVIEWS = "ground-truth/reviews/"
REVIEWS = "reviews/"
LABEL_STUDIO_ANSWERS = "reviews/label_studio/"
NONE_FITS = "reviews/none_of_the_above/"
SNAPSHOTS = "snapshots/"
CHECKS = "snapshots/checks/images.sqlite"
PICTURES = "snapshots/checks/pictures.sqlite"
LINES_READ = "snapshots/checks/lines.sqlite"
MANIFESTS = "manifests/"
OWN_FOLDERS = (
    *(IMAGES, ANNOTATIONS, REVIEWED_IMAGES, IMPORTS, IMPORTED_IMAGES, REPLACED_IMAGES, LABEL_ASSIST, DETECTIONS),
    *(DETECTION_LOG, "detection_work/", A2I_OUTPUT, "ground-truth/", REVIEWS, SNAPSHOTS, MANIFESTS, "evaluation/"),
    *("registry/", "audit/"),
)
"""Where the project keeps what it makes, and where labelled images lie: all but its inbox."""

IMAGE_SUFFIXES = (".jpg", ".jpeg", ".png", ".jfif", ".jpe", ".jif", ".jfi", ".pjpeg", ".pjp")
"""Endings of JPEG and PNG files, whatever their case."""

_LEFT_BY_SYSTEMS = {".db", ".ini"}
"""Windows leaves ``Thumbs.db`` and ``desktop.ini`` beside pictures."""
# The tables of the standard library alone: what a machine has in /etc/mime.types would make the rule differ from host
# to host. The ending of raw bytes says nothing.
_MIME = mimetypes.MimeTypes()
_OTHER_KINDS = _LEFT_BY_SYSTEMS.union(
    [ending for table in _MIME.types_map for ending, kind in table.items() if not kind.startswith("image/")]
    + [ending.lower() for ending in _MIME.encodings_map]
) - {ending for table in _MIME.types_map for ending, kind in table.items() if kind == "application/octet-stream"}

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


def may_be_image(key: str) -> bool:
    """Whether a file may be an image by its name; only its content proves it.

    Names without an ending, with one that says nothing (``photo.2026``), and with that of another picture format may
    be: it is for Custom Labels to refuse them by their content. A text or a film by its name is none, nor is a hidden
    file such as ``.DS_Store``.
    """
    path = PurePosixPath(key)
    return has_image_suffix(key) or not (path.name.startswith(".") or path.suffix.lower() in _OTHER_KINDS)


def snapshot_header(digest: str) -> str:
    """Give the place of a snapshot's header."""
    return f"{SNAPSHOTS}{digest}/snapshot.json"


def snapshot_images(digest: str) -> str:
    """Give the place of a snapshot's images, an SQLite file."""
    return f"{SNAPSHOTS}{digest}/images.sqlite"


def snapshot_inspection(digest: str) -> str:
    """Give the place of what was found in a snapshot."""
    return f"{SNAPSHOTS}{digest}/inspection.json"


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


def why_no_folder(label: str, key: str) -> str:
    """Explain why images cannot lie in a folder of a label's name; empty if they can.

    :param key: of an image there, with the project's prefix.
    """
    if label in {"", ".", ".."} or "/" in label or has_control_character(label):
        return f"{label!r} can be no folder's name"
    if len(key.encode()) > MAXIMUM_KEY_BYTES:
        return f"the copy's key would be longer than the {MAXIMUM_KEY_BYTES} bytes that S3 takes"
    return ""


def harvested_key(label: str, review: str, key: str) -> str:
    """Give the place of an image's copy in a label's folder: derived, so that a second harvest writes the same object.

    :param review: name of the review that gave the label.
    :param key: of the image; only its ending is kept, since nothing else of it is ours.
    """
    return f"{label_folder(label)}{review}{_ending(key)}"


def none_fits_key(review: str, key: str) -> str:
    """Give the place of an image that shows none of the labels."""
    return f"{NONE_FITS}{review}{_ending(key)}"


def reviewed_key(review: str, key: str) -> str:
    """Give the place of the copy of an image that people annotated: derived, and the same whatever they say of it."""
    return f"{REVIEWED_IMAGES}{review}{_ending(key)}"


def reviewed_lines_key(chunk: str) -> str:
    """Give the place of what people say about the images of a chunk of a harvest."""
    return f"{REVIEWED_LINES}{chunk}.manifest"


def imported_name(uri: str, etag: str) -> str:
    """Name the copy of an image of elsewhere: derived, so that a second import writes the same object.

    :param uri: of the image, whose name it begins with as far as that is plain; ``etag`` without quotes.
    """
    stem, ending = PurePosixPath(uri).stem, _ending(uri)
    plain = re.sub(r"[^A-Za-z0-9._-]+", "_", stem)[:60].strip("._") or "image"
    return f"{plain}-{hashlib.sha256(f'{uri} {etag}'.encode()).hexdigest()[:12]}{ending}"


def _ending(key: str) -> str:
    return next((suffix for suffix in IMAGE_SUFFIXES if key.lower().endswith(suffix)), "")
