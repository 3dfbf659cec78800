"""Lines with boxes: what is read, what is refused with which code of Custom Labels, and what is written."""

from __future__ import annotations

import json
from typing import Any

import pytest

from custom_labels.core.project_task import ProjectTask
from custom_labels.datasets.annotations.annotation import Annotation, Box, Code, ImageSize, Provenance, Refusal, Refused
from custom_labels.datasets.annotations.json_lines import key_of
from custom_labels.datasets.annotations.kinds import KINDS
from custom_labels.datasets.manifest import annotated_line
from tests.kit.annotation_lines import boxes_line, labels_line, spoilt

KIND = KINDS[ProjectTask.OBJECT_DETECTION]
LINE = boxes_line()

GUIDE = (
    '{"source-ref": "s3://bucket/images/IMG_1186.png", "bounding-box": {"image_size": [{"width": 640, "height": 480, '
    '"depth": 3}], "annotations": [{ "class_id": 1, "top": 251, "left": 399, "width": 155, "height": 101}, '
    '{"class_id": 0, "top": 65, "left": 86, "width": 220, "height": 334}]}, "bounding-box-metadata": {"objects": '
    '[{ "confidence": 1}, {"confidence": 1}], "class-map": {"0": "Echo", "1": "Echo Dot"}, "type": '
    '"groundtruth/object-detection", "human-annotated": "yes", "creation-date": "2013-11-18T02:53:27", "job-name": '
    '"my job"}}'
)
"""The example of the developer guide's "Object localization in manifest files"."""


def read(line: str | bytes | dict[str, Any]) -> Annotation:
    found = KIND.parse(json.dumps(line) if isinstance(line, dict) else line)
    assert isinstance(found, Annotation), found
    return found


def refused(line: str | bytes | dict[str, Any]) -> Refusal:
    found = KIND.parse(json.dumps(line) if isinstance(line, dict) else line)
    assert isinstance(found, Refusal), found
    return found


def test_the_guides_example_is_read_and_written_alike() -> None:
    found = read(GUIDE)

    assert found.boxes == (Box("Echo Dot", 399, 251, 155, 101, 1), Box("Echo", 86, 65, 220, 334, 1))
    assert (found.size, found.labels, found.dropped) == (ImageSize(640, 480, 3), ("Echo", "Echo Dot"), ())
    assert found.provenance == Provenance("2013-11-18T02:53:27", "yes", "my job")
    written = json.loads(annotated_line(found.source_ref, KIND.body(found)))
    assert written == json.loads(GUIDE)
    assert [list(written), *map(list, written["bounding-box"]["annotations"])] == [
        list(json.loads(GUIDE)),
        *map(list, json.loads(GUIDE)["bounding-box"]["annotations"]),
    ]


BOX = "bounding-box/annotations/0"
SIZE = "bounding-box/image_size/0"
METADATA = "bounding-box-metadata"

