"""What Custom Labels accepts as an image, what was left out of a snapshot, and why."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

# Rekognition Custom Labels developer guide, "Guidelines and quotas".
MINIMUM_SIDE = 64
MAXIMUM_SIDE = 4096
MAXIMUM_BYTES = 15 * 1024 * 1024
MAXIMUM_ASPECT = 20
MAXIMUM_LABELS = 250
MAXIMUM_LABEL_NAME = 256
MAXIMUM_TEST_IMAGES = 1000
"""Test images of a label."""
MAXIMUM_IMAGES = 250_000

FORMATS = frozenset({"PNG", "JPEG", "MPO"})
"""Pillow's names of PNG and JPEG content; MPO is a JPEG that carries further pictures behind it."""

EXAMPLES = 20
"""Example keys kept for each reason."""


class LeftOut(StrEnum):
    """Why an object that could be an image, or an annotation, is not in the snapshot."""

    TOO_NEW = "newer than the run"
    FOLDER_MARKER = "folder marker or empty file"
    OTHER_FILE = "another kind of file by its name"
    NO_LABEL = "in no label folder"
    KEY = "a control character in its key"
    CORRUPT = "corrupt"
    FORMAT = "neither PNG nor JPEG by content"
    TOO_SMALL = "a side below 64 pixels"
    TOO_LARGE = "a side above 4096 pixels"
    ASPECT = "longer than 20 times its width"
    TOO_HEAVY = "above 15 MB"
    DUPLICATE = "same content as another image of the label"
    CONFLICT = "same content under another label"
    VANISHED = "deleted while it was read"
    REPLACED = "replaced while it was read"
    ARCHIVED = "archived, so that it must be restored before it can be read"
    DENIED = "S3 refuses to read it, for want of permission for it or for its KMS key"
    CUSTOMER_KEY = "encrypted with a key of its owner (SSE-C), with which Custom Labels cannot read it"
    REFUSED = "refused by Custom Labels when it was to be trained on"
    FEW_IMAGES = "its label has fewer than two usable images"
    LABEL_NAME = "its label has a name of more than 256 characters"
    UNANNOTATED = "no annotation"
    NO_IMAGE = "an annotation whose image is not there"
    ANNOTATION = "a line of annotations that cannot be used"
    IMAGE_SIZE = "its annotation gives it a size that it does not have"
    NOTHING_THERE = "its annotation says that nothing is on it, which Custom Labels does not train on"
    TEST_LIMIT = "its label has the 1,000 test images that Custom Labels takes, and it must not be trained on"

    @property
    def is_permanent(self) -> bool:
        """Whether this holds as long as the object does, so that it need not be read again."""
        return self in {
            *(LeftOut.CORRUPT, LeftOut.FORMAT, LeftOut.TOO_SMALL, LeftOut.TOO_LARGE),
            *(LeftOut.ASPECT, LeftOut.TOO_HEAVY, LeftOut.REFUSED),
        }

    @property
    def is_refused(self) -> bool:
        """Whether S3 has the object and did not give its content."""
        return self in {LeftOut.ARCHIVED, LeftOut.DENIED, LeftOut.CUSTOMER_KEY}


def judge_header(kind: str, width: int, height: int) -> LeftOut | None:
    """Say why Custom Labels would refuse an image by its format or dimensions, ``None`` when it would not.

    :param kind: Pillow's name of the format.
    :param width: in pixels; likewise ``height``.
    """
    short, long = sorted((width, height))
    if kind not in FORMATS:
        return LeftOut.FORMAT
    if short < MINIMUM_SIDE:
        return LeftOut.TOO_SMALL
    if long > MAXIMUM_SIDE:
        return LeftOut.TOO_LARGE
    return LeftOut.ASPECT if long > MAXIMUM_ASPECT * short else None


def etag_is_md5(etag: str, encryption: str | None, customer_algorithm: str | None) -> bool:
    """Whether an ETag is the MD5 of the content (S3 user guide, "Checking object integrity").

    It is for objects written by one PUT, POST or COPY and encrypted with S3's own keys, and is not for
    multipart uploads (which have a dash) nor under SSE-KMS or SSE-C.

    :param etag: without quotes; the others are S3's headers ``x-amz-server-side-encryption`` and
        ``x-amz-server-side-encryption-customer-algorithm``.
    """
    return bool(re.fullmatch(r"[0-9a-f]{32}", etag)) and encryption in {None, "AES256"} and customer_algorithm is None


@dataclass
class Tally:
    """Counts of what was left out, with a few keys as examples; memory does not grow with the count."""

    counts: Counter[LeftOut] = field(default_factory=Counter)
    examples: dict[LeftOut, list[str]] = field(default_factory=dict)

    def add(self, reason: LeftOut, key: str, count: int = 1) -> None:
        """Count an object, and keep its key if there are few."""
        self.counts[reason] += count
        keys = self.examples.setdefault(reason, [])
        if len(keys) < EXAMPLES:
            keys.append(key)

    def merge(self, other: Tally) -> None:
        """Take over what another stream counted."""
        self.counts.update(other.counts)
        for reason, keys in other.examples.items():
            mine = self.examples.setdefault(reason, [])
            mine.extend(keys[: EXAMPLES - len(mine)])

    def by_reason(self) -> tuple[tuple[str, int], ...]:
        """Give the counts, sorted by reason."""
        return tuple(sorted((reason.value, count) for reason, count in self.counts.items()))


@dataclass(frozen=True)
class CheckReport:
    """What was inspected for a snapshot and what was left out; nothing was moved or deleted.

    :param images: candidates inspected: named as images, in a label, not newer than the run.
    :param read: those of them that were read now, not known from an earlier check.
    :param left_out: pairs of reason (a value of :class:`LeftOut`) and count, sorted.
    :param examples: up to 20 keys a reason.
    :param labels_left_out: labels without enough usable images for a train and a test image, or with too long a name.
    :param left_out_by_label: of the candidates, those that are not in the snapshot.
    :param merged: by label, its folders, where several have the same name to a person.
    :param annotations: what is to be said of lines of annotations, where there are such, for people.
    """

    images: int
    read: int
    left_out: tuple[tuple[str, int], ...] = ()
    examples: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    labels_left_out: tuple[str, ...] = ()
    left_out_by_label: Mapping[str, int] = field(default_factory=dict)
    merged: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    annotations: tuple[str, ...] = ()

    def lines(self) -> list[str]:
        """Word it for people, one line a reason."""
        lines = [f"{self.images} images inspected, {self.read} of them for the first time."]
        for reason, count in self.left_out:
            keys = ", ".join(self.examples.get(reason, ())[:3])
            lines.append(f"{count} left out: {reason} ({keys}{', ...' if count > 3 else ''})")
        return [*lines, *self.annotations]
