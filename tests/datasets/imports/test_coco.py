"""COCO JSON: files as COCO, CVAT and Roboflow write them, every way to spoil one, and long ones."""

from __future__ import annotations

import json
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings

from custom_labels.core.project_task import ProjectTask
from custom_labels.datasets.annotations.annotation import Code, ImageSize, Provenance
from custom_labels.datasets.imports import json_entries
from custom_labels.datasets.imports.coco import read
from custom_labels.datasets.imports.source import UNDATED, Found, ImportCode
from tests.kit.local_source import BUCKET, LABELS, LocalSource, annotated, boxes, codes, read_all
from tests.kit.odd_json import spoilt_anywhere

COCO: dict[str, Any] = {
    "info": {"description": "COCO 2017 Dataset", "version": "1.0", "year": 2017, "date_created": "2017/09/01"},
    "licenses": [{"url": "http://creativecommons.org/licenses/by/2.0/", "id": 4, "name": "Attribution License"}],
    "images": [
        {
            "license": 4,
            "file_name": "000000397133.jpg",
            "coco_url": "http://images.cocodataset.org/val2017/000000397133.jpg",
            "height": 427,
            "width": 640,
            "date_captured": "2013-11-14 17:02:52",
            "id": 397133,
        },
        {"file_name": "000000000139.jpg", "height": 426, "width": 640, "id": 139},
    ],
    "annotations": [
        {
            "segmentation": [[224.24, 297.18, 228.29, 297.18, 234.91, 298.29]],
            "area": 1481.3,
            "iscrowd": 0,
            "image_id": 397133,
            "bbox": [217.62, 240.54, 38.99, 57.75],
            "category_id": 44,
            "id": 82445,
        },
        {"iscrowd": 0, "image_id": 397133, "bbox": [1, 240.24, 346.63, 186.76], "category_id": 67, "id": 119568},
    ],
    "categories": [
        {"supercategory": "kitchen", "id": 44, "name": "bottle"},
        {"supercategory": "furniture", "id": 67, "name": "dining table"},
    ],
}


def test_a_file_of_coco_itself_is_read(tmp_path: Path) -> None:
    source = LocalSource(tmp_path).put("val2017/000000397133.jpg").put("val2017/000000000139.jpg")
    source.put("annotations/instances_val2017.json", json.dumps(COCO))
    source.put(
        "annotations/captions_val2017.json", json.dumps({"images": [], "annotations": [{"caption": "A kitchen."}]})
    )

    found = annotated(read, source)

    bottle = found["val2017/000000397133.jpg"]
    assert boxes(bottle) == [("bottle", 217.62, 240.54, 38.99, 57.75), ("dining table", 1, 240.24, 346.63, 186.76)]
    assert bottle.size == ImageSize(640, 427)
    assert bottle.provenance == Provenance("2017-09-01T00:00:00", "yes")
    assert boxes(found["val2017/000000000139.jpg"]) == []
    labelled, unusable = read_all(read, source, LABELS)
    assert [each.annotation.labels for each in labelled] == [("bottle", "dining table")]
    assert codes(unusable) == [("annotations/instances_val2017.json image 139", "NOT_ANNOTATED")]


def test_an_image_beside_its_file_is_found_before_one_of_the_same_name(tmp_path: Path) -> None:
    """Roboflow's exports have ``train``, ``valid`` and ``test``, each with its own file."""
    source = LocalSource(tmp_path)
    for folder in ("train", "valid"):
        source.put(f"{folder}/a.jpg").put(f"{folder}/_annotations.coco.json", json.dumps(coco(image(1), shape(1))))

    assert sorted(annotated(read, source)) == ["train/a.jpg", "valid/a.jpg"]


CATEGORIES = ({"id": 0, "name": "cat"},)
LONG_NAME = {"id": 1, "name": "x" * 257}


def image(id_: Any, name: Any = "a.jpg", **more: Any) -> dict[str, Any]:
    return {"id": id_, "file_name": name, "width": 128, "height": 96, **more}


def shape(id_: Any, image_id: Any = 1, box: Any = (10, 20, 30, 40), category: Any = 0, **more: Any) -> dict[str, Any]:
    return {"id": id_, "image_id": image_id, "bbox": list(box), "category_id": category, **more}


def coco(*entries: dict[str, Any], categories: Any = CATEGORIES) -> dict[str, Any]:
    return {
        "annotations": [entry for entry in entries if "image_id" in entry],
        "images": [entry for entry in entries if "file_name" in entry],
        "categories": list(categories),
    }