REFUSED: dict[str, tuple[str | bytes, Code]] = {
    "no JSON": ('{"source-ref": "s3://bucket/a.png",', Code.INVALID_JSON_LINE),
    "a list": ("[1, 2]", Code.INVALID_JSON_LINE),
    "a text": ('"s3://bucket/a.png"', Code.INVALID_JSON_LINE),
    "NaN": (json.dumps(LINE).replace("10", "NaN", 1), Code.INVALID_JSON_LINE),
    "Infinity": (json.dumps(LINE).replace("10", "-Infinity", 1), Code.INVALID_JSON_LINE),
    "a key twice": (json.dumps(LINE)[:-1] + ', "source-ref": "s3://bucket/b.png"}', Code.INVALID_JSON_LINE),
    "a class id twice": (json.dumps(LINE).replace('"0": "Echo"', '"0": "Echo", "0": "Dot"'), Code.INVALID_JSON_LINE),
    "half a surrogate pair": (json.dumps(LINE).replace('"Echo"', '"\\ud83d"'), Code.INVALID_JSON_LINE),
    "not UTF-8": (json.dumps(LINE).encode().replace(b"Echo", b"\xff\xfe"), Code.INVALID_JSON_LINE),
    "UTF-16": (json.dumps(LINE).encode("utf-16"), Code.INVALID_JSON_LINE),
    "a hundred thousand levels": ('{"a":' + "[" * 99_990, Code.INVALID_JSON_LINE),
    "4 MB": (json.dumps({**LINE, "more": "x" * 4_000_000}), Code.INVALID_JSON_LINE),
    "a number of 5,000 digits": (json.dumps(LINE).replace("10", "1" * 5000, 1), Code.INVALID_JSON_LINE),
    "no source-ref": (spoilt(LINE, "source-ref", gone=True), Code.MISSING_SOURCE_REF),
    "a source-ref by HTTPS": (spoilt(LINE, "source-ref", "https://bucket/a.png"), Code.INVALID_SOURCE_REF_FORMAT),
    "a bucket alone": (spoilt(LINE, "source-ref", "s3://bucket/"), Code.INVALID_SOURCE_REF_FORMAT),
    "a source-ref that is null": (spoilt(LINE, "source-ref", None), Code.INVALID_SOURCE_REF_FORMAT),
    "a line break in the key": (spoilt(LINE, "source-ref", "s3://bucket/a\nb.png"), Code.INVALID_SOURCE_REF_FORMAT),
    "an image alone": ('{"source-ref": "s3://bucket/a.png"}', Code.NO_LABEL_ATTRIBUTES),
    "the attribute is gone": (spoilt(LINE, "bounding-box", gone=True), Code.NO_LABEL_ATTRIBUTES),
    "its metadata are gone": (spoilt(LINE, METADATA, gone=True), Code.NO_LABEL_ATTRIBUTES),
    "labels of the whole image": (json.dumps(labels_line("ball")), Code.NO_LABEL_ATTRIBUTES),
    "metadata that are a list": (spoilt(LINE, METADATA, []), Code.INVALID_LABEL_ATTRIBUTE_METADATA_FORMAT),
    "no type": (spoilt(LINE, f"{METADATA}/type", gone=True), Code.INVALID_LABEL_ATTRIBUTE_METADATA_FORMAT),
    "another type": (spoilt(LINE, f"{METADATA}/type", "groundtruth/wrongtype"), Code.UNSUPPORTED_USE_CASE_TYPE),
    "the attribute is a list": (spoilt(LINE, "bounding-box", []), Code.INVALID_LABEL_ATTRIBUTE_FORMAT),
    "no size": (spoilt(LINE, "bounding-box/image_size", gone=True), Code.INVALID_LABEL_ATTRIBUTE_FORMAT),
    "an empty size": (spoilt(LINE, "bounding-box/image_size", []), Code.INVALID_LABEL_ATTRIBUTE_FORMAT),
    "no depth": (spoilt(LINE, f"{SIZE}/depth", gone=True), Code.INVALID_LABEL_ATTRIBUTE_FORMAT),
    "a width that is true": (spoilt(LINE, f"{SIZE}/width", True), Code.INVALID_LABEL_ATTRIBUTE_FORMAT),
    "no boxes at all": (spoilt(LINE, "bounding-box/annotations", gone=True), Code.INVALID_LABEL_ATTRIBUTE_FORMAT),
    "a box that is null": (spoilt(LINE, BOX, None), Code.INVALID_LABEL_ATTRIBUTE_FORMAT),
    "a side as a text": (spoilt(LINE, f"{BOX}/left", "10"), Code.INVALID_LABEL_ATTRIBUTE_FORMAT),
    "a side that is true": (spoilt(LINE, f"{BOX}/width", True), Code.INVALID_LABEL_ATTRIBUTE_FORMAT),
    "a side that is infinite": (json.dumps(LINE).replace("10", "1e999", 1), Code.INVALID_LABEL_ATTRIBUTE_FORMAT),
    "a class id with a fraction": (spoilt(LINE, f"{BOX}/class_id", 0.0), Code.INVALID_LABEL_ATTRIBUTE_FORMAT),
    "a class id that is false": (spoilt(LINE, f"{BOX}/class_id", False), Code.INVALID_LABEL_ATTRIBUTE_FORMAT),
    "no class map": (spoilt(LINE, f"{METADATA}/class-map", gone=True), Code.INVALID_LABEL_ATTRIBUTE_METADATA_FORMAT),
    "a class map of a list": (
        spoilt(LINE, f"{METADATA}/class-map", ["Echo"]),
        Code.INVALID_LABEL_ATTRIBUTE_METADATA_FORMAT,
    ),
    "an empty class map": (spoilt(LINE, f"{METADATA}/class-map", {}), Code.MISSING_CLASS_MAP_ID),
    "a class map that contradicts": (spoilt(LINE, f"{METADATA}/class-map", {"00": "Echo"}), Code.MISSING_CLASS_MAP_ID),
    "a negative class id": (spoilt(LINE, f"{BOX}/class_id", -1), Code.MISSING_CLASS_MAP_ID),
    "a huge class id": (spoilt(LINE, f"{BOX}/class_id", 10**400), Code.MISSING_CLASS_MAP_ID),
    "a label that is a number": (
        spoilt(LINE, f"{METADATA}/class-map/0", 7),
        Code.INVALID_LABEL_ATTRIBUTE_METADATA_FORMAT,
    ),
    "a label with a NUL": (
        spoilt(LINE, f"{METADATA}/class-map/0", "a\0b"),
        Code.INVALID_LABEL_ATTRIBUTE_METADATA_FORMAT,
    ),
    "a label of nothing": (spoilt(LINE, f"{METADATA}/class-map/0", ""), Code.INVALID_LABEL_NAME_LENGTH),
    "a label of 257": (spoilt(LINE, f"{METADATA}/class-map/0", "x" * 257), Code.INVALID_LABEL_NAME_LENGTH),
    "no objects": (spoilt(LINE, f"{METADATA}/objects", gone=True), Code.INVALID_LABEL_ATTRIBUTE_METADATA_FORMAT),
    "no confidence": (
        spoilt(LINE, f"{METADATA}/objects/0/confidence", gone=True),
        Code.MISSING_BOUNDING_BOX_CONFIDENCE,
    ),
    "a confidence in percent": (
        spoilt(LINE, f"{METADATA}/objects/0/confidence", 90),
        Code.MISSING_BOUNDING_BOX_CONFIDENCE,
    ),
    "an object less": (spoilt(LINE, f"{METADATA}/objects", []), Code.MISSING_BOUNDING_BOX_CONFIDENCE),
    "an object that is null": (spoilt(LINE, f"{METADATA}/objects/0", None), Code.MISSING_BOUNDING_BOX_CONFIDENCE),
    "no creation date": (
        spoilt(LINE, f"{METADATA}/creation-date", gone=True),
        Code.INVALID_LABEL_ATTRIBUTE_METADATA_FORMAT,
    ),
    "a creation date that is none": (
        spoilt(LINE, f"{METADATA}/creation-date", "2026-13-45"),
        Code.INVALID_LABEL_ATTRIBUTE_METADATA_FORMAT,
    ),
    "a creation date before all": (
        spoilt(LINE, f"{METADATA}/creation-date", "0001-01-01T00:00:00+14:00"),
        Code.INVALID_LABEL_ATTRIBUTE_METADATA_FORMAT,
    ),
    "annotated by perhaps": (
        spoilt(LINE, f"{METADATA}/human-annotated", "perhaps"),
        Code.INVALID_LABEL_ATTRIBUTE_METADATA_FORMAT,
    ),
    "a job that is a number": (
        spoilt(LINE, f"{METADATA}/job-name", 7),
        Code.INVALID_LABEL_ATTRIBUTE_METADATA_FORMAT,
    ),
    "an image of 63 pixels": (spoilt(LINE, f"{SIZE}/width", 63), Code.INVALID_IMAGE_DIMENSION),
    "an image of 4097 pixels": (spoilt(LINE, f"{SIZE}/height", 4097), Code.INVALID_IMAGE_DIMENSION),
    "an image of a huge size": (spoilt(LINE, f"{SIZE}/height", 10**400), Code.INVALID_IMAGE_DIMENSION),
    "51 boxes": (json.dumps(boxes_line(boxes=[("Echo", 1, 1, 9, 9)] * 51)), Code.TOO_MANY_BOUNDING_BOXES),
    "51 boxes in two attributes": (
        json.dumps(
            boxes_line(boxes=[("Echo", 1, 1, 9, 9)] * 26)
            | boxes_line(boxes=[("Dot", 1, 1, 9, 9)] * 25, name="more boxes")
        ),
        Code.TOO_MANY_BOUNDING_BOXES,
    ),
    "two attributes that are wrong": (
        json.dumps(boxes_line(size=(1, 1)) | boxes_line(boxes=[("Echo", 0, 0, 0, 0)], name="more boxes")),
        Code.NO_VALID_LABEL_ATTRIBUTES,
    ),
    "two attributes with two sizes": (
        json.dumps(boxes_line() | boxes_line(size=(480, 640), name="more boxes")),
        Code.INVALID_IMAGE_DIMENSION,
    ),
}


