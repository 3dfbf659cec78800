"""An image's labels or boxes, where they come from, and what can be wrong with the line that says so."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from custom_labels.errors import CustomLabelsError

# Developer guide, "Guidelines and quotas" and "Validation rules for manifest files".
MAXIMUM_BOXES = 50
MAXIMUM_IMAGE_LABELS = 50
"""Labels of one image, where it has no boxes."""

_DIGEST_CHARACTERS = 32
_SHOWN_CHARACTERS = 60


class Code(StrEnum):
    """Custom Labels' own codes of what is wrong with a manifest line (developer guide, "Non-Terminal JSON Line
    Validation Errors" and "Terminal manifest content errors").
    """

    INVALID_JSON_LINE = "ERROR_INVALID_JSON_LINE"
    MISSING_SOURCE_REF = "ERROR_MISSING_SOURCE_REF"
    INVALID_SOURCE_REF_FORMAT = "ERROR_INVALID_SOURCE_REF_FORMAT"
    IMAGES_IN_MULTIPLE_S3_BUCKETS = "ERROR_IMAGES_IN_MULTIPLE_S3_BUCKETS"
    NO_LABEL_ATTRIBUTES = "ERROR_NO_LABEL_ATTRIBUTES"
    NO_VALID_LABEL_ATTRIBUTES = "ERROR_NO_VALID_LABEL_ATTRIBUTES"
    INVALID_LABEL_ATTRIBUTE_FORMAT = "ERROR_INVALID_LABEL_ATTRIBUTE_FORMAT"
    INVALID_LABEL_ATTRIBUTE_METADATA_FORMAT = "ERROR_INVALID_LABEL_ATTRIBUTE_METADATA_FORMAT"
    UNSUPPORTED_USE_CASE_TYPE = "ERROR_UNSUPPORTED_USE_CASE_TYPE"
    INVALID_LABEL_NAME_LENGTH = "ERROR_INVALID_LABEL_NAME_LENGTH"
    MISSING_CLASS_MAP_ID = "ERROR_MISSING_CLASS_MAP_ID"
    MISSING_BOUNDING_BOX_CONFIDENCE = "ERROR_MISSING_BOUNDING_BOX_CONFIDENCE"
    INVALID_IMAGE = "ERROR_INVALID_IMAGE"
    INVALID_IMAGE_DIMENSION = "ERROR_INVALID_IMAGE_DIMENSION"
    INVALID_BOUNDING_BOX = "ERROR_INVALID_BOUNDING_BOX"
    BOUNDING_BOX_TOO_SMALL = "ERROR_BOUNDING_BOX_TOO_SMALL"
    TOO_MANY_BOUNDING_BOXES = "ERROR_TOO_MANY_BOUNDING_BOXES"
    NO_VALID_ANNOTATIONS = "ERROR_NO_VALID_ANNOTATIONS"


@dataclass(frozen=True, slots=True)
class Refusal:
    """What is wrong with a line, or with one of its boxes.

    :param code: Custom Labels' own.
    :param detail: which value, where in the line, and what is expected there.
    """

    code: Code
    detail: str


class Refused(CustomLabelsError):
    """A line, or a label attribute of one, that cannot be used."""

    def __init__(self, code: Code, detail: str) -> None:
        super().__init__(f"{code}: {detail}")
        self.refusal = Refusal(code, detail)


@dataclass(frozen=True, slots=True)
class Box:
    """Where an object is: pixels from the upper left corner of the image, which may have fractions.

    :param confidence: from 0 to 1, of whoever drew it.
    """

    label: str
    left: float
    top: float
    width: float
    height: float
    confidence: float = 1

    @property
    def sides(self) -> tuple[float, float, float, float]:
        """Left, top, width and height."""
        return self.left, self.top, self.width, self.height


@dataclass(frozen=True, slots=True)
class ImageLabel:
    """A label of the whole image, with a confidence from 0 to 1."""

    label: str
    confidence: float = 1


@dataclass(frozen=True, slots=True)
class ImageSize:
    """The size of the image that boxes were drawn on, in pixels; the depth is its number of channels."""

    width: int
    height: int
    depth: int = 3


@dataclass(frozen=True, slots=True)
class Provenance:
    """Who annotated an image, and when; texts as they came.

    :param created: the moment in UTC that the line gives, as ``2026-01-31T12:00:00``, in one of the ways of ISO 8601.
    :param human_annotated: ``yes`` or ``no``.
    :param job: name of the labeling job, if there is one.
    """

    created: str
    human_annotated: str
    job: str | None = None


@dataclass(frozen=True)
class Annotation:
    """What one line says about one image: boxes, or labels of the whole image.

    Without either it says that nothing of interest is on the image, which Custom Labels takes and does not train on.

    :param source_ref: ``s3://`` URI of the image.
    :param provenance: of the attribute of the line that was written last.
    :param created: that moment, comparable.
    :param size: of the image; only where boxes are drawn.
    :param dropped: boxes and attributes of the line that are not used, as Custom Labels would not, and why.
    """

    source_ref: str
    provenance: Provenance
    created: datetime
    boxes: tuple[Box, ...] = ()
    image_labels: tuple[ImageLabel, ...] = ()
    size: ImageSize | None = None
    dropped: tuple[Refusal, ...] = ()

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels, each once, in order."""
        return tuple(sorted({*(box.label for box in self.boxes), *(each.label for each in self.image_labels)}))

    @property
    def digest(self) -> str:
        """Name what a model would learn from this: 32 hexadecimal digits.

        Labels and boxes are in it, in whatever order they came. Confidence, dates and names are not: Custom Labels does
        not use them (developer guide, "Object localization in manifest files"), and a line that is exported again is
        no new data.
        """
        boxes = sorted((box.label, *map(plain_number, box.sides)) for box in self.boxes)
        content = json.dumps([boxes, sorted(each.label for each in self.image_labels)], separators=(",", ":"))
        return hashlib.sha256(content.encode()).hexdigest()[:_DIGEST_CHARACTERS]

    def without(self, labels: Iterable[str]) -> Annotation:
        """Give it without some labels and their boxes."""
        gone = frozenset(labels)
        return Annotation(
            self.source_ref,
            self.provenance,
            self.created,
            tuple(box for box in self.boxes if box.label not in gone),
            tuple(each for each in self.image_labels if each.label not in gone),
            self.size,
            self.dropped,
        )


def plain_number(number: float) -> float:
    """Give a whole number as such: 12.0 pixels are 12."""
    return int(number) if number == int(number) else number


def shown(value: object) -> str:
    """Write a value of a line in a message: on one line, in ASCII, cut where it is long."""
    # Not its whole repr() first: that of a number with a million digits is an error, and of a list it is work.
    text = ascii(value[:_SHOWN_CHARACTERS]) if isinstance(value, str) else _shown_json(value)
    return text if len(text) <= _SHOWN_CHARACTERS else f"{text[:_SHOWN_CHARACTERS]}..."


def _shown_json(value: object) -> str:
    if isinstance(value, list | dict):
        kind = "a list" if isinstance(value, list) else "an object"
        return f"{kind} of {len(value)}"
    if isinstance(value, int) and abs(value) >= 10**_SHOWN_CHARACTERS:
        return f"a number of more than {_SHOWN_CHARACTERS} digits"
    return json.dumps(value)