ERRORS: list[tuple[dict[str, Any], str]] = [
    (shape(10, 99), ImportCode.INVALID_ENTRY),
    (shape(11, category=7), ImportCode.UNKNOWN_CLASS),
    (shape(12, category=1), ImportCode.UNKNOWN_CLASS),
    (shape(13, box=(10, 20, -30, 40)), Code.BOUNDING_BOX_TOO_SMALL),
    (shape(14, box=(10, 20, 0, 0)), Code.BOUNDING_BOX_TOO_SMALL),
    (shape(15, box=(100, 20, 30, 40)), Code.INVALID_BOUNDING_BOX),
    (shape(16, box=(float("nan"), 20, 30, 40)), ImportCode.INVALID_ENTRY),
    (shape(17, box=(10**400, 20, 30, 40)), ImportCode.INVALID_ENTRY),
    (shape(18, box=("10", 20, 30, 40)), ImportCode.INVALID_ENTRY),
    (shape(19, box=(10, 20, 30)), ImportCode.INVALID_ENTRY),
    (shape(20, iscrowd=1, segmentation={"counts": [1, 2], "size": [96, 128]}), ImportCode.UNSUPPORTED_SHAPE),
    ({"id": 21, "image_id": 1, "category_id": 0, "segmentation": [[1, 2, 3, 4, 5, 6]]}, ImportCode.UNSUPPORTED_SHAPE),
    (shape(22, image_id=None), ImportCode.INVALID_ENTRY),
    (shape(23, category=[0]), ImportCode.INVALID_ENTRY),
    (image(None), ImportCode.INVALID_ENTRY),
    (image(2, "missing.jpg"), ImportCode.IMAGE_NOT_FOUND),
    (image(3, "twice.jpg"), ImportCode.SEVERAL_IMAGES),
    (image(4, "../../etc/a.jpg"), ImportCode.INVALID_ENTRY),
    (image(5, "/home/me/a.jpg"), ImportCode.INVALID_ENTRY),
    (image(6, "C:\\images\\a.jpg"), ImportCode.INVALID_ENTRY),
    (image(7, "http://somewhere/a.jpg"), ImportCode.INVALID_ENTRY),
    (image(8, "a\n.jpg"), ImportCode.INVALID_ENTRY),
    (image(9, ""), ImportCode.INVALID_ENTRY),
    (image(1, "b.jpg"), ImportCode.INVALID_ENTRY),
    (image(10, "a.jpg"), ImportCode.INVALID_ENTRY),
    (image(11, "c.jpg", width=-1), Code.INVALID_IMAGE_DIMENSION),
    (image(12, "c.jpg", width=5000), Code.INVALID_IMAGE_DIMENSION),
    (image(13, "d.jpg", width="128"), ImportCode.INVALID_ENTRY),
]


def test_every_error_is_named_and_none_stops_the_others(tmp_path: Path) -> None:
    source = LocalSource(tmp_path).put("x/twice.jpg").put("y/twice.jpg")
    for name in "abcd":
        source.put(f"{name}.jpg")
    entries = [image(1), shape(1), *(entry for entry, _ in ERRORS), shape(99)]
    source.put("a.json", json.dumps(coco(*entries, categories=[*CATEGORIES, LONG_NAME])))

    found, unusable = read_all(read, source)

    assert [boxes(each.annotation) for each in found] == [[("cat", 10, 20, 30, 40)] * 2]
    expected = sorted(code for _, code in ERRORS)
    assert sorted(code for _, code in codes(unusable)) == sorted([*expected, Code.INVALID_LABEL_NAME_LENGTH])
    assert all(each.where.startswith("a.json ") and each.detail for each in unusable)


