"""What the readers of foreign formats share: checked values, and images with shapes that become annotations."""

from __future__ import annotations

import math
import posixpath
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from custom_labels.core.keys import has_control_character
from custom_labels.core.project_task import ProjectTask
from custom_labels.datasets.annotations.annotation import (
    MAXIMUM_BOXES,
    MAXIMUM_IMAGE_LABELS,
    Annotation,
    Box,
    Code,
    ImageLabel,
    ImageSize,
    Provenance,
    shown,
)
from custom_labels.datasets.annotations.boxes import judge_box
from custom_labels.datasets.annotations.json_lines import is_number
from custom_labels.datasets.annotations.pixels import clip
from custom_labels.datasets.images import MAXIMUM_LABEL_NAME, MAXIMUM_SIDE, MINIMUM_SIDE
from custom_labels.datasets.imports.source import UNDATED, Found, ImportCode, SourceFiles, SourceItem, Unusable
from custom_labels.datasets.label_names import readable_name
from custom_labels.errors import CustomLabelsError

ROUNDING_PIXELS = 1.0
"""How far a box may stick out of its image and is cut: ratios of six digits, percents, and pixels that are counted
from 0 where others count from 1 put it there, and Custom Labels refuses such a box."""
_LARGEST = 1e9
"""Far above any pixel, and far below where sums lose digits."""
_LONGEST_NUMBER = 60
_LONGEST_NAME = 1024
_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_UNREADABLE_CHARACTER = "\ufffd"
_DRIVE = re.compile(r"[A-Za-z]:/")
_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*://")


class Unfit(CustomLabelsError):
    """A part of a source cannot be used.

    :param detail: which value, and what is expected there.
    """

    def __init__(self, code: Code | ImportCode, detail: str) -> None:
        super().__init__(f"{code}: {detail}")
        self.code, self.detail = code, detail

    def at(self, where: str) -> Unusable:
        """Say where it is."""
        return Unusable(where, self.code, self.detail)


@dataclass(frozen=True, slots=True)
class Made:
    """When an image was annotated, and by whom."""

    moment: datetime = UNDATED
    by_people: bool = True

    def provenance(self) -> Provenance:
        """Write it as a line of annotations does."""
        created = self.moment.astimezone(UTC).replace(tzinfo=None).isoformat()
        return Provenance(created, "yes" if self.by_people else "no")


NOT_KNOWN = Made()


@dataclass(frozen=True, slots=True)
class Shape:
    """An object as a source draws it.

    :param draw: gives its box on an image of some size; raises :class:`Unfit`.
    :param confidence: from 0 to 1, of its label.
    """

    where: str
    label: str
    draw: Callable[[ImageSize], Box]
    confidence: float = 1


@dataclass(frozen=True)
class ImageEntry:
    """An image as a source describes it.

    :param uri: where it lies, or why it is not there.
    :param size: of the picture that was annotated; ``None`` where the source does not say it.
    :param shapes: those that can be used, and those that cannot; taken once.
    :param labels: of the whole image.
    :param says_nothing_is_there: whether an image without any label is an answer, for a model that finds no boxes.
    """

    where: str
    uri: str | Unusable
    size: ImageSize | None
    shapes: Iterable[Shape | Unusable]
    labels: tuple[ImageLabel, ...] = ()
    made: Made = NOT_KNOWN
    says_nothing_is_there: bool = False


# -- annotations ---------------------------------------------------------------------------------------


def annotate(files: SourceFiles, task: ProjectTask, image: ImageEntry) -> Iterator[SourceItem]:
    """Give the annotation of an image, and what of it cannot be used.

    Where the project's model finds boxes they are the shapes' own. Else labels are those of the whole image, or where
    there are none those of its shapes.
    """
    if isinstance(image.uri, Unusable):
        yield replace(image.uri, where=image.where)
    elif task is ProjectTask.OBJECT_DETECTION:
        yield from _with_boxes(files, image, image.uri)
    else:
        yield from _with_labels(image, image.uri)