@pytest.mark.parametrize(("line", "code"), REFUSED.values(), ids=REFUSED)
def test_a_line_is_refused_with_the_code_of_custom_labels(line: str | bytes, code: Code) -> None:
    refusal = refused(line)

    assert refusal.code is code
    assert len(refusal.detail) < 400
    assert refusal.detail.isascii()
    assert refusal.detail.isprintable()


DROPPED = {
    "off to the right": ((620, 20, 30, 40), Code.INVALID_BOUNDING_BOX),
    "off below": ((10, 450, 30, 40), Code.INVALID_BOUNDING_BOX),
    "off to the left": ((-1, 20, 30, 40), Code.INVALID_BOUNDING_BOX),
    "wholly off": ((5000, 5000, 30, 40), Code.INVALID_BOUNDING_BOX),
    "larger than the image": ((0, 0, 641, 480), Code.INVALID_BOUNDING_BOX),
    "a fraction off": ((610.5, 20, 30, 40), Code.INVALID_BOUNDING_BOX),
    "huge": ((0.5, 20, 10**400, 40), Code.INVALID_BOUNDING_BOX),
    "far away": ((10**400, 20, 0.5, 40), Code.INVALID_BOUNDING_BOX),
    "negatively wide": ((10, 20, -30, 40), Code.BOUNDING_BOX_TOO_SMALL),
    "one pixel wide": ((10, 20, 1, 40), Code.BOUNDING_BOX_TOO_SMALL),
    "half a pixel high": ((10, 20, 30, 0.5), Code.BOUNDING_BOX_TOO_SMALL),
}