@pytest.mark.parametrize(
    ("spoil", "taken"),
    [
        pytest.param(lambda text: text[:-40], 0, id="cut off"),
        pytest.param(lambda text: text.decode().encode("utf-16"), 0, id="UTF-16"),
        pytest.param(lambda text: text.replace(b"b.jpg", b"\xe9.jpg"), 1, id="Latin-1 in one entry"),
        pytest.param(lambda text: text.replace(b"b.jpg", b"\\ud800.jpg"), 1, id="half a character in one entry"),
        pytest.param(lambda text: text.replace(b'"id": 2', b'"id": 2, "id": 2'), 1, id="a key twice in one entry"),
        pytest.param(lambda text: text.replace(b'"id": 2', b'"id": ' + b"9" * 5000), 1, id="a number without end"),
        pytest.param(
            lambda text: text.replace(b'"id": 2', b'"id": ' + b"[" * 9999 + b"]" * 9999), 1, id="levels without end"
        ),
        pytest.param(lambda text: text + b"}", 2, id="something behind the end"),
        pytest.param(lambda text: text.replace(b'[{"id": 0', b'{"id": 0'), 2, id="a bracket is missing"),
        pytest.param(lambda _: b"[]", 0, id="a list"),
        pytest.param(lambda _: b"", 0, id="empty"),
        pytest.param(lambda _: b"\x89PNG", 0, id="no JSON"),
    ],
)
def test_a_spoilt_file_ends_in_a_finding(tmp_path: Path, spoil: Any, taken: int) -> None:
    source = (
        LocalSource(tmp_path).put("a.jpg").put("b.jpg").put("z.json", json.dumps(coco(image("ok"), shape(1, "ok"))))
    )
    source.put("y.json", spoil(json.dumps(coco(image(1), shape(1), image(2, "b.jpg"), shape(2, 2))).encode()))

    found, unusable = read_all(read, source)

    assert [each.where for each in found if each.where.startswith("z.json")] == ['z.json image "ok"']
    assert len([each for each in found if each.annotation.boxes]) == taken + 1
    assert [each for each in unusable if each.where.startswith("y.json")]


@settings(deadline=None, derandomize=True)
@given(content=spoilt_anywhere([coco(image(1), shape(1), image(2, "b.jpg"), shape(2, 2))]))
def test_whatever_a_file_holds_it_is_read_to_its_end(tmp_path_factory: pytest.TempPathFactory, content: Any) -> None:
    source = LocalSource(tmp_path_factory.mktemp("coco")).put("a.jpg").put("b.jpg").put("a.json", json.dumps(content))

    for task in ProjectTask:
        found, unusable = read_all(read, source, task)
        assert len(found) <= 2
        assert all(each.detail for each in unusable)
        assert {each.annotation.source_ref for each in found} <= {f"{BUCKET}a.jpg", f"{BUCKET}b.jpg", "s3://a/b"}


def test_a_byte_order_mark_is_no_error(tmp_path: Path) -> None:
    source = LocalSource(tmp_path).put("a.jpg")
    source.put("a.json", b"\xef\xbb\xbf" + json.dumps(coco(image(1), shape(1))).encode())

    assert list(annotated(read, source)) == ["a.jpg"]


def test_more_than_fifty_boxes_are_refused(tmp_path: Path) -> None:
    source = LocalSource(tmp_path).put("a.jpg")
    source.put("a.json", json.dumps(coco(image(1), *(shape(number) for number in range(51)))))

    assert codes(read_all(read, source)[1]) == [("a.json image 1", Code.TOO_MANY_BOUNDING_BOXES.value)]


def test_what_sticks_out_by_rounding_is_cut(tmp_path: Path) -> None:
    source = LocalSource(tmp_path).put("a.jpg")
    source.put("a.json", json.dumps(coco(image(1), shape(1, box=(-0.4, 0, 128.9, 96.5), score=0.75))))

    annotation = annotated(read, source)["a.jpg"]

    assert boxes(annotation) == [("cat", 0, 0, 128, 96)]
    assert annotation.boxes[0].confidence == 0.75
    assert annotation.created == UNDATED


def test_a_size_that_the_file_does_not_give_is_read_of_the_image(tmp_path: Path) -> None:
    source = LocalSource(tmp_path).put("a.jpg", size=(200, 100))
    source.put("a.json", json.dumps(coco({"id": 1, "file_name": "a.jpg"}, shape(1))))

    assert annotated(read, source)["a.jpg"].size == ImageSize(200, 100)


def test_memory_does_not_grow_with_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_entries, "_CHUNK", 4096)

    def peak(images: int) -> int:
        source = LocalSource(tmp_path / str(images))
        entries = [shape(number, number) for number in range(images)]
        entries += [image(number, f"s3://elsewhere/{number}.jpg") for number in range(images)]
        source.put("a.json", json.dumps(coco(*entries)))
        tracemalloc.start()
        items: Iterator[Any] = read(source, ProjectTask.OBJECT_DETECTION)
        assert sum(isinstance(item, Found) for item in items) == images
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return most

    few, many = peak(600), peak(3_000)  # in memory these would be 2 MB more
    assert many < few + 400 * 1024
