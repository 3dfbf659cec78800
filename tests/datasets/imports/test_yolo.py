"""YOLO: folders as Ultralytics, Roboflow and CVAT have them, polygons and key points, and every way to spoil one."""

from __future__ import annotations

from pathlib import Path

import pytest

from custom_labels.datasets.annotations.annotation import Code
from custom_labels.datasets.imports.source import UNDATED, ImportCode
from custom_labels.datasets.imports.yolo import read
from tests.kit.local_source import LABELS, LocalSource, annotated, boxes, codes, read_all, rounded

DATA = "path: ../datasets/coco8\ntrain: images/train\nval: images/val\nnames:\n  0: person\n  1: bicycle\n"


def test_folders_of_ultralytics_are_read(tmp_path: Path) -> None:
    source = LocalSource(tmp_path).put("coco8.yaml", DATA).put("README.dataset.txt", "made by hand")
    source.put("images/train/1.jpg").put("labels/train/1.txt", "0 0.5 0.5 0.25 0.5\n\n1 0.25 0.25 0.1 0.1 0.8\n")
    source.put("images/val/1.png", size=(200, 100)).put("labels/val/1.txt", "1 0.5 0.5 1 1\r\n")
    source.put("images/val/2.jpg").put("labels/val/2.txt", "")

    found = annotated(read, source)

    assert rounded(found["images/train/1.jpg"].boxes) == [
        ("bicycle", 25.6, 19.2, 12.8, 9.6),
        ("person", 48, 24, 32, 48),
    ]
    assert [box.confidence for box in found["images/train/1.jpg"].boxes] == [1, 0.8]
    assert boxes(found["images/val/1.png"]) == [("bicycle", 0, 0, 200, 100)]
    assert (boxes(found["images/val/2.jpg"]), found["images/val/2.jpg"].created) == ([], UNDATED)
    labels, unusable = read_all(read, source, LABELS)
    assert [each.annotation.labels for each in labels] == [("bicycle", "person"), ("bicycle",)]
    assert codes(unusable) == [("labels/val/2.txt", "NOT_ANNOTATED")]


@pytest.mark.parametrize(
    ("names", "files"),
    [
        pytest.param("data.yaml", {"data.yaml": "nc: 2\nnames: ['person', bicycle]\n"}, id="a list"),
        pytest.param(
            "obj.names", {"obj.names": "person\nbicycle\n", "train.txt": "obj_train_data/1.jpg"}, id="Darknet"
        ),
        pytest.param("classes.txt", {"classes.txt": "person\nbicycle", "notes.json": "{}"}, id="LabelImg"),
    ],
)
def test_class_names_are_found(tmp_path: Path, names: str, files: dict[str, str]) -> None:
    source = LocalSource(tmp_path).put("obj_train_data/1.jpg").put("obj_train_data/1.txt", "1 0.5 0.5 0.25 0.5")
    for name, content in files.items():
        source.put(name, content)

    assert annotated(read, source)["obj_train_data/1.jpg"].labels == ("bicycle",)


@pytest.mark.parametrize(
    ("line", "data", "expected"),
    [
        pytest.param("0 0.1 0.1 0.5 0.1 0.5 0.6", DATA, [12.8, 9.6, 51.2, 48], id="polygon"),
        pytest.param("0 0.5 0 1 0.5 0.5 1 0 0.5", DATA, [0, 0, 128, 96], id="rotated box"),
        pytest.param(
            "0 0.5 0.5 0.5 0.5 0.9 0.9 2 0 0 0", f"{DATA}kpt_shape: [2, 3]\n", [32, 24, 64, 48], id="key points"
        ),
        pytest.param("0 0.500001 0.5 1 1", DATA, [0, 0, 128, 96], id="rounding"),
    ],
)
def test_the_box_of_a_shape_is_taken(tmp_path: Path, line: str, data: str, expected: list[float]) -> None:
    source = LocalSource(tmp_path).put("data.yaml", data).put("images/1.jpg").put("labels/1.txt", line)

    assert rounded(annotated(read, source)["images/1.jpg"].boxes) == [("person", *expected)]


