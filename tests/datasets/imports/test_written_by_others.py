"""Files that another library wrote are read as it meant them; random boxes on many images."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import pytest
from globox import Annotation, AnnotationSet, BoundingBox

from custom_labels.datasets.annotations.annotation import Box
from custom_labels.datasets.imports import coco, cvat, pascal_voc, yolo
from custom_labels.datasets.imports.source import ReadSource
from tests.kit.local_source import LABELS, LocalSource, annotated, rounded

NAMES = [f"picture {number} é.png" for number in range(40)]
CLASSES = ["cat", "dog", "zebra crossing", "naïve"]
Truth = dict[str, list[Box]]


def make(folder: Path) -> tuple[LocalSource, Truth, AnnotationSet]:
    chance = random.Random(14)
    truth: Truth = {}
    source, written = LocalSource(folder), AnnotationSet()
    for name in NAMES:
        width, height = chance.randint(64, 300), chance.randint(64, 300)
        source.put(f"images/{name}", size=(width, height))
        truth[name] = []
        entry = Annotation(name, (width, height))
        for _ in range(chance.randint(1, 6)):
            left, top = chance.randint(0, width - 10), chance.randint(0, height - 10)
            box = Box(
                chance.choice(CLASSES), left, top, chance.randint(2, width - left), chance.randint(2, height - top)
            )
            truth[name].append(box)
            coordinates = (box.left, box.top, box.left + box.width, box.top + box.height)
            entry.add(BoundingBox.create(label=box.label, coords=coordinates))
        written.add(entry)
    return source, truth, written


def write_yolo(source: LocalSource, written: AnnotationSet) -> None:
    written.save_yolo_v5(source.folder / "labels", label_to_id={label: number for number, label in enumerate(CLASSES)})
    for path in (source.folder / "labels").iterdir():
        assert path.suffix == ".txt"
    source.put("data.yaml", f"path: ../x\ntrain: images\nnc: {len(CLASSES)}\nnames: {CLASSES}\n")


Write = Callable[[LocalSource, AnnotationSet], object]
CASES: list[tuple[ReadSource, Write, int]] = [
    (coco.read, lambda source, written: written.save_coco(source.folder / "a.json", auto_ids=True), 0),
    (cvat.read, lambda source, written: written.save_cvat(source.folder / "annotations.xml"), 0),
    (pascal_voc.read, lambda source, written: written.save_pascal_voc(source.folder / "Annotations"), 1),
    (yolo.read, write_yolo, 0),
]


@pytest.mark.parametrize(("read", "write", "first_pixel"), CASES, ids=["coco", "cvat", "pascal_voc", "yolo"])
def test_what_globox_writes_is_read(tmp_path: Path, read: ReadSource, write: Write, first_pixel: int) -> None:
    """It counts pixels of Pascal VOC from 0, so that its boxes come out a pixel larger at the left and top."""
    source, truth, written = make(tmp_path)
    write(source, written)

    found = annotated(read, source)

    assert found.keys() == {f"images/{name}" for name in truth}
    for name, drawn in truth.items():
        expected = [
            Box(
                box.label,
                max(0, box.left - first_pixel),
                max(0, box.top - first_pixel),
                box.width + (first_pixel if box.left else 0),
                box.height + (first_pixel if box.top else 0),
            )
            for box in drawn
        ]
        assert rounded(found[f"images/{name}"].boxes) == rounded(expected)
    labels = annotated(read, source, LABELS)
    assert {name: set(labels[f"images/{name}"].labels) for name in truth} == {
        name: {box.label for box in drawn} for name, drawn in truth.items()
    }
