"""Label Studio's exports "JSON" and "JSON-MIN", as they are after an export: a list of tasks.

The shapes are those of Label Studio's documentation, "Label Studio Task Format" and "Export annotations"; boxes are in
percent of the image.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from custom_labels.core.keys import has_image_suffix
from custom_labels.core.project_task import ProjectTask
from custom_labels.datasets.annotations.annotation import Box, ImageLabel, ImageSize, shown
from custom_labels.datasets.imports.entries import (
    ImageEntry,
    Made,
    Shape,
    Unfit,
    annotate,
    around,
    image_name_of,
    label_of,
    moment_of,
    number,
    shown_value,
    size_of,
    text_of,
)
from custom_labels.datasets.imports.json_entries import parse_entry, read_entries
from custom_labels.datasets.imports.source import UNDATED, ImportCode, SourceFiles, SourceItem, Unusable

_UPLOADED = re.compile(r"[0-9a-f]{8}-(.+)")
"""Names of uploaded files get eight digits in front."""
_LOCAL = "/data/local-files/"
_SHAPE_LABELS = ("rectanglelabels", "polygonlabels", "labels")
_UNSUPPORTED = frozenset(
    ["ellipselabels", "ellipse", "brushlabels", "brush", "bitmasklabels", "keypointlabels", "keypoint", "vectorlabels"]
)
_RECTANGLES, _POLYGONS = frozenset({"rectanglelabels", "rectangle"}), frozenset({"polygonlabels", "polygon"})
_OWN_FIELDS = frozenset(
    [
        "id",
        "annotator",
        "annotation_id",
        "created_at",
        "updated_at",
        "lead_time",
        "agreement",
        "comment",
        "storage_filename",
    ]
)
"""What JSON-MIN adds to the fields of the task and the answers."""


def read(files: SourceFiles, task: ProjectTask) -> Iterator[SourceItem]:
    """Read all JSON files of a source.

    Of several annotations of a task the newest counts that was not cancelled; predictions are no answers, and a task
    without an answer is not annotated. An answer without any label says that nothing is there. Of polygons the box
    around them is used; rotated rectangles, ellipses, brushes and key points are not. Choices about a region are not
    labels of the image. The date is that of the annotation's last update.
    """
    names = list(files.names(".json"))
    if not names:
        yield Unusable("", ImportCode.UNREADABLE_FILE, "the source has no file whose name ends in .json")
    for name in names:
        try:
            with files.open(name) as file:
                yield from _read_file(files, task, name, read_entries(file))
        except Unfit as error:
            yield error.at(name)


def _read_file(
    files: SourceFiles, task: ProjectTask, name: str, entries: Iterator[tuple[str, bytes]]
) -> Iterator[SourceItem]:
    count = 0
    for count, (key, entry) in enumerate(entries, start=1):
        if key:
            raise Unfit(
                ImportCode.UNREADABLE_FILE, "it is an object: Label Studio's JSON and JSON-MIN are lists of tasks"
            )
        where = f"{name} task number {count}"
        try:
            content = parse_entry(entry)
            if type(content.get("id")) is int:
                where = f"{name} task {shown(content['id'])}"
            image = _read_task(files, where, content)
        except Unfit as error:
            yield error.at(where)
        else:
            yield from annotate(files, task, image)
    if not count:
        raise Unfit(ImportCode.UNREADABLE_FILE, "it has no task: expected a list of them, as Label Studio exports it")


def _read_task(files: SourceFiles, where: str, task: dict[str, Any]) -> ImageEntry:
    annotations = task.get("annotations", task.get("completions"))
    if annotations is None:
        return _read_minimal(files, where, task)
    data = task.get("data")
    if not isinstance(annotations, list) or not isinstance(data, dict):
        raise Unfit(ImportCode.INVALID_ENTRY, "expected 'data', an object, and 'annotations', a list")
    answers = [each for each in annotations if isinstance(each, dict) and not each.get("was_cancelled")]
    if not answers:
        raise Unfit(ImportCode.NOT_ANNOTATED, f"none of its {len(annotations)} annotations is an answer")
    answer = max(answers, key=_moment)
    result = answer.get("result")
    if not isinstance(result, list):
        raise Unfit(ImportCode.INVALID_ENTRY, f"'result' is {shown_value(result)}: expected a list")
    regions = [_Region(f"{where} result {number}", each) for number, each in enumerate(result, start=1)]
    return _image_entry(files, where, _image_of(data), regions, _moment(answer))


def _moment(answer: Mapping[str, Any]) -> datetime:
    moments = (moment_of(answer.get(key)) for key in ("updated_at", "created_at"))
    return next((moment for moment in moments if moment != UNDATED), UNDATED)


# -- JSON-MIN ------------------------------------------------------------------------------------------


def _read_minimal(files: SourceFiles, where: str, task: dict[str, Any]) -> ImageEntry:
    """Read a task of JSON-MIN, in which the answers stand among the fields of the task, by the names of their tags."""
    image = _image_of(task)
    regions: list[_Region] = []
    texts: dict[str, str] = {}
    for key, value in task.items():
        if isinstance(value, list) and value and all(isinstance(each, dict) for each in value):
            regions += [_Region.of_value(f"{where} {shown(key)} {n}", each) for n, each in enumerate(value, start=1)]
        elif isinstance(value, dict) and isinstance(value.get("choices"), list):
            regions.append(_Region.of_value(where, value))
        elif isinstance(value, str) and value != image and key not in _OWN_FIELDS:
            texts[key] = value
    if not regions and not texts and "annotation_id" not in task:
        raise Unfit(ImportCode.NOT_ANNOTATED, "it has no answer")
    if not regions and texts:
        regions.append(_Region.of_value(where, {"choices": [_only_choice(texts)]}))
    return _image_entry(files, where, image, regions, _moment(task))


def _only_choice(texts: Mapping[str, str]) -> str:
    """Give the label of a task: JSON-MIN does not tell a choice from another text of the task."""
    if found := [texts[key] for key in ("choice", "choices") if key in texts]:
        return found[0]
    if len(texts) > 1:
        fields = ", ".join(shown(key) for key in list(texts)[:5])
        raise Unfit(ImportCode.INVALID_ENTRY, f"any of {fields} may be its label: export as JSON, which says it")
    return next(iter(texts.values()))


# -- what an answer says -------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Region:
    """A part of an answer."""

    where: str
    content: Any

    @classmethod
    def of_value(cls, where: str, value: dict[str, Any]) -> _Region:
        """Make it of JSON-MIN's shorter form."""
        kinds = ("choices", *sorted(_RECTANGLES | _POLYGONS | _UNSUPPORTED), "labels")
        kind = next((kind for kind in kinds if kind in value), None)
        if kind in {None, "labels"}:
            kind = "rectangle" if "width" in value else kind
        sizes = {key: value[key] for key in ("original_width", "original_height") if key in value}
        return cls(where, {"type": kind, "value": value, **sizes})

    @property
    def value(self) -> dict[str, Any]:
        value = self.content.get("value") if isinstance(self.content, dict) else None
        return value if isinstance(value, dict) else {}

    @property
    def kind(self) -> str:
        kind = self.content.get("type") if isinstance(self.content, dict) else None
        return kind if isinstance(kind, str) else ""

    def require_kind(self) -> None:
        """Refuse what is no part of an answer.

        :raises Unfit: it has no type.
        """
        if not self.kind:
            detail = f"it is {shown_value(self.content)}: expected an object whose 'type' is a text"
            raise Unfit(ImportCode.INVALID_ENTRY, detail)

    @property
    def id(self) -> object:
        return self.content.get("id") if isinstance(self.content, dict) else None

    def size(self) -> ImageSize | None:
        """Give the size of the image that it was drawn on."""
        sides = [self.content.get(f"original_{side}") or 0 for side in ("width", "height")]
        return size_of(*(number(side, "the original size") for side in sides))


