"""Boxes: which is which, reading a version's answers, and where two versions differ."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest

from custom_labels.aws.predictions import Box as Place
from custom_labels.aws.predictions import DetectedLabel
from custom_labels.core.codec import from_json, to_json
from custom_labels.core.gate import Metrics
from custom_labels.datasets.annotations.annotation import Box, ImageSize
from custom_labels.evaluation.answers import Cell, Counts, Tally
from custom_labels.evaluation.box_answers import BoxAnswer, read_box_line
from custom_labels.evaluation.box_matching import match, overlap
from custom_labels.evaluation.comparison import SameImages, compare, find_flips
from custom_labels.evaluation.verdicts import VerdictChange
from tests.kit.annotation_lines import spoilt
from tests.kit.evaluation_lines import IMAGE, boxes_evaluated

SIZE = ImageSize(640, 480)


def box(left: float, label: str = "logo", confidence: float = 1.0, *, width: float = 10.0, top: float = 0.0) -> Box:
    return Box(label, left, top, width, 10.0, confidence)


A, B, C = box(0), box(100), box(200)
NEAR_A = box(2, confidence=0.8)
"""Overlaps A by two thirds."""


@pytest.mark.parametrize(
    ("one", "other", "shared"),
    [
        (A, A, 1.0),
        (A, B, 0.0),
        (A, box(10), 0.0),
        (A, box(0, width=5), 0.5),
        (A, box(0, width=20), 0.5),
        (A, box(2), 2 / 3),
        (A, box(5), 1 / 3),
        (A, box(5, top=5), 1 / 7),
        (A, box(3, width=0), 0.0),
    ],
    ids=["same", "apart", "touching", "within", "around", "near", "half moved", "both ways", "no width"],
)
def test_overlap_is_intersection_over_union(one: Box, other: Box, shared: float) -> None:
    assert overlap(one, other) == overlap(other, one) == pytest.approx(shared)


@pytest.mark.parametrize(
    ("actual", "predicted", "found", "false_alarms"),
    [
        ([], [], [], []),
        ([], [A], [], [A]),
        ([A], [], [None], []),
        ([A, B], [B, NEAR_A], [NEAR_A, B], []),
        ([A], [box(0, width=5)], [box(0, width=5)], []),
        ([A], [box(0, width=4.9)], [None], [box(0, width=4.9)]),
        ([A], [box(0, "other")], [None], [box(0, "other")]),
        ([A], [box(0, confidence=0.6), NEAR_A], [NEAR_A], [box(0, confidence=0.6)]),
        ([A, box(3)], [box(1), NEAR_A], [box(1), NEAR_A], []),
        ([A, box(9)], [box(1), NEAR_A], [box(1), None], [NEAR_A]),
        ([A, box(0, "other")], [box(0, "other"), A], [A, box(0, "other")], []),
    ],
    ids=[
        "nothing",
        "false alarm",
        "missed",
        "in any order",
        "by half",
        "by less than half",
        "another label",
        "the surest takes it",
        "what is free is taken",
        "a box is taken once",
        "two labels at one place",
    ],
)
def test_boxes_are_matched(
    actual: list[Box], predicted: list[Box], found: list[Box | None], false_alarms: list[Box]
) -> None:
    matched = match(actual, predicted)

    assert [hit for _, hit in matched.found] == found
    assert list(matched.false_alarms) == false_alarms


def answer(actual: Sequence[Box], predicted: Sequence[Box], image: str = IMAGE) -> BoxAnswer:
    return BoxAnswer(image, SIZE, tuple(actual), tuple(predicted))


def test_objects_are_counted_label_by_label() -> None:
    cup = box(300, "cup")
    tally = Tally(
        [
            answer([A, B, cup], [NEAR_A, box(400), box(300, "logo", 0.7)]),
            answer([C], [box(200, confidence=0.9), box(201, confidence=0.5)]),
            answer([], []),
        ]
    )

    assert tally.counts("logo") == Counts(hits=2, false_alarms=3, misses=1)
    assert tally.counts("cup") == Counts(hits=0, false_alarms=0, misses=1)
    scores = tally.scores()
    assert scores.labels["logo"] == Metrics(f1=0.5, precision=0.4, recall=2 / 3)
    assert scores.overall == Metrics(f1=0.25, precision=0.2, recall=1 / 3)
    assert tally.images == 3
    assert tally.confusion() == (
        Cell("cup", "logo", 1),
        Cell("logo", "logo", 2),
        Cell("logo", None, 1),
        Cell(None, "logo", 2),
    )
    assert [point.recall for point in tally.curves()["logo"]] == pytest.approx([0, 1 / 3, 2 / 3, 2 / 3, 2 / 3])


@pytest.mark.parametrize(
    ("actual", "predicted", "right"),
    [([], [], True), ([A], [NEAR_A], True), ([A], [], False), ([], [A], False), ([A], [A, A], False)],
    ids=["nothing on an empty image", "found", "missed", "false alarm", "found twice"],
)
def test_an_answer_is_right_where_all_is_found_and_nothing_else(
    actual: list[Box], predicted: list[Box], right: bool
) -> None:
    assert answer(actual, predicted).right is right


def test_another_version_is_judged_by_what_it_detects_in_pixels() -> None:
    found = [
        DetectedLabel("logo", 70.0, Place(left=0.25, top=0.5, width=0.1, height=0.05)),
        DetectedLabel("nowhere", 99.0),
    ]

    other = answer([A], [A]).predicted_as(found)

    assert other == answer([A], [Box("logo", 160.0, 240.0, 64.0, 24.0, 0.7)])


# -- where two versions differ ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("actual", "champion", "challenger", "change", "boxes"),
    [
        ([A], [A], [NEAR_A], None, []),
        ([A], [], [], None, []),
        ([A], [box(50)], [box(51)], None, []),
        ([A, B], [A, B], [A], "regression", ["regression", None]),
        ([A], [A], [A, C], "regression", ["regression", None]),
        ([], [], [C], "regression", ["regression"]),
        ([A, B], [A, C], [A, B], "improvement", ["improvement", "improvement", None]),
        ([], [C], [], "improvement", ["improvement"]),
        ([A, B], [A], [B], "still wrong", ["regression", "improvement"]),
        ([A, B, C], [A, B], [A], "still wrong", ["regression", "still wrong", None]),
        ([A], [box(50)], [A, box(51)], "still wrong", ["improvement", "still wrong"]),
    ],
    ids=[
        "found by both",
        "missed by both",
        "the same false alarm",
        "one is missed now",
        "a new false alarm",
        "a false alarm on an empty image",
        "one is found now and a false alarm gone",
        "a false alarm gone from an empty image",
        "another one is missed",
        "one more is missed",
        "found now beside the same false alarm",
    ],
)
def test_flips_are_by_image_and_by_box(
    actual: list[Box], champion: list[Box], challenger: list[Box], change: str | None, boxes: list[str | None]
) -> None:
    flips = find_flips([(answer(actual, champion), answer(actual, challenger))])

    assert [flip.change for flip in flips] == ([change] if change else [])
    for flip in flips:
        assert [each.change for each in flip.boxes] == boxes
        assert flip.size == SIZE


def test_images_with_more_boxes_that_got_worse_come_first() -> None:
    pairs = [
        (answer([A, B], [A, B], f"s3://b/{number}"), answer([A, B], challenger, f"s3://b/{number}"))
        for number, challenger in enumerate(([A], [], [B]))
    ]

    flips = find_flips(pairs)

    assert [flip.image[-1] for flip in flips] == ["1", "0", "2"]
    assert [flip.of_boxes(VerdictChange.REGRESSION) for flip in flips] == [2, 1, 1]


def test_two_versions_are_compared_and_kept_with_their_boxes() -> None:
    same = compare(
        [(answer([A, B], [A, C]), answer([A, B], [NEAR_A, B]))], ["logo"], test_images=1, digest="d", left_out={}
    )

    assert (same.champion.overall.f1, same.challenger.overall.f1) == (0.5, 1.0)
    assert [each.confidence for each in same.challenger_curves["logo"]] == [1.0, 0.8]
    assert from_json(SameImages, json.loads(json.dumps(to_json(same)))) == same


# -- reading ---------------------------------------------------------------------------------------

LINE = boxes_evaluated([A, box(300, "cup")], [NEAR_A], [box(301, "cup", 0.01)])
_PEOPLE = "rekognition-custom-labels-training-0"
_VERSION = "rekognition-custom-labels-evaluation"
_BOX = f"{_VERSION}/annotations/0"
_OBJECT = f"{_VERSION}-metadata/objects/0"


def test_what_reaches_its_threshold_is_predicted() -> None:
    found = read_box_line(json.dumps(LINE).encode())

    assert found == answer([A, box(300, "cup")], [NEAR_A])


def test_a_line_without_a_box_is_read() -> None:
    assert read_box_line(json.dumps(boxes_evaluated([], [])).encode()) == answer([], [])


@pytest.mark.parametrize("gone", [_PEOPLE, _VERSION])
def test_a_line_with_boxes_of_one_kind_alone_is_read(gone: str) -> None:
    line = {key: value for key, value in LINE.items() if key not in {gone, f"{gone}-metadata"}}

    found = read_box_line(json.dumps(line).encode())

    assert (len(found.actual), len(found.predicted)) == ((0, 1) if gone == _PEOPLE else (2, 0))


def spoilt_line(path: str, value: object = None, *, gone: bool = False) -> Any:
    return pytest.param(spoilt(LINE, path, value, gone=gone), id=f"{path.rpartition('/')[2]} is {str(value)[:20]}")


@pytest.mark.parametrize(
    "line",
    [
        pytest.param("[]", id="a list"),
        pytest.param('{"source-ref": "s3://b/k"}', id="an image alone"),
        spoilt_line("source-ref", gone=True),
        spoilt_line(_VERSION, gone=True),
        spoilt_line(_VERSION, []),
        spoilt_line(f"{_VERSION}/image_size", []),
        spoilt_line(f"{_VERSION}/image_size/0/width", 0),
        spoilt_line(f"{_VERSION}/image_size/0/width", 64.5),
        spoilt_line(f"{_VERSION}/image_size/0/width", 641),
        spoilt_line(f"{_VERSION}/annotations", {}),
        spoilt_line(f"{_VERSION}/annotations", []),
        spoilt_line(_BOX, "text"),
        spoilt_line(f"{_BOX}/left", "12"),
        spoilt_line(f"{_BOX}/left", True),
        spoilt_line(f"{_BOX}/left", 10**400),
        spoilt_line(f"{_BOX}/width", -1),
        spoilt_line(f"{_BOX}/width", gone=True),
        spoilt_line(f"{_BOX}/class_id", "0"),
        spoilt_line(f"{_BOX}/class_id", 7),
        spoilt_line(f"{_BOX}/class_id", 10**4000),
        spoilt_line(f"{_VERSION}-metadata", {"class-name": "logo"}),
        spoilt_line(f"{_VERSION}-metadata/class-map", ["logo"]),
        spoilt_line(f"{_VERSION}-metadata/class-map", {"0": 1, "1": 2}),
        spoilt_line(f"{_VERSION}-metadata/objects", [{"confidence": 0.5}] * 2000),
        spoilt_line(_OBJECT, 0.9),
        spoilt_line(f"{_OBJECT}/confidence", gone=True),
        spoilt_line(f"{_OBJECT}/confidence", 95),
        spoilt_line(f"{_OBJECT}/rekognition-custom-labels-evaluation-details", 1),
        spoilt_line(f"{_OBJECT}/rekognition-custom-labels-evaluation-details/is-true-positive", 1),
    ],
)
def test_a_damaged_or_hostile_line_is_refused(line: str) -> None:
    with pytest.raises(ValueError, match=r"expected |it has |no JSON object|its boxes are|objects for"):
        read_box_line(line.encode())


def test_any_name_of_a_label_is_read_as_it_is() -> None:
    hostile = box(0, "<script>{{ 7*7 }}../\u202e" + "x" * 240)

    assert read_box_line(json.dumps(boxes_evaluated([hostile], [hostile])).encode()).right
