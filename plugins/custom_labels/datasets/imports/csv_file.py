"""CSV files with an image and its labels a row, or an image, a label and its box.

The first form is that of the developer guide's "Creating a manifest file from a CSV file": the name of an image, then
its labels, without a header. The second has a header: ``image,label,left,top,width,height``, a row a box, in pixels.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby

from custom_labels.core.project_task import ProjectTask
from custom_labels.datasets.annotations.annotation import Annotation, Box, Code, ImageLabel, Refusal, Refused, shown
from custom_labels.datasets.annotations.boxes import judge_box
from custom_labels.datasets.annotations.json_lines import read_label
from custom_labels.datasets.imports.folders import BY_PEOPLE
from custom_labels.datasets.imports.source import (
    UNDATED,
    Found,
    ImportCode,
    SourceFiles,
    SourceItem,
    Unusable,
)

IMAGE, LABEL = "image", "label"
SIDES = ("left", "top", "width", "height")
_LONGEST_ROW = 1_000_000
Row = tuple[int, Sequence[str]]


def read(files: SourceFiles, task: ProjectTask) -> Iterator[SourceItem]:  # noqa: ARG001 - as all readers
    """Read every CSV file of a source. Rows with boxes of one image have to stand together."""
    csv.field_size_limit(_LONGEST_ROW)
    for name in files.names(".csv"):
        with files.open(name) as file:
            yield from _read(files, name, io.TextIOWrapper(file, "utf-8-sig", errors="surrogateescape", newline=""))


def _read(files: SourceFiles, name: str, text: io.TextIOWrapper) -> Iterator[SourceItem]:
    rows = _rows(text)
    first = next(rows, None)
    if first is None:
        yield Unusable(name, ImportCode.UNREADABLE_FILE, "it has no row")
        return
    columns = {column.strip().casefold(): number for number, column in enumerate(first[1])}
    has_header = {IMAGE, LABEL} <= columns.keys()
    if has_header and columns.keys() >= {*SIDES}:
        for image, group in groupby(rows, key=lambda row: _cell(row[1], columns[IMAGE])):
            yield from _boxes(files, name, image, list(group), columns)
        return
    if not has_header:
        yield _labels(files, name, first)
    for row in rows:
        yield _labels(files, name, row)


def _rows(text: io.TextIOWrapper) -> Iterator[Row]:
    """Give the rows that are not blank, with their lines; one that csv refuses is a row of its words."""
    reader = csv.reader(text)
    while True:
        try:
            row = next(reader, None)
        except csv.Error as error:
            row = ["", f"\0{error}"]
        if row is None:
            return
        if any(map(str.strip, row)):
            yield reader.line_num, row


def _labels(files: SourceFiles, name: str, row: Row) -> SourceItem:
    where, cells = f"{name} line {row[0]}", row[1]
    if why := _why_not(cells):
        return Unusable(where, ImportCode.INVALID_ENTRY, why)
    image = files.find_image(cells[0].strip())
    if isinstance(image, Unusable):
        return Unusable(where, image.code, image.detail)
    try:
        labels = dict.fromkeys(read_label(name, cell) for cell in cells[1:] if cell.strip())
    except Refused as error:
        return Unusable(where, error.refusal.code, error.refusal.detail)
    if not labels:
        return Unusable(where, ImportCode.NOT_ANNOTATED, "it has an image and no label")
    return Found(where, Annotation(image, BY_PEOPLE, UNDATED, image_labels=tuple(map(ImageLabel, labels))))


def _boxes(
    files: SourceFiles, name: str, image_name: str, rows: Sequence[Row], columns: Mapping[str, int]
) -> Iterator[SourceItem]:
    image = files.find_image(image_name)
    size = files.image_size(image) if isinstance(image, str) else image
    if isinstance(size, Unusable):
        yield from (Unusable(f"{name} line {number}", size.code, size.detail) for number, _ in rows)
        return
    boxes: list[Box] = []
    for number, cells in rows:
        place = f"{name} line {number}"
        found = _box(name, cells, columns)
        if isinstance(found, Box):
            found = judge_box(found, size) or found
        if isinstance(found, Box):
            boxes.append(found)
        elif isinstance(found, Refusal):
            yield Unusable(place, found.code, found.detail)
        else:
            yield Unusable(place, ImportCode.INVALID_ENTRY, found)
    if boxes:
        yield Found(f"{name} line {rows[0][0]}", Annotation(str(image), BY_PEOPLE, UNDATED, tuple(boxes), size=size))


def _box(name: str, cells: Sequence[str], columns: Mapping[str, int]) -> Box | Refusal | str:
    if why := _why_not(cells):
        return why
    try:
        label = read_label(name, _cell(cells, columns[LABEL]))
        left, top, width, height = (float(_cell(cells, columns[side])) for side in SIDES)
    except Refused as error:
        return error.refusal
    except ValueError:
        values = ", ".join(f"{side} {shown(_cell(cells, columns[side]))}" for side in SIDES)
        return f"{values}: expected numbers of pixels"
    if not all(abs(value) < float("inf") for value in (left, top, width, height)):
        return Refusal(Code.INVALID_BOUNDING_BOX, "a side of the box is no number")
    return Box(label, left, top, width, height)


def _cell(cells: Sequence[str], number: int) -> str:
    return cells[number].strip() if number < len(cells) else ""


def _why_not(cells: Sequence[str]) -> str:
    if len(cells) > 1 and cells[1].startswith("\0"):
        return f"it is no row of CSV: {cells[1][1:]}"
    if any("\udc80" <= character <= "\udcff" for cell in cells for character in cell):
        return "it is not UTF-8"
    return ""
