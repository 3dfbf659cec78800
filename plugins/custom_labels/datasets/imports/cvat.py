"""CVAT's own format, "CVAT for images 1.1": one XML file for many images.

Pixels count from 0 (CVAT documentation, "XML annotation format"). What CVAT exports as COCO, Pascal VOC or YOLO is read
by the readers of these.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from xml.etree.ElementTree import Element

from custom_labels.core.project_task import ProjectTask
from custom_labels.datasets.annotations.annotation import Box, ImageLabel, ImageSize, shown
from custom_labels.datasets.imports.entries import (
    NOT_KNOWN,
    ImageEntry,
    Made,
    Shape,
    Unfit,
    annotate,
    around,
    find_beside,
    image_name_of,
    label_of,
    moment_of,
    number_in,
    size_of,
)
from custom_labels.datasets.imports.source import UNDATED, ImportCode, SourceFiles, SourceItem, Unusable
from custom_labels.datasets.imports.xml_files import read_elements, require_root

_BY_MODEL = "auto"
_POINT_VALUES = 2


def read(files: SourceFiles, task: ProjectTask) -> Iterator[SourceItem]:
    """Read all XML files of a source.

    Of a polygon, a mask and an ellipse the box around it is used, of a tag its label; rotated shapes, lines, points,
    cuboids and skeletons are not. An image without shapes says that nothing is on it. The date is that of the task's
    last update; an image with a shape whose source is "auto" was not annotated by people.
    """
    name = None
    for name in files.names(".xml"):
        yield from _CvatFile(files, task, name).items()
    if name is None:
        yield Unusable("", ImportCode.UNREADABLE_FILE, "the source has no file whose name ends in .xml")


@dataclass
class _CvatFile:
    """One file, while it is read.

    :param labels: those of the file's head, empty where that has none.
    """

    files: SourceFiles
    task: ProjectTask
    name: str
    labels: set[str] = field(default_factory=set)
    made: Made = NOT_KNOWN

    def items(self) -> Iterator[SourceItem]:
        try:
            with self.files.open(self.name) as file:
                yield from self._items(read_elements(file))
        except Unfit as error:
            yield error.at(self.name)

    def _items(self, elements: Iterator[tuple[str, Element]]) -> Iterator[SourceItem]:
        root: Element | None = None
        depth = 0
        for event, element in elements:
            if root is None:
                root = element
                require_root(root, "annotations", "CVAT")
            depth += 1 if event == "start" else -1
            if event == "start" or depth != 1:
                continue
            if element.tag == "meta":
                self._read_meta(element)
            elif element.tag == "image":
                yield from self._read_image(element)
            elif element.tag == "track":
                where = f"{self.name} track {shown(element.get('id') or '')}"
                detail = "it is of a video: export as 'CVAT for images 1.1'"
                yield Unusable(where, ImportCode.UNSUPPORTED_SHAPE, detail)
            root.clear()

    def _read_meta(self, meta: Element) -> None:
        for element in meta.iter("label"):
            if name := element.findtext("name"):
                self.labels.add(name)
        times = [moment_of(meta.findtext(path)) for path in ("*/updated", "*/created", "dumped")]
        self.made = Made(next((moment for moment in times if moment != UNDATED), UNDATED))

    def _read_image(self, element: Element) -> Iterator[SourceItem]:
        where = f"{self.name} image {shown(element.get('name') or element.get('id') or '')}"
        try:
            image = image_name_of(element.get("name"), "'name'")
            size = size_of(*(number_in(element.get(side) or "0", f"'{side}'") for side in ("width", "height")))
        except Unfit as error:
            yield error.at(where)
            return
        tags, shapes = [], []
        for number, each in enumerate(element, start=1):
            found = self._read_shape(f"{where} {each.tag} {number}", each)
            if isinstance(found, ImageLabel):
                tags.append(found)
            else:
                shapes.append(found)
        made = Made(self.made.moment, all(each.get("source") != _BY_MODEL for each in element))
        uri = find_beside(self.files, self.name, image)
        yield from annotate(self.files, self.task, ImageEntry(where, uri, size, shapes, tuple(tags), made))

    def _read_shape(self, where: str, element: Element) -> Shape | ImageLabel | Unusable:
        try:
            label = self._known_label(element.get("label"))
            return ImageLabel(label) if element.tag == "tag" else Shape(where, label, partial(_draw, element, label))
        except Unfit as error:
            return error.at(where)

    def _known_label(self, name: str | None) -> str:
        label = label_of(name, "'label'")
        if self.labels and name not in self.labels:
            raise Unfit(ImportCode.UNKNOWN_CLASS, f"'label' is {shown(label)}: the task has no such label")
        return label


def _draw(element: Element, label: str, _size: ImageSize) -> Box:
    if element.tag not in _SHAPES:
        used = ", ".join(sorted(_SHAPES))
        raise Unfit(ImportCode.UNSUPPORTED_SHAPE, f"it is {shown(element.tag)}: used are {used} and tag")
    if number_in(element.get("rotation") or "0", "'rotation'") % 360:
        raise Unfit(ImportCode.UNSUPPORTED_SHAPE, f"'rotation' is {shown(element.get('rotation') or '')}")
    return _SHAPES[element.tag](element, label)


def _values(element: Element, *names: str) -> list[float]:
    return [number_in(element.get(name), f"'{name}'") for name in names]


def _of_box(element: Element, label: str) -> Box:
    left, top, right, bottom = _values(element, "xtl", "ytl", "xbr", "ybr")
    return Box(label, left, top, right - left, bottom - top)


def _of_polygon(element: Element, label: str) -> Box:
    return around((_point(text) for text in (element.get("points") or "").split(";") if text.strip()), label)


def _point(text: str) -> tuple[float, float]:
    values = text.split(",")
    if len(values) != _POINT_VALUES:
        raise Unfit(ImportCode.INVALID_ENTRY, f"a point is {shown(text)}: expected x,y")
    return number_in(values[0], "x of a point"), number_in(values[1], "y of a point")


def _of_mask(element: Element, label: str) -> Box:
    return Box(label, *_values(element, "left", "top", "width", "height"))


def _of_ellipse(element: Element, label: str) -> Box:
    x, y, across, down = _values(element, "cx", "cy", "rx", "ry")
    return Box(label, x - across, y - down, 2 * across, 2 * down)


_SHAPES: dict[str, Callable[[Element, str], Box]] = {
    "box": _of_box,
    "polygon": _of_polygon,
    "mask": _of_mask,
    "ellipse": _of_ellipse,
}
