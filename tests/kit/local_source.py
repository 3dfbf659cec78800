"""A source of annotated images in a local folder, and what was read of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from PIL import Image

from custom_labels.core.keys import IMAGE_SUFFIXES
from custom_labels.core.project_task import ProjectTask
from custom_labels.datasets.annotations.annotation import Annotation, Box, Code, ImageSize
from custom_labels.datasets.imports.source import Found, ImportCode, ReadSource, SourceItem, Unusable
from tests.kit.pictures import png

BOXES = ProjectTask.OBJECT_DETECTION
LABELS = ProjectTask.MULTI_LABEL_CLASSIFICATION
SIZE = (128, 96)
BUCKET = "s3://source/"


class LocalSource:
    """The files of a folder; an image's URI is its name in a bucket of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def put(self, name: str, content: str | bytes | None = None, size: tuple[int, int] = SIZE) -> LocalSource:
        """Write a file; an image if no content is given."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        content = png(1, size) if content is None else content
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return self

    def names(self, *suffixes: str) -> Iterator[str]:
        """Give the names of files."""
        files = (path for path in self.folder.rglob("*") if path.is_file())
        names = sorted(path.relative_to(self.folder).as_posix() for path in files)
        return (name for name in names if not suffixes or name.lower().endswith(suffixes))

    def uri(self, name: str) -> str:
        """Give the URI of a file."""
        return f"{BUCKET}{name}"

    @contextmanager
    def open(self, name: str) -> Iterator[BinaryIO]:
        """Read a file."""
        with (self.folder / name).open("rb") as file:
            yield file

    def find_image(self, name: str) -> str | Unusable:
        """Find an image by its name, or the last part of one."""
        if name.startswith("s3://"):
            return name
        assert ".." not in name.split("/")
        assert not name.startswith("/")
        images = list(self.names(*IMAGE_SUFFIXES))
        found = [each for each in images if each == name] or [each for each in images if each.split("/")[-1] == name]
        if len(found) == 1:
            return f"{BUCKET}{found[0]}"
        code = ImportCode.SEVERAL_IMAGES if found else ImportCode.IMAGE_NOT_FOUND
        return Unusable("", code, f"{len(found)} images are called {name!a}")

    def image_size(self, uri: str) -> ImageSize | Unusable:
        """Read an image's size."""
        try:
            with Image.open(self.folder / uri.removeprefix(BUCKET)) as picture:
                return ImageSize(*picture.size)
        except OSError as error:
            return Unusable("", Code.INVALID_IMAGE, str(error))


def read_all(read: ReadSource, source: LocalSource, task: ProjectTask = BOXES) -> tuple[list[Found], list[Unusable]]:
    """Read a source; give what was found and what cannot be used."""
    items: list[SourceItem] = list(read(source, task))
    return [each for each in items if isinstance(each, Found)], [each for each in items if isinstance(each, Unusable)]


def annotated(read: ReadSource, source: LocalSource, task: ProjectTask = BOXES) -> dict[str, Annotation]:
    """Read a source of which everything can be used; give what it says of each image."""
    found, unusable = read_all(read, source, task)
    assert unusable == []
    assert len({each.annotation.source_ref for each in found}) == len(found)
    return {each.annotation.source_ref.removeprefix(BUCKET): each.annotation for each in found}


def boxes(annotation: Annotation) -> list[tuple[str, float, float, float, float]]:
    """Give boxes as tuples."""
    return [(box.label, box.left, box.top, box.width, box.height) for box in annotation.boxes]


def codes(unusable: Iterable[Unusable]) -> list[tuple[str, str]]:
    """Give where what cannot be used is, and its codes."""
    return [(each.where, each.code.value) for each in unusable]


def rounded(found: Iterable[Box], digits: int = 3) -> list[tuple[str, float, float, float, float]]:
    """Give boxes as tuples of rounded numbers, in order."""
    return sorted((b.label, *(round(side, digits) for side in (b.left, b.top, b.width, b.height))) for b in found)  # type: ignore[misc]