def _image_entry(files: SourceFiles, where: str, image: str, regions: list[_Region], moment: datetime) -> ImageEntry:
    labels: list[ImageLabel] = []
    shapes: list[Shape | Unusable] = []
    size: ImageSize | None = None
    drawn = {str(each.id) for each in regions if each.kind in _RECTANGLES | _POLYGONS}
    labels_by_id = {
        str(each.id): each.value["labels"] for each in regions if each.kind == "labels" and "labels" in each.value
    }
    for region in regions:
        try:
            region.require_kind()
            if region.kind == "choices":
                is_of_region = "x" in region.value or (region.id is not None and str(region.id) in drawn)
                labels += [] if is_of_region else [ImageLabel(name) for name in _names(region.value.get("choices"))]
            elif region.kind in _RECTANGLES | _POLYGONS | _UNSUPPORTED:
                size = size or region.size()
                shapes += _shapes(region, labels_by_id.get(str(region.id)))
        except Unfit as error:
            shapes.append(error.at(region.where))
    distinct = tuple({label.label: label for label in labels}.values())
    uri = _find(files, image)
    return ImageEntry(where, uri, size, shapes, distinct, Made(moment), says_nothing_is_there=True)


def _names(value: object) -> list[str]:
    if not isinstance(value, list) or not value:
        raise Unfit(ImportCode.INVALID_ENTRY, f"its labels are {shown_value(value)}: expected a list of texts")
    return [label_of(each) for each in value]