@pytest.mark.parametrize(("sides", "code"), DROPPED.values(), ids=DROPPED)
def test_a_box_that_is_wrong_is_left_out_and_the_others_are_used(
    sides: tuple[float, float, float, float], code: Code
) -> None:
    line = boxes_line(boxes=[("Dot", *sides), ("Echo", 0, 0, 640, 480)])

    found = read(line)

    assert found.boxes == (Box("Echo", 0, 0, 640, 480, 0.9),)
    assert [refusal.code for refusal in found.dropped] == [code]
    assert refused(boxes_line(boxes=[("Dot", *sides)])).code is Code.NO_VALID_ANNOTATIONS


def test_a_box_is_too_small_if_it_is_once_the_image_is_scaled_down() -> None:
    boxes = [("Echo", 0.0, 0.0, 3.2, 9.0), ("Echo", 0.0, 0.0, 3.3, 9.0)]

    assert [box.width for box in read(boxes_line(boxes=boxes, size=(4096, 64))).boxes] == [3.3]
    assert len(read(boxes_line(boxes=boxes, size=(1280, 64))).boxes) == 2


def test_fifty_boxes_of_a_label_of_256_characters_are_read() -> None:
    found = read(boxes_line(boxes=[("<script>" * 32, 1, 1, 9, 9)] * 50))

    assert (len(found.boxes), found.labels) == (50, ("<script>" * 32,))


@pytest.mark.parametrize("name", ["bees-500", "my boxes", "é", "metadata", "-metadata", "<script>", "{{ }}"])
def test_the_attribute_is_found_by_its_type_whatever_its_name(name: str) -> None:
    assert read(boxes_line(name=name)).boxes == read(LINE).boxes


def test_a_byte_order_mark_and_what_other_programs_add_are_passed_over() -> None:
    line = {**LINE, "cl-metadata": {"is_labeled": True}, "cl-errors": [], "note": "x", "sport0": 1}

    assert read(b"\xef\xbb\xbf" + json.dumps(line).encode()) == read(LINE)


def test_what_a_model_answered_is_no_annotation() -> None:
    answered = boxes_line(name="rekognition-custom-labels-evaluation-0", boxes=[("Echo", 0, 0, 5, 5)])

    assert read(LINE | answered) == read(LINE)
    assert refused(answered).code is Code.NO_LABEL_ATTRIBUTES


def test_no_boxes_say_that_nothing_is_there() -> None:
    found = read(boxes_line(boxes=[]))

    assert (found.boxes, found.labels, found.dropped) == ((), (), ())


