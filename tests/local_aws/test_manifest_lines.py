"""What is read from a manifest line, and the codes noted for what is wrong with it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from include.local_aws.rekognition.manifest_lines import LineRejected, ManifestLine, parse_line
from tests.local_aws.support import box_line, line
from tests.local_aws.world import changed_lines


def parse(text: str) -> ManifestLine:
    return parse_line(text, most_characters=100_000, most_boxes=50)


def codes(value: Any) -> list[str]:
    """Collect the codes of all `errors` and `warnings` arrays in a document."""
    if isinstance(value, list):
        return [code for item in value for code in codes(item)]
    if not isinstance(value, dict):
        return []
    own = [item["code"] for array in ("errors", "warnings") for item in value.get(array, [])]
    return own + [code for name, item in value.items() if name not in ("errors", "warnings") for code in codes(item)]


def changed_box(path: list[Any], new: Any) -> str:
    """Return a box line with one value replaced, or removed if `new` is None."""
    document = json.loads(box_line("a.png"))
    holder = document
    for step in path[:-1]:
        holder = holder[step]
    if new is None:
        del holder[path[-1]]
    else:
        holder[path[-1]] = new
    return json.dumps(document)


ANNOTATION = ["boxes", "annotations", 0]


def test_labels_are_read_when_several_attributes_carry_them() -> None:
    found = parse(line("a.png", "cat", "dog", "cat"))
    assert found.image_labels == ("cat", "dog")
    assert (found.location, found.failed, found.flawed) == (("images", "a.png"), False, False)


def test_box_is_read_with_its_label() -> None:
    (box,) = parse(box_line("a.png", "logo", (1, 2, 30, 40))).boxes
    assert (box.label, box.left, box.top, box.width, box.height) == ("logo", 1, 2, 30, 40)


def test_box_is_read_when_its_sides_have_fractions() -> None:
    """As the guide's program for COCO datasets writes them."""
    document = json.loads(box_line("a.png"))
    document["boxes"]["annotations"][0] |= {"left": 19.23, "top": 3.5, "width": 30.75, "height": 20.0}
    found = parse(json.dumps(document))
    assert (found.flawed, found.boxes[0][1:]) == (False, (19.23, 3.5, 30.75, 20.0))


def test_both_kinds_are_read_when_a_line_has_both() -> None:
    both = parse(json.dumps({**json.loads(box_line("a.png")), **json.loads(line("a.png", "cat"))}))
    assert both.labels == ("cat", "logo")


def test_text_stays_as_it_came_when_nothing_is_wrong() -> None:
    text = line("a.png", "cat").replace(", ", ",  ")
    assert parse(text).text == text