def _shapes(region: _Region, labels: object) -> list[Shape]:
    """Give a shape for each label of a region."""
    named = next((region.value[key] for key in (*_SHAPE_LABELS, region.kind) if key in region.value), labels)
    if named is None:
        raise Unfit(ImportCode.INVALID_ENTRY, "it has no label")
    return [Shape(region.where, label, partial(_draw, region, label)) for label in _names(named)]


def _draw(region: _Region, label: str, size: ImageSize) -> Box:
    if region.kind in _UNSUPPORTED:
        raise Unfit(ImportCode.UNSUPPORTED_SHAPE, f"it is {shown(region.kind)}: used are rectangles and polygons")
    value = region.value
    turned = [value.get("rotation") or 0, region.content.get("image_rotation") or 0]
    if any(number(each, "the rotation") % 360 for each in turned):
        raise Unfit(ImportCode.UNSUPPORTED_SHAPE, f"its rotation is {' and '.join(map(shown_value, turned))}")
    across, down = size.width / 100, size.height / 100
    if region.kind in _POLYGONS:
        points = value.get("points")
        if not isinstance(points, list) or any(not isinstance(each, list) or len(each) != 2 for each in points):
            raise Unfit(ImportCode.INVALID_ENTRY, f"'points' is {shown_value(points)}: expected a list of pairs")
        return around(((number(x, "a point") * across, number(y, "a point") * down) for x, y in points), label)
    left, top, width, height = (number(value.get(side), f"'{side}'") for side in ("x", "y", "width", "height"))
    return Box(label, left * across, top * down, width * across, height * down)


# -- images --------------------------------------------------------------------------------------------


def _image_of(data: Mapping[str, Any]) -> str:
    """Find the field of a task that names its image.

    :raises Unfit: there is none, or several.
    """
    if isinstance(data.get("image"), str):
        return text_of(data["image"], "'image'")
    found = [value for value in data.values() if isinstance(value, str) and _may_name_image(value)]
    if len(set(found)) != 1:
        detail = f"{len(set(found))} of its fields may name its image: expected one, or one called 'image'"
        raise Unfit(ImportCode.INVALID_ENTRY, detail)
    return text_of(found[0], "the name of the image")


def _may_name_image(value: str) -> bool:
    return value.startswith(("s3://", "/data/", "http://", "https://")) or has_image_suffix(value)


def _find(files: SourceFiles, image: str) -> str | Unusable:
    """Find an image by its address at Label Studio; without the digits that an uploaded file has in front, too."""
    try:
        name = image_name_of(_name_of(image))
    except Unfit as error:
        return error.at("")
    found = files.find_image(name)
    uploaded = _UPLOADED.fullmatch(posixpath.basename(name))
    if isinstance(found, Unusable) and uploaded and found.code is ImportCode.IMAGE_NOT_FOUND:
        return files.find_image(uploaded[1])
    return found


def _name_of(image: str) -> str:
    if image.startswith("s3://"):
        return image
    try:
        parts = urlsplit(image)
    except ValueError as error:
        raise Unfit(ImportCode.INVALID_ENTRY, f"the name of the image is {shown(image)}: {error}") from None
    if parts.path.startswith(_LOCAL):
        return next(iter(parse_qs(parts.query).get("d", [])), "")
    if parts.scheme or image.startswith("/data/"):
        return posixpath.basename(unquote(parts.path))
    return image
