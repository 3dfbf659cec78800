"""Whatever the lines of an imported manifest hold, each is taken or named, and what is taken the project can learn."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from custom_labels.core.project_task import ProjectTask
from custom_labels.datasets.annotations.annotation import Annotation, ImageLabel
from custom_labels.datasets.annotations.kinds import KINDS
from custom_labels.datasets.imports.fitting import fit
from custom_labels.datasets.imports.manifest_file import RIGHT, read_lines
from custom_labels.datasets.imports.mapping import LabelMapping
from custom_labels.datasets.imports.source import Found
from custom_labels.datasets.manifest import annotated_line
from tests.kit.annotation_lines import boxes_line, label_attribute, labels_line, native_line
from tests.kit.odd_json import spoilt_anywhere

VERIFIED = label_attribute("good", name="check", type="groundtruth/label-verification")
LINES = [
    boxes_line(boxes=[("Echo", 1, 2, 30, 40), ("Dot", 0, 0, 640, 480)]),
    boxes_line() | boxes_line(boxes=[("Dot", 5, 5, 5, 5)], name="adjusted", created="2026-03-01T00:00:00"),
    boxes_line() | VERIFIED,
    labels_line("ball", "bat"),
    native_line(labels={"ball": 0.5, "net": 1}, absent=["bat"]),
]
MAPPING = LabelMapping({"Dot": "Echo", "bat": None})


@pytest.mark.parametrize("task", ProjectTask)
@settings(max_examples=200)
@given(values=st.lists(spoilt_anywhere(LINES), max_size=4))
def test_each_line_is_taken_or_named(task: ProjectTask, values: list[object]) -> None:
    lines = [json.dumps(value).encode() for value in values]

    items = list(read_lines(((f"line {number}", line) for number, line in enumerate(lines)), task))

    assert [item.where for item in items] == [f"line {number}" for number in range(len(lines))]
    for item in items:
        fitted = fit(Found(item.where, MAPPING.apply(item.annotation)), task) if isinstance(item, Found) else item
        if isinstance(fitted, Found):
            holds(fitted.annotation, task)
        else:
            assert fitted.code
            assert fitted.detail.isprintable()


def holds(annotation: Annotation, task: ProjectTask) -> None:
    assert not {"Dot", "bat"} & {*annotation.labels}
    if not task.has_several:
        assert len(annotation.labels) == 1
        return
    again = KINDS[task].parse(annotated_line(annotation.source_ref, KINDS[task].body(annotation)))
    assert isinstance(again, Annotation), again
    assert (again.digest, again.provenance) == (annotation.digest, annotation.provenance)


@given(answer=st.text())
def test_verified_labels_count_only_where_people_found_them_right(answer: str) -> None:
    line = boxes_line() | label_attribute(answer, name="check", type="groundtruth/label-verification")

    (item,) = read_lines([("line 1", json.dumps(line).encode())], ProjectTask.OBJECT_DETECTION)

    assert isinstance(item, Found) is (answer.strip().casefold() in RIGHT)


LABEL = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), min_size=1, max_size=8)


@given(labels=st.dictionaries(LABEL, st.floats(0, 1), min_size=1), names=st.dictionaries(LABEL, st.none() | LABEL))
def test_a_mapping_renames_merges_and_drops(labels: dict[str, float], names: dict[str, str | None]) -> None:
    found = KINDS[ProjectTask.MULTI_LABEL_CLASSIFICATION].parse(json.dumps(labels_line("ball")))
    assert isinstance(found, Annotation)
    made = Annotation(
        found.source_ref, found.provenance, found.created, image_labels=tuple(map(ImageLabel, labels, labels.values()))
    )

    mapped = LabelMapping(names).apply(made)

    expected: dict[str, float] = {}
    for label, sure in labels.items():
        if (name := names.get(label, label)) is not None:
            expected[name] = max(sure, expected.get(name, 0))
    assert {each.label: each.confidence for each in mapped.image_labels} == expected