@pytest.mark.parametrize(
    ("text", "code"),
    [
        pytest.param("{", "ERROR_INVALID_JSON_LINE", id="no JSON"),
        pytest.param("[]", "ERROR_INVALID_JSON_LINE", id="no object"),
        pytest.param("", "ERROR_INVALID_JSON_LINE", id="blank"),
        pytest.param(line("x" * 100_001), "ERROR_INVALID_JSON_LINE", id="too long"),
        pytest.param('{"label": 1}', "ERROR_MISSING_SOURCE_REF", id="no image"),
        pytest.param('{"source-ref": "http://a/b"}', "ERROR_INVALID_SOURCE_REF_FORMAT", id="no S3 URI"),
        pytest.param('{"source-ref": "s3://bucket/"}', "ERROR_INVALID_SOURCE_REF_FORMAT", id="no key"),
        pytest.param('{"source-ref": 7}', "ERROR_INVALID_SOURCE_REF_FORMAT", id="no text"),
    ],
)
def test_line_is_rejected_when_it_names_no_image(text: str, code: str) -> None:
    with pytest.raises(LineRejected) as caught:
        parse(text)
    assert caught.value.finding.code == code


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(
            '{"source-ref": "s3://images/a.png", "other": 1}', ["ERROR_NO_LABEL_ATTRIBUTES"], id="no attribute"
        ),
        pytest.param(
            json.dumps({**json.loads(line("a.png", "cat")), "label0": "cat"}),
            ["ERROR_INVALID_LABEL_ATTRIBUTE_FORMAT", "ERROR_NO_VALID_LABEL_ATTRIBUTES"],
            id="label is no number",
        ),
        pytest.param(
            line("a.png", "cat", confidence=None),
            ["ERROR_NO_VALID_LABEL_ATTRIBUTES", "ERROR_INVALID_LABEL_ATTRIBUTE_METADATA_FORMAT"],
            id="no confidence",
        ),
        pytest.param(
            line("a.png", "x" * 257),
            ["ERROR_NO_VALID_LABEL_ATTRIBUTES", "ERROR_INVALID_LABEL_NAME_LENGTH"],
            id="label name too long",
        ),
        pytest.param(
            line("a.png", "cat", type="groundtruth/image-classification-multilabel"),
            ["ERROR_NO_VALID_LABEL_ATTRIBUTES", "ERROR_UNSUPPORTED_USE_CASE_TYPE"],
            id="native multi-label type",
        ),
        pytest.param(
            changed_box(["boxes", "image_size"], []),
            ["ERROR_INVALID_LABEL_ATTRIBUTE_FORMAT", "ERROR_NO_VALID_LABEL_ATTRIBUTES"],
            id="box without image size",
        ),
        pytest.param(
            changed_box(["boxes-metadata", "creation-date"], None),
            ["ERROR_NO_VALID_LABEL_ATTRIBUTES", "ERROR_INVALID_LABEL_ATTRIBUTE_METADATA_FORMAT"],
            id="box without date",
        ),
        pytest.param(
            changed_box(["boxes-metadata", "objects"], [{}]),
            ["ERROR_NO_VALID_LABEL_ATTRIBUTES", "ERROR_MISSING_BOUNDING_BOX_CONFIDENCE"],
            id="box without confidence",
        ),
        pytest.param(
            changed_box([*ANNOTATION, "class_id"], 9),
            ["ERROR_NO_VALID_LABEL_ATTRIBUTES", "ERROR_MISSING_CLASS_MAP_ID"],
            id="class id unknown",
        ),
        pytest.param(
            changed_box([*ANNOTATION, "left"], 90),
            ["ERROR_NO_VALID_LABEL_ATTRIBUTES", "ERROR_NO_VALID_ANNOTATIONS", "ERROR_INVALID_BOUNDING_BOX"],
            id="box off the frame",
        ),
        pytest.param(
            changed_box([*ANNOTATION, "left"], 56.5),
            ["ERROR_NO_VALID_LABEL_ATTRIBUTES", "ERROR_NO_VALID_ANNOTATIONS", "ERROR_INVALID_BOUNDING_BOX"],
            id="box off the frame by half a pixel",
        ),
        pytest.param(
            changed_box([*ANNOTATION, "class_id"], 0.0),
            ["ERROR_INVALID_LABEL_ATTRIBUTE_FORMAT", "ERROR_NO_VALID_LABEL_ATTRIBUTES"],
            id="class id with a fraction",
        ),
        pytest.param(
            changed_box(["boxes-metadata", "class-map"], {"0": 7}),
            ["ERROR_NO_VALID_LABEL_ATTRIBUTES", "ERROR_INVALID_LABEL_ATTRIBUTE_METADATA_FORMAT"],
            id="label of a box is a number",
        ),
        pytest.param(
            changed_box(["boxes-metadata", "class-map"], {"0": ["logo"]}),
            ["ERROR_NO_VALID_LABEL_ATTRIBUTES", "ERROR_INVALID_LABEL_ATTRIBUTE_METADATA_FORMAT"],
            id="label of a box is a list",
        ),
        pytest.param(
            changed_box(["boxes-metadata", "class-map"], {"0": "x" * 257}),
            ["ERROR_NO_VALID_LABEL_ATTRIBUTES", "ERROR_INVALID_LABEL_NAME_LENGTH"],
            id="label of a box is too long",
        ),
        pytest.param(
            changed_box([*ANNOTATION, "width"], 1),
            ["ERROR_NO_VALID_LABEL_ATTRIBUTES", "ERROR_NO_VALID_ANNOTATIONS", "ERROR_BOUNDING_BOX_TOO_SMALL"],
            id="box too small",
        ),
        pytest.param(box_line("a.png", width=63), ["ERROR_INVALID_IMAGE_DIMENSION"], id="image of the box too small"),
        pytest.param(
            box_line("a.png", box=(0, 0, 3, 30), width=4096),
            ["ERROR_NO_VALID_LABEL_ATTRIBUTES", "ERROR_NO_VALID_ANNOTATIONS", "ERROR_BOUNDING_BOX_TOO_SMALL"],
            id="box too small once the image is scaled to 1280",
        ),
    ],
)
def test_line_fails_with_codes_where_they_belong(text: str, expected: list[str]) -> None:
    found = parse(text)
    assert codes(json.loads(found.text)) == expected
    assert (found.failed, found.flawed, found.labels) == (True, True, ())


