"""What a source of images with labels or boxes gives: an annotation for each image, or what is wrong with a line."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import BinaryIO, Protocol

from custom_labels.core.project_task import ProjectTask
from custom_labels.datasets.annotations.annotation import Annotation, Code, ImageSize

UNDATED = datetime(1970, 1, 1, tzinfo=UTC)
"""The moment of annotations whose source does not say when they were made: whoever imports them knows a better one.

Left as it is, such an annotation is older than any other of its image, and replaces none.
"""


class SourceKind(StrEnum):
    """What a source is."""

    FOLDERS = "folders"
    """Folders of images in S3, whose names are the labels."""
    MANIFEST = "manifest"
    """Lines of JSON as Ground Truth and Custom Labels write them."""
    DATASET = "dataset"
    """A dataset of Custom Labels."""
    CSV = "csv"
    COCO = "coco"
    PASCAL_VOC = "pascal_voc"
    YOLO = "yolo"
    LABEL_STUDIO = "label_studio"
    CVAT = "cvat"


class ImportCode(StrEnum):
    """What is wrong with something of a source, beside what Custom Labels has codes for."""

    UNREADABLE_FILE = "UNREADABLE_FILE"
    """A file is not of the format that its source is read as."""
    INVALID_ENTRY = "INVALID_ENTRY"
    """A part of a file lacks something, or has a value that the format does not allow."""
    UNKNOWN_CLASS = "UNKNOWN_CLASS"
    """A box or label has a class that the source does not name."""
    IMAGE_NOT_FOUND = "IMAGE_NOT_FOUND"
    """No image of the source has this name."""
    SEVERAL_IMAGES = "SEVERAL_IMAGES"
    """Several images of the source have this name, in different folders."""
    UNSUPPORTED_SHAPE = "UNSUPPORTED_SHAPE"
    """A shape that is no upright rectangle, from which no box was made."""
    NOT_ANNOTATED = "NOT_ANNOTATED"
    """Nobody has said yet what the image shows."""


@dataclass(frozen=True, slots=True)
class Found:
    """What a source says of an image.

    :param where: in the source, for people: file and line, or file and name of the entry.
    :param annotation: its ``source_ref`` is where the image lies; boxes or shapes that are not used are in ``dropped``
        or come as :class:`Unusable` of their own.
    """

    where: str
    annotation: Annotation


@dataclass(frozen=True, slots=True)
class Unusable:
    """A line, an entry or a shape of a source that cannot be used; it never stops the others.

    :param code: Custom Labels' own, or one of ours.
    :param detail: which value, and what is expected there.
    """

    where: str
    code: Code | ImportCode
    detail: str


SourceItem = Found | Unusable


class SourceFiles(Protocol):
    """The files of a source; names are relative to it, with slashes."""

    def names(self, *suffixes: str) -> Iterator[str]:
        """Give the names of its files in order, or those with one of these endings, whatever their case."""

    def open(self, name: str) -> AbstractContextManager[BinaryIO]:
        """Read a file from its beginning, as a stream."""

    def find_image(self, name: str) -> str | Unusable:
        """Give the ``s3://`` URI of an image that a file names.

        :param name: relative to the source, or only the last part of such a name; also a whole ``s3://`` URI.
        :return: why there is none, with an empty ``where``.
        """

    def image_size(self, uri: str) -> ImageSize | Unusable:
        """Read the size of an image as a person sees it, of its first bytes; for formats that do not have it."""


ReadSource = Callable[[SourceFiles, ProjectTask], Iterator[SourceItem]]
"""Reads a source item by item, in memory that does not grow with their number; where the project's model finds boxes
these are read, else labels."""
