"""Pascal VOC: an XML file an image, anywhere in the source.

Pixels count from 1 and the last one belongs to the box (VOC2012 development kit: the top-left pixel has the coordinates
1, 1). So a box from 1 to the width covers the whole image, as in Detectron2's reader of the format. Boxes of programs
that count from 0 come out a pixel up and to the left, and a pixel larger.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from xml.etree.ElementTree import Element

from custom_labels.core.project_task import ProjectTask
from custom_labels.datasets.annotations.annotation import Box, ImageSize
from custom_labels.datasets.imports.entries import (
    ImageEntry,
    Shape,
    Unfit,
    annotate,
    find_beside,
    image_name_of,
    label_of,
    number_in,
    size_of,
)
from custom_labels.datasets.imports.source import ImportCode, SourceFiles, SourceItem, Unusable
from custom_labels.datasets.imports.xml_files import read_elements, require_root

_MOST_ELEMENTS = 100_000
"""Of one file: it is about one image."""


def read(files: SourceFiles, task: ProjectTask) -> Iterator[SourceItem]:
    """Read all XML files of a source.

    Objects that are ``difficult``, ``truncated`` or ``occluded`` are used like others; their parts are not. A file
    without objects says that nothing is on its image. The format has no dates.
    """
    name = None
    for name in files.names(".xml"):
        try:
            image = _read_file(files, name)
        except Unfit as error:
            yield error.at(name)
        else:
            yield from annotate(files, task, image)
    if name is None:
        yield Unusable("", ImportCode.UNREADABLE_FILE, "the source has no file whose name ends in .xml")


def _read_file(files: SourceFiles, name: str) -> ImageEntry:
    root: Element | None = None
    with files.open(name) as file:
        for count, (_, element) in enumerate(read_elements(file)):
            if root is None:
                root = element
                require_root(root, "annotation", "Pascal VOC")
            if count > _MOST_ELEMENTS:
                detail = f"it has more than {_MOST_ELEMENTS:,} elements: expected one image"
                raise Unfit(ImportCode.UNREADABLE_FILE, detail)
    if root is None:
        raise Unfit(ImportCode.UNREADABLE_FILE, "it is empty")
    image = image_name_of(root.findtext("filename"), "'filename'")
    shapes = [_read_object(name, number, each) for number, each in enumerate(root.findall("object"), start=1)]
    return ImageEntry(name, find_beside(files, name, image), _read_size(root.find("size")), shapes)


def _read_size(size: Element | None) -> ImageSize | None:
    if size is None:
        return None
    return size_of(*(number_in(size.findtext(side), f"'{side}' of the image") for side in ("width", "height")))


def _read_object(name: str, number: int, element: Element) -> Shape | Unusable:
    where = f"{name} object {number}"
    try:
        return Shape(where, label_of(element.findtext("name"), "'name'"), partial(_draw, element))
    except Unfit as error:
        return error.at(where)


def _draw(element: Element, _size: ImageSize) -> Box:
    box = element.find("bndbox")
    if box is None:
        raise Unfit(ImportCode.UNSUPPORTED_SHAPE, "it has no 'bndbox'")
    left, top, right, bottom = (number_in(box.findtext(side), f"'{side}'") for side in ("xmin", "ymin", "xmax", "ymax"))
    return Box(label_of(element.findtext("name"), "'name'"), left - 1, top - 1, right - left + 1, bottom - top + 1)