LINES = [
    ("7 0.5 0.5 0.1 0.1", ImportCode.UNKNOWN_CLASS),
    ("2 0.5 0.5 0.1 0.1", ImportCode.UNKNOWN_CLASS),
    ("-1 0.5 0.5 0.1 0.1", ImportCode.UNKNOWN_CLASS),
    ("9999999999999999999 0.5 0.5 0.1 0.1", ImportCode.UNKNOWN_CLASS),
    ("person 0.5 0.5 0.1 0.1", ImportCode.UNKNOWN_CLASS),
    ("0 0.5 0.5 0.1", ImportCode.INVALID_ENTRY),
    ("0", ImportCode.INVALID_ENTRY),
    ("0 nan 0.5 0.1 0.1", ImportCode.INVALID_ENTRY),
    ("0 inf 0.5 0.1 0.1", ImportCode.INVALID_ENTRY),
    ("0 1e308 0.5 0.1 0.1", ImportCode.INVALID_ENTRY),
    ("0 0.5 0.5 0.1 0.1 2", ImportCode.INVALID_ENTRY),
    ("0 0.5 0.5 -0.1 0.1", Code.BOUNDING_BOX_TOO_SMALL),
    ("0 0.5 0.5 0 0", Code.BOUNDING_BOX_TOO_SMALL),
    ("0 50 50 10 10", Code.INVALID_BOUNDING_BOX),
    ("0 0.9 0.5 0.5 0.1", Code.INVALID_BOUNDING_BOX),
    ("\xff\xfe", ImportCode.UNKNOWN_CLASS),
]


def test_every_error_is_named_and_none_stops_the_others(tmp_path: Path) -> None:
    source = LocalSource(tmp_path).put("data.yaml", f"{DATA}  2: yes\n")
    good = "0 0.5 0.5 0.25 0.5"
    source.put("images/1.jpg").put(
        "labels/1.txt", "\n".join([good, *(line for line, _ in LINES), good]).encode("latin-1")
    )
    source.put("images/bad.jpg", b"no image").put("labels/bad.txt", good)
    source.put("images/both.jpg").put("images/both.png").put("labels/both.txt", good)
    source.put("images/unlabelled.jpg").put("labels/no_image.txt", good)

    found, unusable = read_all(read, source)

    assert [(each.where, len(each.annotation.boxes)) for each in found] == [("labels/1.txt", 2), ("labels/both.txt", 1)]
    lines = [(f"labels/1.txt line {number}", code) for number, (_, code) in enumerate(LINES, start=2)]
    assert codes(unusable) == [
        ("images/both.png", ImportCode.SEVERAL_IMAGES),
        *lines,
        ("labels/bad.txt", Code.INVALID_IMAGE),
        ("labels/no_image.txt", ImportCode.IMAGE_NOT_FOUND),
        ("images/unlabelled.jpg", ImportCode.NOT_ANNOTATED),
    ]


@pytest.mark.parametrize(
    "files",
    [
        pytest.param({}, id="none"),
        pytest.param({"data.yaml": "names: [a, b"}, id="no YAML"),
        pytest.param({"data.yaml": "a: &a [x]\nb: &b [*a,*a]\nnc: [*b,*b]\n"}, id="no names"),
        pytest.param({"data.yaml": "names: !!python/object/apply:os.system [ls]\n"}, id="code"),
        pytest.param({"data.yaml": "[" * 5000}, id="levels without end"),
    ],
)
def test_a_source_that_does_not_name_its_classes_says_so(tmp_path: Path, files: dict[str, str]) -> None:
    source = LocalSource(tmp_path).put("images/1.jpg").put("labels/1.txt", "0 0.5 0.5 0.25 0.5")
    for name, content in files.items():
        source.put(name, content)

    found, unusable = read_all(read, source)

    assert (found, codes(unusable)) == ([], [("", ImportCode.UNREADABLE_FILE)])