def test_names_that_a_person_reads_alike_are_one_label() -> None:
    found = read(boxes_line(boxes=[("Caf\u00e9", 1, 1, 9, 9), ("Cafe\u0301 ", 20, 20, 9, 9)]))

    assert found.labels == ("Caf\u00e9",)


def test_the_boxes_of_a_later_attribute_replace_those_of_the_labels_that_it_speaks_for() -> None:
    first = boxes_line(boxes=[("Echo", 1, 1, 9, 9), ("Dot", 2, 2, 9, 9)], name="z")
    adjusted = boxes_line(boxes=[("Echo", 5, 5, 9, 9)], name="adjusted", created="2026-02-01T00:00:00Z")

    found = read(first | adjusted)

    assert [(box.label, box.left) for box in found.boxes] == [("Dot", 2), ("Echo", 5)]
    assert found.provenance.created == "2026-02-01T00:00:00Z"
    cleared = spoilt(first | adjusted, "adjusted/annotations", [])
    cleared = spoilt(json.loads(cleared), "adjusted-metadata/objects", [])
    assert read(cleared).labels == ("Dot",)


def test_a_wrong_attribute_is_noted_beside_a_right_one() -> None:
    found = read(LINE | boxes_line(name="wrong", size=(1, 1)))

    assert found.boxes == read(LINE).boxes
    assert [refusal.code for refusal in found.dropped] == [Code.INVALID_IMAGE_DIMENSION]


DATES = ["2026-01-31T12:00:00", "2026-01-31T12:00:00.000000", "2026-01-31 12:00:00", "2026-01-31T12:00:00.0000"]
DATES += ["2026-01-31T12:00:00Z", "2026-01-31T14:00:00+02:00", "2026-01-31T12"]


@pytest.mark.parametrize("date", DATES)
def test_dates_are_compared_in_utc_and_kept_as_they_came(date: str) -> None:
    found = read(boxes_line(created=date))

    assert found.created == read(boxes_line(created=DATES[0])).created
    assert found.provenance.created == date


@pytest.mark.parametrize(
    ("change", "is_new"),
    [
        pytest.param({"boxes": [("Echo", 11, 20, 30, 40)]}, True, id="a moved box"),
        pytest.param({"boxes": [("Dot", 10, 20, 30, 40)]}, True, id="another label"),
        pytest.param({"boxes": [("Echo", 10, 20, 30, 40)] * 2}, True, id="one box more"),
        pytest.param({"created": "2026-03-01T00:00:00"}, False, id="another date"),
        pytest.param({"boxes": [("Echo", 10.0, 20.0, 30.0, 40.0)]}, False, id="fractions of nothing"),
        pytest.param({"source_ref": "s3://bucket/b.png", "name": "other"}, False, id="another image and name"),
    ],
)
def test_the_digest_changes_with_what_a_model_learns_from(change: dict[str, Any], is_new: bool) -> None:
    assert (read(boxes_line(**change)).digest != read(LINE).digest) is is_new


def test_the_digest_does_not_depend_on_the_order_of_boxes() -> None:
    boxes = [("Echo", 1, 1, 9, 9), ("Dot", 2, 2, 9, 9), ("Echo", 0, 5, 9, 9)]

    assert read(boxes_line(boxes=boxes)).digest == read(boxes_line(boxes=boxes[::-1])).digest


def test_boxes_of_a_label_can_be_taken_out() -> None:
    found = read(boxes_line(boxes=[("Echo", 1, 1, 9, 9), ("Dot", 2, 2, 9, 9)]))

    assert found.without({"Dot"}).boxes == (Box("Echo", 1, 1, 9, 9, 0.9),)


@pytest.mark.parametrize(
    ("source_ref", "code"),
    [
        ("s3://another/p/a.png", Code.IMAGES_IN_MULTIPLE_S3_BUCKETS),
        ("s3://bucket-2/p/a.png", Code.IMAGES_IN_MULTIPLE_S3_BUCKETS),
        ("s3://bucket/q/a.png", Code.INVALID_SOURCE_REF_FORMAT),
        ("s3://bucket/p/", Code.INVALID_SOURCE_REF_FORMAT),
    ],
)
def test_an_image_elsewhere_is_not_the_projects(source_ref: str, code: Code) -> None:
    assert key_of("s3://bucket/p/im/a b.png", "s3://bucket/p/") == "im/a b.png"
    with pytest.raises(Refused) as error:
        key_of(source_ref, "s3://bucket/p/")
    assert error.value.refusal.code is code
