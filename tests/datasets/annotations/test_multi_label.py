"""Lines with several labels, of Ground Truth and of Custom Labels: what is read, refused and written."""

from __future__ import annotations

import json
from typing import Any

import pytest

from custom_labels.core.project_task import ProjectTask
from custom_labels.datasets.annotations.annotation import Annotation, Code, ImageLabel, Refusal
from custom_labels.datasets.annotations.kinds import KINDS
from custom_labels.datasets.manifest import annotated_line
from tests.kit.annotation_lines import boxes_line, label_attribute, labels_line, native_line, spoilt

KIND = KINDS[ProjectTask.MULTI_LABEL_CLASSIFICATION]

GUIDE = {
    "source-ref": "s3://bucket/a.png",
    "sport0": 0,
    "sport0-metadata": {
        "class-name": "football",
        "confidence": 0.8,
        "type": "groundtruth/image-classification",
        "job-name": "identify-sport",
        "human-annotated": "yes",
        "creation-date": "2018-10-18T22:18:13.527256",
    },
    "sport1": 1,
    "sport1-metadata": {
        "class-name": "ball",
        "confidence": 0.8,
        "type": "groundtruth/image-classification",
        "job-name": "identify-sport",
        "human-annotated": "yes",
        "creation-date": "2018-10-18T22:18:13.527256",
    },
}
"""The example of the developer guide's "Adding multiple image-level labels to an image"."""


def read(line: dict[str, Any]) -> Annotation:
    found = KIND.parse(json.dumps(line))
    assert isinstance(found, Annotation), found
    return found


def test_the_guides_example_is_read_and_written_alike() -> None:
    found = read(GUIDE)

    assert found.image_labels == (ImageLabel("football", 0.8), ImageLabel("ball", 0.8))
    written = json.loads(annotated_line(found.source_ref, KIND.body(found)))
    assert list(written) == ["source-ref", "label0", "label0-metadata", "label1", "label1-metadata"]
    assert (written["label0"], written["label1"]) == (0, 1)
    assert (written["label0-metadata"], written["label1-metadata"]) == (
        GUIDE["sport1-metadata"],
        GUIDE["sport0-metadata"],
    )
    assert read(written).digest == found.digest


def test_a_line_of_ground_truth_is_written_as_custom_labels_takes_it() -> None:
    found = read(native_line(labels={"football": 0.7, "ball": 1}, absent=["bat"]))

    assert found.labels == ("ball", "football")
    assert {each.label: each.confidence for each in found.image_labels} == {"football": 0.7, "ball": 1}
    assert read(json.loads(annotated_line(found.source_ref, KIND.body(found)))).digest == found.digest


def test_no_labels_say_that_nothing_fits_in_the_way_of_ground_truth() -> None:
    found = read(native_line(labels={}, absent=["bat"]))

    assert (found.labels, found.dropped) == ((), ())
    written = json.loads(annotated_line(found.source_ref, KIND.body(found)))
    assert written["label"] == []
    assert (read(written).labels, read(written).provenance) == ((), found.provenance)


def test_a_later_job_takes_back_labels_that_it_was_asked_about() -> None:
    first, later = native_line(labels={"bat": 1, "ball": 1}), "2026-02-01T00:00:00"
    second = native_line(labels={"ball": 0.5}, absent=["bat"], name="again", created=later)

    assert read(first | second).image_labels == (ImageLabel("ball", 0.5),)
    assert read(first | label_attribute("net", created=later)).labels == ("ball", "bat", "net")


ONE, NATIVE = labels_line("ball"), native_line()
REFUSED: dict[str, tuple[str, Code]] = {
    "boxes": (json.dumps(boxes_line()), Code.NO_LABEL_ATTRIBUTES),
    "no JSON": ("ball", Code.INVALID_JSON_LINE),
    "no source-ref": (spoilt(ONE, "source-ref", gone=True), Code.MISSING_SOURCE_REF),
    "a text as value": (spoilt(ONE, "sport0", "0"), Code.INVALID_LABEL_ATTRIBUTE_FORMAT),
    "true as value": (spoilt(ONE, "sport0", True), Code.INVALID_LABEL_ATTRIBUTE_FORMAT),
    "no value": (spoilt(ONE, "sport0", gone=True), Code.NO_LABEL_ATTRIBUTES),
    "no class name": (
        spoilt(ONE, "sport0-metadata/class-name", gone=True),
        Code.INVALID_LABEL_ATTRIBUTE_METADATA_FORMAT,
    ),
    "no confidence": (
        spoilt(ONE, "sport0-metadata/confidence", gone=True),
        Code.INVALID_LABEL_ATTRIBUTE_METADATA_FORMAT,
    ),
    "a confidence that is true": (
        spoilt(ONE, "sport0-metadata/confidence", True),
        Code.INVALID_LABEL_ATTRIBUTE_METADATA_FORMAT,
    ),
    "a confidence above 1": (
        spoilt(ONE, "sport0-metadata/confidence", 1.01),
        Code.INVALID_LABEL_ATTRIBUTE_METADATA_FORMAT,
    ),
    "no date": (spoilt(ONE, "sport0-metadata/creation-date", None), Code.INVALID_LABEL_ATTRIBUTE_METADATA_FORMAT),
    "a label of 257": (json.dumps(labels_line("x" * 257)), Code.INVALID_LABEL_NAME_LENGTH),
    "another type": (spoilt(ONE, "sport0-metadata/type", "groundtruth/text"), Code.UNSUPPORTED_USE_CASE_TYPE),
    "51 labels": (json.dumps(labels_line(*(f"label {n}" for n in range(51)))), Code.NO_VALID_LABEL_ATTRIBUTES),
    "an id in the list that is none": (spoilt(NATIVE, "sport", [0, "1"]), Code.INVALID_LABEL_ATTRIBUTE_FORMAT),
    "a number for the list": (spoilt(NATIVE, "sport", 0), Code.INVALID_LABEL_ATTRIBUTE_FORMAT),
    "an id that is not in the class map": (spoilt(NATIVE, "sport", [0, 7]), Code.MISSING_CLASS_MAP_ID),
    "an id without confidence": (
        spoilt(NATIVE, "sport-metadata/confidence-map", {}),
        Code.INVALID_LABEL_ATTRIBUTE_METADATA_FORMAT,
    ),
    "a list of confidences": (
        spoilt(NATIVE, "sport-metadata/confidence-map", [0.5]),
        Code.INVALID_LABEL_ATTRIBUTE_METADATA_FORMAT,
    ),
}


@pytest.mark.parametrize(("line", "code"), REFUSED.values(), ids=REFUSED)
def test_a_line_is_refused_with_the_code_of_custom_labels(line: str, code: Code) -> None:
    found = KIND.parse(line)

    assert isinstance(found, Refusal)
    assert found.code is code


@pytest.mark.parametrize(
    "label", ["<script>alert(1)</script>", "{{ label }}", "../..", "日本", "😀", "x" * 255, 'a"b\\c']
)
def test_strange_labels_come_back_as_they_are(label: str) -> None:
    found = read(labels_line(label, "ball"))

    assert set(found.labels) == {label, "ball"}
    assert read(json.loads(annotated_line(found.source_ref, KIND.body(found)))).labels == found.labels