def test_line_is_used_with_its_good_box_when_another_is_bad() -> None:
    document = json.loads(box_line("a.png"))
    document["boxes"]["annotations"].append({"class_id": 0, "left": -1, "top": 0, "width": 9, "height": 9})
    document["boxes-metadata"]["objects"].append({"confidence": 1})
    found = parse(json.dumps(document))
    assert codes(json.loads(found.text)["boxes"]["annotations"][1]) == ["ERROR_INVALID_BOUNDING_BOX"]
    assert (len(found.boxes), found.failed, found.flawed) == (1, False, True)


@pytest.mark.parametrize(
    ("frame", "flawed"),
    [((96, 96), False), ((50, 40), False), ((49, 96), True), ((96, 39), True)],
    ids=["as the line says", "just large enough", "narrower", "lower"],
)
def test_a_box_is_off_the_frame_when_the_image_is_smaller_than_its_line_says(
    frame: tuple[int, int], flawed: bool
) -> None:
    found = parse_line(box_line("a.png"), most_characters=100_000, most_boxes=50, frame=frame)
    assert (found.flawed, found.image_size) == (flawed, frame)
    assert ("ERROR_INVALID_BOUNDING_BOX" in codes(json.loads(found.text))) == flawed


def test_lines_have_class_maps_of_their_own() -> None:
    """A number may mean another label in the next line: only names count."""
    first, second = parse(box_line("a.png", "logo")), parse(box_line("b.png", "badge"))
    assert (first.labels, second.labels) == (("logo",), ("badge",))


def test_boxes_are_refused_when_there_are_too_many() -> None:
    document = json.loads(box_line("a.png"))
    document["boxes"]["annotations"] *= 51
    document["boxes-metadata"]["objects"] *= 51
    assert "ERROR_TOO_MANY_BOUNDING_BOXES" in codes(json.loads(parse(json.dumps(document)).text))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(line("a.png"), ["WARNING_UNANNOTATED_RECORD"], id="image alone"),
        pytest.param(
            json.dumps(
                {
                    **json.loads(changed_box(["boxes", "annotations"], [])),
                    "boxes-metadata": {**json.loads(box_line("a.png"))["boxes-metadata"], "objects": []},
                }
            ),
            ["WARNING_NO_ANNOTATIONS", "WARNING_NO_ATTRIBUTE_ANNOTATIONS"],
            id="no boxes",
        ),
    ],
)
def test_line_is_valid_with_a_warning_when_it_has_no_label(text: str, expected: list[str]) -> None:
    found = parse(text)
    assert codes(json.loads(found.text)) == expected
    assert (found.failed, found.flawed, found.labels) == (False, False, ())


def test_labels_are_names_when_any_value_of_a_line_is_another() -> None:
    for text in changed_lines():
        try:
            found = parse(text)
        except LineRejected:
            continue
        assert isinstance(json.loads(found.text), dict)
        assert all(isinstance(label, str) and 1 <= len(label) <= 256 for label in found.labels), text


def test_old_findings_are_dropped_when_a_listed_line_comes_back() -> None:
    document = {**json.loads(line("a.png", "cat")), "errors": [{"code": "ERROR_INVALID_IMAGE", "message": "old"}]}
    assert codes(json.loads(parse(json.dumps(document)).text)) == []