def _with_boxes(files: SourceFiles, image: ImageEntry, uri: str) -> Iterator[SourceItem]:
    size = image.size or files.image_size(uri)
    if isinstance(size, Unusable):
        yield replace(size, where=image.where)
        return
    if any(not MINIMUM_SIDE <= side <= MAXIMUM_SIDE for side in (size.width, size.height)):
        detail = f"the image is {shown(size.width)} x {shown(size.height)}: expected sides from {MINIMUM_SIDE} to "
        yield Unusable(image.where, Code.INVALID_IMAGE_DIMENSION, f"{detail}{MAXIMUM_SIDE} pixels")
        return
    boxes: list[Box] = []
    used, refused = 0, 0
    for shape in image.shapes:
        try:
            box = shape if isinstance(shape, Unusable) else fit_box(shape.draw(size), size)
        except Unfit as error:
            box = error.at(shape.where)
        if isinstance(box, Unusable):
            refused += 1
            yield box
        else:
            used += 1
            boxes += [box] if used <= MAXIMUM_BOXES else []
    yield _judge_boxes(image, uri, size, boxes, used, refused)


def _judge_boxes(
    image: ImageEntry, uri: str, size: ImageSize, boxes: list[Box], used: int, refused: int
) -> Found | Unusable:
    if used > MAXIMUM_BOXES:
        detail = f"it has {used} boxes: expected at most {MAXIMUM_BOXES}"
        return Unusable(image.where, Code.TOO_MANY_BOUNDING_BOXES, detail)
    if not used and refused:
        return Unusable(image.where, Code.NO_VALID_ANNOTATIONS, f"none of its {refused} shapes can be used")
    if not used and image.labels:
        labels = ", ".join(shown(each.label) for each in image.labels[:3])
        detail = f"it has labels of the whole image only ({labels}): the project's model learns from boxes"
        return Unusable(image.where, Code.NO_LABEL_ATTRIBUTES, detail)
    made = image.made
    return Found(image.where, Annotation(uri, made.provenance(), made.moment, tuple(boxes), size=size))


def _with_labels(image: ImageEntry, uri: str) -> Iterator[SourceItem]:
    labels = {each.label: each for each in image.labels}
    by_shape: dict[str, ImageLabel] = {}
    refused = 0
    for shape in image.shapes:
        if isinstance(shape, Unusable):
            refused += 1
            yield shape
        else:
            by_shape.setdefault(shape.label, ImageLabel(shape.label, shape.confidence))
    used = tuple((labels or by_shape).values())
    if len(used) > MAXIMUM_IMAGE_LABELS:
        detail = f"it has {len(used)} labels: expected at most {MAXIMUM_IMAGE_LABELS}"
        yield Unusable(image.where, Code.NO_VALID_LABEL_ATTRIBUTES, detail)
    elif not used and refused:
        yield Unusable(image.where, Code.NO_VALID_ANNOTATIONS, f"none of its {refused} labels can be used")
    elif not used and not image.says_nothing_is_there:
        yield Unusable(image.where, ImportCode.NOT_ANNOTATED, "it has no label")
    else:
        made = image.made
        yield Found(image.where, Annotation(uri, made.provenance(), made.moment, image_labels=used))


def fit_box(box: Box, size: ImageSize) -> Box:
    """Give a box as Custom Labels takes it: what sticks out of the image by rounding is cut.

    :raises Unfit: it sticks out further, or is too small; with Custom Labels' own code.
    """
    refusal = judge_box(box, size)
    over = max(-box.left, -box.top, box.left + box.width - size.width, box.top + box.height - size.height)
    if refusal and 0 < over <= ROUNDING_PIXELS:
        box = clip(box, size)
        refusal = judge_box(box, size)
    if refusal:
        raise Unfit(refusal.code, refusal.detail)
    left, top, width, height = (whole_if_equal(side) for side in (box.left, box.top, box.width, box.height))
    return Box(box.label, left, top, width, height, box.confidence)


def around(points: Iterable[tuple[float, float]], label: str) -> Box:
    """Give the box around some points, in pixels.

    :raises Unfit: they are fewer than three, which enclose nothing.
    """
    corners = list(points)
    if len(corners) < 3:
        raise Unfit(ImportCode.INVALID_ENTRY, f"a shape of {len(corners)} points: expected at least 3")
    across, down = zip(*corners, strict=True)
    return Box(label, min(across), min(down), max(across) - min(across), max(down) - min(down))


def find_beside(files: SourceFiles, annotations: str, name: str) -> str | Unusable:
    """Find an image that a file of annotations names: beside the file, in the folder ``images`` beside the file's own
    folder, or anywhere in the source.

    :param annotations: name of that file.
    """
    folder = posixpath.dirname(annotations)
    candidates = [name]
    if not _URI.match(name):
        parent = posixpath.dirname(folder)
        candidates = [posixpath.join(folder, name), posixpath.join(parent, "images", name), name]
    found = files.find_image(candidates[0])
    for candidate in candidates[1:]:
        if isinstance(found, str):
            break
        found = files.find_image(candidate)
    return found


