"""Label Studio's exports: JSON and JSON-MIN as it writes them, which answer counts, and every way to spoil a task."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings

from custom_labels.core.project_task import ProjectTask
from custom_labels.datasets.annotations.annotation import Code, ImageSize, Provenance
from custom_labels.datasets.imports.label_studio import read
from custom_labels.datasets.imports.source import ImportCode
from tests.kit.local_source import LABELS, LocalSource, annotated, boxes, codes, read_all
from tests.kit.odd_json import spoilt_anywhere

WHEN = "2024-03-09T22:16:08.728353Z"


def rectangle(
    label: str = "Moonwalker", x: Any = 50, y: Any = 25, width: Any = 12.5, height: Any = 50, **more: Any
) -> Any:
    return {
        "id": "Dx_aB91ISN",
        "type": "rectanglelabels",
        "from_name": "tag",
        "to_name": "img",
        "origin": "manual",
        "image_rotation": 0,
        "original_width": 128,
        "original_height": 96,
        "value": {"x": x, "y": y, "width": width, "height": height, "rotation": 0, "rectanglelabels": [label]},
        **more,
    }


def choices(*labels: str, **more: Any) -> dict[str, Any]:
    return {"type": "choices", "from_name": "choice", "to_name": "img", "value": {"choices": list(labels)}, **more}


def answer(*result: Any, updated: str = WHEN, **more: Any) -> dict[str, Any]:
    return {
        "id": 1001,
        "completed_by": 10,
        "result": list(result),
        "was_cancelled": False,
        "ground_truth": False,
        "created_at": "2024-03-09T22:16:08.728353Z",
        "updated_at": updated,
        "lead_time": 4.288,
        **more,
    }


def task(*answers: Any, image: Any = "/data/upload/1/0a1b2c3d-a.jpg", id_: Any = 1) -> dict[str, Any]:
    guess = {"model_version": "model 1", "result": [rectangle("Guess")], "score": 0.9}
    return {"id": id_, "annotations": list(answers), "predictions": [guess], "data": {"image": image}, "project": 83}


def test_an_export_as_json_is_read(tmp_path: Path) -> None:
    source = LocalSource(tmp_path).put("images/a.jpg").put("project-1.json", json.dumps([task(answer(rectangle()))]))

    found = annotated(read, source)["images/a.jpg"]

    assert boxes(found) == [("Moonwalker", 64, 24, 16, 48)]
    assert (found.size, found.provenance) == (ImageSize(128, 96), Provenance("2024-03-09T22:16:08.728353", "yes"))
    assert annotated(read, source, LABELS)["images/a.jpg"].labels == ("Moonwalker",)


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        ("s3://somewhere/else/a.jpg", "s3://somewhere/else/a.jpg"),
        ("/data/upload/1/0a1b2c3d-a.jpg", "a.jpg"),
        ("/data/local-files/?d=set/a%20b.jpg", "set/a b.jpg"),
        ("https://example.com/opensource/a.jpg?token=x", "a.jpg"),
        ("a.jpg", "a.jpg"),
    ],
)
def test_an_image_is_found_by_its_address(tmp_path: Path, image: str, expected: str) -> None:
    source = LocalSource(tmp_path).put("a.jpg").put("set/a b.jpg")
    source.put("export.json", json.dumps([task(answer(rectangle()), image=image)]))

    assert list(annotated(read, source)) == [expected]


def test_the_newest_answer_that_was_not_cancelled_counts(tmp_path: Path) -> None:
    answers = [
        answer(rectangle("old"), updated="2024-03-01T00:00:00Z"),
        answer(rectangle("new"), updated="2024-03-03T00:00:00Z"),
        answer(rectangle("older"), updated="2024-03-02T00:00:00Z"),
        answer(rectangle("cancelled"), updated="2024-03-04T00:00:00Z", was_cancelled=True),
    ]
    source = LocalSource(tmp_path).put("a.jpg").put("export.json", json.dumps([task(*answers, image="a.jpg")]))

    found = annotated(read, source)["a.jpg"]

    assert (found.labels, found.provenance.created) == (("new",), "2024-03-03T00:00:00")


def test_choices_are_labels_of_the_image_and_those_of_a_region_are_not(tmp_path: Path) -> None:
    result = [choices("sea", "sky"), rectangle(), choices("blurred", id="Dx_aB91ISN")]
    source = LocalSource(tmp_path).put("a.jpg").put("export.json", json.dumps([task(answer(*result), image="a.jpg")]))

    assert annotated(read, source, LABELS)["a.jpg"].labels == ("sea", "sky")
    assert annotated(read, source)["a.jpg"].labels == ("Moonwalker",)


def test_shapes_with_a_label_apart_and_polygons_have_boxes(tmp_path: Path) -> None:
    bare = rectangle(id="r", type="rectangle", value={"x": 0, "y": 0, "width": 50, "height": 50, "labels": ["car"]})
    label = {"id": "s", "type": "labels", "value": {"labels": ["dog"]}}
    apart = rectangle(id="s", type="rectangle", value={"x": 50, "y": 50, "width": 50, "height": 50})
    polygon = rectangle(type="polygonlabels", value={"points": [[0, 0], [25, 50], [50, 0]], "polygonlabels": ["cat"]})
    source = LocalSource(tmp_path).put("a.jpg")
    source.put("export.json", json.dumps([task(answer(bare, label, apart, polygon), image="a.jpg")]))

    assert boxes(annotated(read, source)["a.jpg"]) == [
        ("car", 0, 0, 64, 48),
        ("dog", 64, 48, 64, 48),
        ("cat", 0, 0, 64, 48),
    ]


def test_an_export_as_json_min_is_read(tmp_path: Path) -> None:
    region = {**rectangle()["value"], "original_width": 128, "original_height": 96}
    fields = {"id": 1, "annotator": 1, "annotation_id": 1, "created_at": WHEN, "updated_at": WHEN, "lead_time": 8.3}
    content = [
        {"image": "/data/upload/1/0a1b2c3d-a.jpg", "label": [region], **fields},
        {"image": "/data/upload/1/0a1b2c3d-b.jpg", "choice": "sea", "comment": "far", **fields, "id": 2},
        {"photo": "/data/upload/1/0a1b2c3d-c.jpg", "kind": {"choices": ["sea", "sky"]}, **fields, "id": 3},
    ]
    source = LocalSource(tmp_path).put("a.jpg").put("b.jpg").put("c.jpg").put("project-min.json", json.dumps(content))

    found = annotated(read, source, LABELS)

    assert {name: each.labels for name, each in found.items()} == {
        "a.jpg": ("Moonwalker",),
        "b.jpg": ("sea",),
        "c.jpg": ("sea", "sky"),
    }
    drawn, unusable = read_all(read, source)
    assert [boxes(each.annotation) for each in drawn] == [[("Moonwalker", 64, 24, 16, 48)]]
    assert [code for _, code in codes(unusable)] == [Code.NO_LABEL_ATTRIBUTES] * 2


@pytest.mark.parametrize("missing", [{"original_width": None}, {"original_width": 0, "original_height": 0}])
def test_a_size_that_is_not_given_is_read_of_the_image(tmp_path: Path, missing: dict[str, Any]) -> None:
    region = rectangle(**missing)
    source = LocalSource(tmp_path).put("a.jpg", size=(200, 100))
    source.put("export.json", json.dumps([task(answer(region), image="a.jpg")]))

    found, unusable = read_all(read, source)

    if region["original_height"]:
        assert [code for _, code in codes(unusable)] == [Code.INVALID_IMAGE_DIMENSION, Code.NO_VALID_ANNOTATIONS]
    else:
        assert boxes(found[0].annotation) == [("Moonwalker", 100, 25, 25, 50)]


def test_an_answer_without_a_label_says_that_nothing_is_there(tmp_path: Path) -> None:
    source = LocalSource(tmp_path).put("a.jpg").put("export.json", json.dumps([task(answer(), image="a.jpg")]))

    for kind in (ProjectTask.OBJECT_DETECTION, LABELS):
        assert annotated(read, source, kind)["a.jpg"].labels == ()


REGIONS = [
    (rectangle(value={**rectangle()["value"], "rotation": 30}), ImportCode.UNSUPPORTED_SHAPE),
    (rectangle(image_rotation=90), ImportCode.UNSUPPORTED_SHAPE),
    (rectangle(type="ellipselabels", value={"x": 1, "ellipselabels": ["a"]}), ImportCode.UNSUPPORTED_SHAPE),
    (rectangle(type="brushlabels", value={"rle": [1], "brushlabels": ["a"]}), ImportCode.UNSUPPORTED_SHAPE),
    (rectangle(x=None), ImportCode.INVALID_ENTRY),
    (rectangle(x=10**400), ImportCode.INVALID_ENTRY),
    (rectangle(x="50"), ImportCode.INVALID_ENTRY),
    (rectangle(width=-10), Code.BOUNDING_BOX_TOO_SMALL),
    (rectangle(width=90), Code.INVALID_BOUNDING_BOX),
    (rectangle("x" * 257), Code.INVALID_LABEL_NAME_LENGTH),
    (rectangle(value={"x": 1, "y": 1, "width": 10, "height": 10, "rectanglelabels": []}), ImportCode.INVALID_ENTRY),
    (
        rectangle(id="other", type="rectangle", value={"x": 1, "y": 1, "width": 1, "height": 1}),
        ImportCode.INVALID_ENTRY,
    ),
    (rectangle(type="polygonlabels", value={"points": "x", "polygonlabels": ["a"]}), ImportCode.INVALID_ENTRY),
    ("text", ImportCode.INVALID_ENTRY),
]
TASKS = [
    (task(), ImportCode.NOT_ANNOTATED),
    (task(answer(rectangle(), was_cancelled=True)), ImportCode.NOT_ANNOTATED),
    (task(answer(rectangle()), image="missing.jpg"), ImportCode.IMAGE_NOT_FOUND),
    (task(answer(rectangle()), image="/data/local-files/?d=../../etc/a.jpg"), ImportCode.INVALID_ENTRY),
    (task(answer(rectangle()), image="/data/local-files/?d=/etc/a.jpg"), ImportCode.INVALID_ENTRY),
    (task(answer(rectangle()), image="/data/upload/"), ImportCode.INVALID_ENTRY),
    (task(answer(rectangle()), image="http://[::1/a.jpg"), ImportCode.INVALID_ENTRY),
    (task(answer(rectangle()), image=7), ImportCode.INVALID_ENTRY),
    (task(answer(rectangle(x=float("nan")))), ImportCode.INVALID_ENTRY),
    ({**task(), "annotations": [{"result": None}]}, ImportCode.INVALID_ENTRY),
    ({**task(), "annotations": 3}, ImportCode.INVALID_ENTRY),
    ({**task(answer()), "data": []}, ImportCode.INVALID_ENTRY),
    ({"image": "a.jpg", "id": 7}, ImportCode.NOT_ANNOTATED),
    ({"image": "a.jpg", "id": 8, "one": "x", "two": "y"}, ImportCode.INVALID_ENTRY),
    (7, ImportCode.INVALID_ENTRY),
]


def test_every_error_is_named_and_none_stops_the_others(tmp_path: Path) -> None:
    spoilt = task(answer(rectangle("first"), *(region for region, _ in REGIONS), rectangle("last")), image="a.jpg")
    content = [spoilt, *(each for each, _ in TASKS), task(answer(rectangle()), image="b.jpg")]
    source = LocalSource(tmp_path).put("a.jpg").put("b.jpg").put("export.json", json.dumps(content))
    source.put("other.json", '{"images": []}').put("unfinished.json", json.dumps([spoilt])[:-9])

    found, unusable = read_all(read, source)

    assert [each.annotation.labels for each in found] == [("first", "last"), ("Moonwalker",)]
    assert sorted(code for _, code in codes(unusable)) == sorted(
        [*(code for _, code in [*REGIONS, *TASKS]), ImportCode.UNREADABLE_FILE, ImportCode.UNREADABLE_FILE]
    )
    assert all(each.where and each.detail for each in unusable)


@settings(deadline=None, derandomize=True)
@given(content=spoilt_anywhere([[task(answer(rectangle(), choices("sea")), image="a.jpg")]]))
def test_whatever_a_file_holds_it_is_read_to_its_end(tmp_path_factory: pytest.TempPathFactory, content: Any) -> None:
    source = LocalSource(tmp_path_factory.mktemp("tasks")).put("a.jpg").put("a.json", json.dumps(content))

    for kind in ProjectTask:
        found, unusable = read_all(read, source, kind)
        assert len(found) <= 1
        assert all(each.detail for each in unusable)
