"""COCO JSON: ``images``, ``annotations`` and ``categories`` in separate lists, in any order, of any length.

The format is that of the COCO data set's "Data format" page; ``bbox`` is x, y, width and height in pixels, from 0.
"""

from __future__ import annotations

import itertools
import json
import posixpath
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from custom_labels.core.project_task import ProjectTask
from custom_labels.datasets.annotations.annotation import Box, ImageSize, shown
from custom_labels.datasets.annotations.json_lines import is_share
from custom_labels.datasets.imports.coco_table import CocoTable, JoinedRow, ShapeRow
from custom_labels.datasets.imports.entries import (
    NOT_KNOWN,
    ImageEntry,
    Made,
    Shape,
    Unfit,
    annotate,
    find_beside,
    image_name_of,
    label_of,
    moment_of,
    number,
    shown_value,
    size_of,
)
from custom_labels.datasets.imports.json_entries import parse_entry, read_entries
from custom_labels.datasets.imports.source import ImportCode, SourceFiles, SourceItem, Unusable

_INSTANCES = "instances_"
_SAME_IMAGES = ("captions_", "person_keypoints_", "panoptic_", "stuff_", "image_info_")
"""Beginnings of the names of COCO's own files that say other things about the images of ``instances_*.json``."""
_BOX_VALUES = 4
_LONGEST_ID = 100


def read(files: SourceFiles, task: ProjectTask) -> Iterator[SourceItem]:
    """Read all COCO files of a source; the ids of each are its own.

    Boxes are those of ``bbox``: an annotation without one, and one of a crowd (``iscrowd``), which is a box around
    many objects, are not used. Where the model finds no boxes an image's labels are the categories of its annotations.
    An image without annotations says that nothing is on it. The categories' supercategories are not used. If there are
    files named as COCO's own ``instances_*.json``, its captions, keypoints and panoptic files beside them are not read.

    ``score`` of an annotation, from 0 to 1, is its confidence. The date is ``info.date_created``; that the image was
    annotated by people is taken to be so.
    """
    names = list(files.names(".json"))
    if any(posixpath.basename(name).startswith(_INSTANCES) for name in names):
        names = [name for name in names if not posixpath.basename(name).startswith(_SAME_IMAGES)]
    if not names:
        yield Unusable("", ImportCode.UNREADABLE_FILE, "the source has no file whose name ends in .json")
    for name in names:
        with (
            tempfile.TemporaryDirectory(prefix="custom-labels-") as folder,
            closing(CocoTable(Path(folder) / "coco.sqlite")) as table,
        ):
            yield from _CocoFile(files, task, name, table).items()


