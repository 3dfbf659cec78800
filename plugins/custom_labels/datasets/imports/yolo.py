"""YOLO: a text file an image, with a line an object, and the names of the classes in a file of their own.

The format is that of the Ultralytics documentation, "Object Detection Datasets Overview": ``labels/`` beside
``images/``, or text files beside the images, as Darknet, LabelImg and CVAT have them.
"""

from __future__ import annotations

import posixpath
import sqlite3
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import yaml

from custom_labels.core.keys import IMAGE_SUFFIXES
from custom_labels.core.project_task import ProjectTask
from custom_labels.datasets.annotations.annotation import Box, ImageSize, shown
from custom_labels.datasets.imports.entries import ImageEntry, Shape, Unfit, annotate, around, label_of, number_in
from custom_labels.datasets.imports.source import ImportCode, SourceFiles, SourceItem, Unusable

_CLASS_LISTS = ("classes.txt", "obj.names", "classes.names", "_darknet.labels")
_NO_LABELS = frozenset({"classes.txt", "train.txt", "val.txt", "valid.txt", "test.txt", "trainval.txt"})
_NOTES = "readme"
_LONGEST_CLASS_FILE = 1024 * 1024
_LONGEST_LINE = 1024 * 1024
"""Bytes of a line: a polygon of tens of thousands of points."""
_BOX_VALUES = 4


def read(files: SourceFiles, task: ProjectTask) -> Iterator[SourceItem]:
    """Read all text files of labels of a source, whatever its ``train``, ``val`` and ``test`` say.

    A line is a class and x, y, width and height of a box around its middle, as shares of the image; a sixth number is
    the confidence of a model. Of a polygon, or a rotated box, the upright box around it is used; where ``data.yaml``
    has ``kpt_shape``, what follows the box are key points, and not used. An empty file says that nothing is on its
    image; an image without a file was not annotated. The format has no dates.
    """
    try:
        classes = _read_classes(files)
    except Unfit as error:
        yield error.at("")
        return
    with (
        tempfile.TemporaryDirectory(prefix="custom-labels-") as folder,
        closing(_Images(Path(folder) / "images.sqlite")) as images,
    ):
        yield from images.take_up(files.names(*IMAGE_SUFFIXES))
        for name in files.names(".txt"):
            base = posixpath.basename(name).lower()
            if base not in _NO_LABELS and not base.startswith(_NOTES):
                yield from _read_labels(files, task, name, images.of_labels(name), classes)
        for image in images.without_labels():
            detail = "it has no file of labels; an empty one says that nothing is on it"
            yield Unusable(image, ImportCode.NOT_ANNOTATED, detail)


# -- classes -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Classes:
    """The names of the classes by their numbers, or what is wrong with a name."""

    file: str
    names: dict[int, str | Unfit]
    has_key_points: bool = False

    def label(self, text: str) -> str:
        """Give the label of a class.

        :raises Unfit: there is no such class, or its name is no label.
        """
        name = self.names.get(int(text)) if len(text) < 10 and text.isascii() and text.isdecimal() else None
        if name is None:
            raise Unfit(ImportCode.UNKNOWN_CLASS, f"its class is {shown(text)}: {self.file} has no such class")
        if isinstance(name, Unfit):
            raise Unfit(ImportCode.UNKNOWN_CLASS, f"its class {text} cannot be used: {name.detail}")
        return name


def _read_classes(files: SourceFiles) -> _Classes:
    """Find the names of the classes: in the topmost YAML file that has them, else in a list of one name a line.

    :raises Unfit: there are none.
    """
    for name in sorted(files.names(".yaml", ".yml"), key=_depth_first):
        content = _read_yaml(files, name)
        if isinstance(content, dict) and isinstance(names := content.get("names"), list | dict):
            pairs = enumerate(names) if isinstance(names, list) else names.items()
            return _Classes(
                name, {key: _class_name(value) for key, value in pairs if type(key) is int}, "kpt_shape" in content
            )
    lists = [name for name in files.names(".txt", ".names", ".labels") if posixpath.basename(name) in _CLASS_LISTS]
    for name in sorted(lists, key=_depth_first):
        lines = _read_small(files, name).decode(errors="replace").removeprefix("\ufeff").splitlines()
        return _Classes(name, {number: _class_name(line.strip()) for number, line in enumerate(lines) if line.strip()})
    expected = f"expected 'names' in a data.yaml, or one of {', '.join(_CLASS_LISTS)}"
    raise Unfit(ImportCode.UNREADABLE_FILE, f"no file of the source names its classes: {expected}")


def _class_name(value: object) -> str | Unfit:
    try:
        return label_of(str(value) if type(value) is int else value, "its name")
    except Unfit as error:
        return error