# -- values --------------------------------------------------------------------------------------------


def number(value: object, name: str) -> float:
    """Read a number of JSON.

    :param name: of the value, for people.
    :raises Unfit: it is none, or one that cannot be reckoned with.
    """
    if not is_number(value) or abs(value) > _LARGEST:
        raise Unfit(ImportCode.INVALID_ENTRY, f"{name} is {shown_value(value)}: expected a number")
    return whole_if_equal(value)


def number_in(text: str | None, name: str) -> float:
    """Read a number of a text, written as in JSON or XML.

    :raises Unfit: it is none, or one that cannot be reckoned with.
    """
    text = (text or "").strip()
    value = float(text) if len(text) <= _LONGEST_NUMBER and _NUMBER.fullmatch(text) else math.nan
    if not math.isfinite(value):
        raise Unfit(ImportCode.INVALID_ENTRY, f"{name} is {shown(text)}: expected a number")
    return number(value, name)


def whole_if_equal(value: float) -> float:
    """Give a whole number as such: 12.0 pixels are 12."""
    return int(value) if value == int(value) else value


def size_of(width: float, height: float) -> ImageSize | None:
    """Give the size of an image, ``None`` where a source does not know it and says 0.

    :raises Unfit: it is no size.
    """
    if width == height == 0:
        return None
    if width != int(width) or height != int(height) or width < 1 or height < 1:
        detail = f"the size of the image is {shown(width)} x {shown(height)}: expected whole numbers above 0"
        raise Unfit(Code.INVALID_IMAGE_DIMENSION, detail)
    return ImageSize(int(width), int(height))


def text_of(value: object, name: str) -> str:
    """Read a text that people wrote: no control characters, and nothing that is no character.

    :raises Unfit: it is none.
    """
    if not isinstance(value, str) or not value.strip() or len(value) > _LONGEST_NAME:
        expected = f"expected a text of 1 to {_LONGEST_NAME} characters"
        raise Unfit(ImportCode.INVALID_ENTRY, f"{name} is {shown_value(value)}: {expected}")
    if has_control_character(value) or _UNREADABLE_CHARACTER in value or not _is_encodable(value):
        raise Unfit(ImportCode.INVALID_ENTRY, f"{name} is {shown(value)}: it has a character that cannot be read")
    return value


def label_of(value: object, name: str = "the label") -> str:
    """Read the name of a label, as a person reads it.

    :raises Unfit: it is none, or longer than Custom Labels takes.
    """
    if isinstance(value, str) and len(readable_name(value)) > MAXIMUM_LABEL_NAME:
        length = len(readable_name(value))
        detail = f"{name} is {shown(value)}, {length} characters: expected 1 to {MAXIMUM_LABEL_NAME}"
        raise Unfit(Code.INVALID_LABEL_NAME_LENGTH, detail)
    return readable_name(text_of(value, name))


def image_name_of(value: object, name: str = "the name of the image") -> str:
    """Read the name of an image within its source, or its ``s3://`` URI.

    A name that leads out of the source names nothing in it, and is not made to fit.

    :raises Unfit: it is no such name.
    """
    text = text_of(value, name).strip()
    if text.startswith("s3://"):
        return text
    text = text.replace("\\", "/")
    if text.startswith("/") or _DRIVE.match(text) or _URI.match(text) or ".." in text.split("/"):
        expected = "expected a name within the source, or an s3:// URI"
        raise Unfit(ImportCode.INVALID_ENTRY, f"{name} is {shown(text)}: {expected}")
    name_within = posixpath.normpath(text)
    if name_within == ".":
        raise Unfit(ImportCode.INVALID_ENTRY, f"{name} is {shown(text)}, which is a folder")
    return name_within


def moment_of(value: object) -> datetime:
    """Read when something was annotated, in the ways that the formats write it; ``UNDATED`` where that says nothing."""
    if not isinstance(value, str):
        return UNDATED
    try:
        moment = datetime.fromisoformat(value.strip().replace("/", "-"))
        moment = moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return UNDATED
    return max(moment, UNDATED)


def shown_value(value: object) -> str:
    """Write a value in a message; one that is no JSON, too."""
    return ascii(value) if isinstance(value, float) and not math.isfinite(value) else shown(value)


def _is_encodable(text: str) -> bool:
    return not any("\ud800" <= character <= "\udfff" for character in text)