@dataclass
class _CocoFile:
    """One file, while it is read."""

    files: SourceFiles
    task: ProjectTask
    name: str
    table: CocoTable
    made: Made = NOT_KNOWN
    entries: int = 0

    def items(self) -> Iterator[SourceItem]:
        readers: dict[str, Callable[[dict[str, object], int], None]] = {
            "categories": self._read_category,
            "images": self._read_image,
            "annotations": self._read_shape,
            "info": self._read_info,
        }
        numbers = {key: itertools.count(1) for key in readers}
        try:
            with self.files.open(self.name) as file:
                for key, entry in read_entries(file):
                    if key in readers:
                        count = next(numbers[key])
                        try:
                            readers[key](parse_entry(entry), count)
                        except Unfit as error:
                            yield error.at(f"{self.name} {key} {count}")
        except Unfit as error:
            yield error.at(self.name)
        if not self.entries:
            detail = "none of its entries can be read: expected COCO JSON with 'images' and 'annotations'"
            yield Unusable(self.name, ImportCode.UNREADABLE_FILE, detail)
        for shape, image in self.table.without_image():
            detail = f"'image_id' is {image}: no such image is in the file"
            yield Unusable(f"{self.name} annotation {shape}", ImportCode.INVALID_ENTRY, detail)
        for _, rows in itertools.groupby(self.table.joined(), key=lambda row: row.number):
            yield from self._annotate(rows)

    # -- reading ---------------------------------------------------------------------------------------

    def _read_info(self, entry: dict[str, object], _count: int) -> None:
        self.made = Made(moment_of(entry.get("date_created")))

    def _read_category(self, entry: dict[str, object], _count: int) -> None:
        id_ = _id_of(entry, "id")
        try:
            is_new = self.table.add_category(id_, label_of(entry.get("name"), "'name'"))
        except Unfit as error:  # its annotations are refused for it, each by itself
            self.table.add_category(id_, "", error.code, error.detail)
            raise
        if not is_new:
            raise Unfit(ImportCode.INVALID_ENTRY, f"'id' is {id_}, which is there twice: the first is used")

    def _read_image(self, entry: dict[str, object], count: int) -> None:
        self.entries += 1
        id_ = _id_of(entry, "id")
        uri = entry.get("coco_url")
        is_ours = isinstance(uri, str) and uri.startswith("s3://")
        name = image_name_of(uri, "'coco_url'") if is_ours else image_name_of(entry.get("file_name"), "'file_name'")
        width, height = (number(entry.get(side, 0), f"'{side}'") for side in ("width", "height"))
        size = size_of(width, height)
        if not self.table.add_image(count, id_, name, *((size.width, size.height) if size else (0, 0))):
            detail = f"'id' is {id_} and the image {shown(name)}, of which one is there twice: the first is used"
            raise Unfit(ImportCode.INVALID_ENTRY, detail)

    def _read_shape(self, entry: dict[str, object], count: int) -> None:
        self.entries += 1
        image, category = _id_of(entry, "image_id"), _id_of(entry, "category_id")
        name = json.dumps(entry["id"]) if isinstance(entry.get("id"), int | str) else f"number {count}"
        score = entry.get("score")
        row = ShapeRow(image, count, name[:80], category, confidence=score if is_share(score) else 1)
        try:
            x, y, width, height = _box_of(entry)
            row = row._replace(x=x, y=y, width=width, height=height)
        except Unfit as error:
            row = row._replace(code=error.code, detail=error.detail)
        self.table.add_shape(row)

    # -- giving ----------------------------------------------------------------------------------------

    def _annotate(self, rows: Iterator[JoinedRow]) -> Iterator[SourceItem]:
        first = next(rows)
        shapes = (self._shape(row) for row in itertools.chain([first], rows) if row.shape is not None)
        size = ImageSize(first.image_width, first.image_height) if first.image_width else None
        uri = find_beside(self.files, self.name, first.name)
        where = f"{self.name} image {first.image}"
        yield from annotate(self.files, self.task, ImageEntry(where, uri, size, shapes, made=self.made))

    def _shape(self, row: JoinedRow) -> Shape | Unusable:
        where = f"{self.name} annotation {row.shape}"
        if row.label is None:
            detail = f"'category_id' is {row.category}: no such category is in the file"
            return Unusable(where, ImportCode.UNKNOWN_CLASS, detail)
        if row.label_code:
            return Unusable(where, ImportCode.UNKNOWN_CLASS, f"its category cannot be used: {row.label_detail}")
        return Shape(where, row.label, partial(_draw, row), row.confidence)


def _draw(row: JoinedRow, _size: ImageSize) -> Box:
    if row.code is not None:
        raise Unfit(ImportCode(row.code), row.detail or "")
    left, top, width, height = (side or 0 for side in (row.x, row.y, row.width, row.height))
    return Box(row.label or "", left, top, width, height, row.confidence)


def _box_of(entry: dict[str, object]) -> list[float]:
    if entry.get("iscrowd"):
        raise Unfit(ImportCode.UNSUPPORTED_SHAPE, "'iscrowd' is set: it is around many objects")
    box = entry.get("bbox")
    if box is None:
        raise Unfit(ImportCode.UNSUPPORTED_SHAPE, "it has no 'bbox'")
    if not isinstance(box, list) or len(box) != _BOX_VALUES:
        raise Unfit(ImportCode.INVALID_ENTRY, f"'bbox' is {shown_value(box)}: expected x, y, width and height")
    return [number(value, "a value of 'bbox'") for value in box]


def _id_of(entry: dict[str, Any], key: str) -> str:
    value = entry.get(key)
    text = str(value) if type(value) is int else json.dumps(value) if isinstance(value, str) else ""
    if not 0 < len(text) <= _LONGEST_ID:
        raise Unfit(ImportCode.INVALID_ENTRY, f"'{key}' is {shown_value(value)}: expected a whole number or a text")
    return text