def _read_yaml(files: SourceFiles, name: str) -> object:
    try:
        return yaml.safe_load(_read_small(files, name))
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        why = f"{name} is no YAML that can be read: {ascii(str(error))[1:-1][:200]}"
        raise Unfit(ImportCode.UNREADABLE_FILE, why) from None


def _read_small(files: SourceFiles, name: str) -> bytes:
    with files.open(name) as file:
        content = file.read(_LONGEST_CLASS_FILE + 1)
    if len(content) > _LONGEST_CLASS_FILE:
        raise Unfit(ImportCode.UNREADABLE_FILE, f"{name} has more than {_LONGEST_CLASS_FILE:,} bytes")
    return content


def _depth_first(name: str) -> tuple[int, str]:
    return name.count("/"), name


# -- images and their labels ---------------------------------------------------------------------------


class _Images:
    """The images of a source by the names of their files of labels, in a local SQLite file."""

    def __init__(self, path: Path) -> None:
        self._database = sqlite3.connect(path, isolation_level=None)
        self._database.executescript(
            "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;"
            "CREATE TABLE image (stem TEXT PRIMARY KEY, name TEXT, has_labels INT) WITHOUT ROWID;"
        )
        self._database.execute("BEGIN")

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def take_up(self, names: Iterator[str]) -> Iterator[Unusable]:
        """Take up images; of two that have one file of labels the first has it."""
        for name in names:
            row = (_stem(name), name)
            if not self._database.execute("INSERT OR IGNORE INTO image VALUES (?, ?, 0)", row).rowcount:
                yield Unusable(name, ImportCode.SEVERAL_IMAGES, "another image has the same name with another ending")

    def of_labels(self, name: str) -> str | None:
        """Give the image that a file of labels is about."""
        stem = _stem(name)
        self._database.execute("UPDATE image SET has_labels = 1 WHERE stem = ?", (stem,))
        found = self._database.execute("SELECT name FROM image WHERE stem = ?", (stem,)).fetchone()
        return str(found[0]) if found else None

    def without_labels(self) -> Iterator[str]:
        """Give the images that no file of labels is about."""
        query = "SELECT name FROM image WHERE NOT has_labels ORDER BY name"
        yield from (name for (name,) in self._database.execute(query))


def _stem(name: str) -> str:
    """Give what an image and its file of labels have in common: the last folder ``images`` of one is ``labels`` of the
    other.
    """
    *folders, base = posixpath.splitext(name)[0].split("/")
    for place in reversed(range(len(folders))):
        if folders[place] in {"images", "labels"}:
            folders[place] = "*"
            break
    return "/".join([*folders, base])


def _read_labels(
    files: SourceFiles, task: ProjectTask, name: str, image: str | None, classes: _Classes
) -> Iterator[SourceItem]:
    if image is None:
        yield Unusable(name, ImportCode.IMAGE_NOT_FOUND, "no image has its name, beside it or in a folder 'images'")
        return
    with files.open(name) as file:
        shapes = _shapes(name, iter(partial(file.readline, _LONGEST_LINE), b""), classes)
        yield from annotate(files, task, ImageEntry(name, files.find_image(image), None, shapes))


def _shapes(name: str, lines: Iterator[bytes], classes: _Classes) -> Iterator[Shape | Unusable]:
    for number, line in enumerate(lines, start=1):
        where = f"{name} line {number}"
        values = line.decode(errors="replace").split()
        if not values:
            continue
        try:
            label = classes.label(values[0])
        except Unfit as error:
            yield error.at(where)
        else:
            yield Shape(where, label, partial(_draw, label, values[1:], has_key_points=classes.has_key_points))


def _draw(label: str, texts: Sequence[str], size: ImageSize, *, has_key_points: bool) -> Box:
    values = [number_in(text, "a value") for text in texts]
    count = len(values)
    if has_key_points and count > _BOX_VALUES:
        values = values[:_BOX_VALUES]
    elif count > _BOX_VALUES + 1 and count % 2 == 0:
        points = zip(values[::2], values[1::2], strict=True)
        return around(((x * size.width, y * size.height) for x, y in points), label)
    elif count not in {_BOX_VALUES, _BOX_VALUES + 1}:
        raise Unfit(
            ImportCode.INVALID_ENTRY, f"it has {count} values behind the class: expected 4, or points of a shape"
        )
    x, y, width, height = values[:_BOX_VALUES]
    confidence = values[_BOX_VALUES] if len(values) > _BOX_VALUES else 1
    if not 0 <= confidence <= 1:
        raise Unfit(ImportCode.INVALID_ENTRY, f"its confidence is {shown(confidence)}: expected a number from 0 to 1")
    left, top = (x - width / 2) * size.width, (y - height / 2) * size.height
    return Box(label, left, top, width * size.width, height * size.height, confidence)
