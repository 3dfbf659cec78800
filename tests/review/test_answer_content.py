"""Answers of several labels or of boxes: read as they are, changed with a note, or refused in words."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from custom_labels.core.project_task import ProjectTask
from custom_labels.datasets.annotations.annotation import Box, ImageSize
from custom_labels.datasets.annotations.boxes import judge_box
from custom_labels.review.answer_content import AnswerRefused, read_boxes, read_labels
from tests.kit.odd_json import odd
from tests.kit.review_requests import request_for

SIZE = ImageSize(640, 480)
LABELS = ("bee", 'a "quoted" <label>', "{{ x }}", "../wasp", "é" * 255)
SEVERAL = request_for(task=ProjectTask.MULTI_LABEL_CLASSIFICATION, labels=LABELS)
BOXES = request_for(task=ProjectTask.OBJECT_DETECTION, labels=LABELS, size=SIZE)
FRAME = {"width": 640, "height": 480}


def box(label: Any = "bee", left: Any = 10, top: Any = 20, width: Any = 30, height: Any = 40) -> dict[str, Any]:
    return {"label": label, "left": left, "top": top, "width": width, "height": height}


def drawn(*boxes: Any, size: Any = FRAME) -> dict[str, Any]:
    return {"boundingBoxes": list(boxes), "inputImageProperties": size}


@pytest.mark.parametrize(
    ("given_labels", "labels"),
    [
        (["bee"], ("bee",)),
        (["{{ x }}", "../wasp", "bee", "bee"], ("../wasp", "bee", "{{ x }}")),
        (["None of the above"], ()),
        ([], ()),
    ],
    ids=["one", "several, one twice", "none of the above", "none"],
)
def test_labels_are_read_once_each(given_labels: list[str], labels: tuple[str, ...]) -> None:
    assert read_labels({"labels": given_labels}, SEVERAL) == labels


def test_none_of_the_above_is_the_label_of_that_name_where_there_is_one() -> None:
    request = request_for(task=SEVERAL.task, labels=LABELS, none_label="none of the above ")

    assert read_labels({"labels": ["None of the above"]}, request) == ("none of the above ",)
    assert read_labels({"labels": []}, request) == ()


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ({"labels": ["bee", "cat"]}, "it has 'cat', which was not offered"),
        ({"labels": ["bee", "None of the above"]}, "it has 'None of the above' and 'bee'"),
        ({"labels": "bee"}, "'labels' is 'bee': expected a list"),
        ({"labels": [["bee"]]}, "it has a list of 1, which was not offered"),
        ({"label": "bee"}, "it has no 'labels'"),
        ({}, "it has no 'labels'"),
        (None, "it has no 'labels'"),
    ],
    ids=str,
)
def test_labels_that_cannot_be_counted_are_refused(content: Any, why: str) -> None:
    with pytest.raises(AnswerRefused) as refused:
        read_labels(content, SEVERAL)

    assert str(refused.value) == why


@pytest.mark.parametrize("label", LABELS)
def test_boxes_are_read_as_they_were_drawn(label: str) -> None:
    content = drawn(box(label), box(label, 0, 0, 640, 480), box(label, 1.5, 2.25, 3.125, 4))

    assert read_boxes(content, BOXES) == (
        (Box(label, 10, 20, 30, 40), Box(label, 0, 0, 640, 480), Box(label, 1.5, 2.25, 3.125, 4)),
        SIZE,
        (),
    )


def test_no_box_is_an_answer() -> None:
    assert read_boxes(drawn(), BOXES) == ((), SIZE, ())


@pytest.mark.parametrize(
    ("answer", "boxes", "note"),
    [
        (
            drawn(box(left=-5, top=470)),
            (Box("bee", 0, 470, 25, 10),),
            "the box of 'bee' at left -5, top 470 reached over the edge and was clipped",
        ),
        (
            drawn(box(), box(width=1)),
            (Box("bee", 10, 20, 30, 40),),
            "the box of 'bee' at left 10, top 20 is too small and was left out",
        ),
        (
            drawn(box(), box(width=0, height=0)),
            (Box("bee", 10, 20, 30, 40),),
            "the box of 'bee' at left 10, top 20 is too small and was left out",
        ),
    ],
    ids=["over the edge", "a line", "a click"],
)
def test_a_box_that_is_changed_is_noted(answer: Any, boxes: tuple[Box, ...], note: str) -> None:
    assert read_boxes(answer, BOXES) == (boxes, SIZE, (note,))


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (drawn(box("cat")), "a box has the label 'cat', which was not offered"),
        (drawn(box(None)), "a box has the label null, which was not offered"),
        (drawn(box(), box(left=641)), "the box of 'bee' at left 641, top 20 is beside the 640 x 480 picture"),
        (drawn(box(width=1)), "none of its boxes can be used: the box of 'bee' at left 10, top 20 is too small"),
        (drawn(box(width=-1)), "a box is -1 wide and 40 high"),
        (drawn(box(left="10")), "a box has no numbers as left, top, width and height"),
        (drawn(box(left=10**400)), "a box is at a number of more than 60 digits pixels"),
        (drawn(box(left=True)), "a box has no numbers as left, top, width and height"),
        (drawn("box"), "a box has no numbers as left, top, width and height"),
        (drawn(*[box()] * 51), "it has 51 boxes, of which Custom Labels takes 50"),
        (drawn(*[box()] * 1001), "'boundingBoxes' is a list of 1001: expected a list of boxes"),
        (
            drawn(box(), size={"width": 480, "height": 640}),
            "it is drawn on a picture of 480 x 640 pixels, and the image",
        ),
        (drawn(box(), size={"width": 1280, "height": 960}), "and the image has 640 x 480"),
        (drawn(box(), size=None), "'inputImageProperties' has no width and height in whole pixels"),
        ({"boundingBoxes": [box()]}, "it has no 'inputImageProperties'"),
        ({"inputImageProperties": FRAME}, "it has no 'boundingBoxes'"),
        ({"boundingBoxes": None, "inputImageProperties": FRAME}, "'boundingBoxes' is null: expected a list of boxes"),
        ({"labels": ["bee"]}, "it has no 'inputImageProperties'"),
        ([], "it has no 'inputImageProperties'"),
    ],
    ids=lambda value: value[:50] if isinstance(value, str) else "",
)
def test_boxes_that_cannot_be_counted_are_refused(content: Any, why: str) -> None:
    with pytest.raises(AnswerRefused) as refused:
        read_boxes(content, BOXES)

    assert why in str(refused.value)


def test_the_size_is_that_of_the_answer_where_the_question_did_not_know_it() -> None:
    request = request_for(task=BOXES.task, labels=LABELS)

    assert read_boxes(drawn(box(), size={"width": 100, "height": 80}), request)[1] == ImageSize(100, 80)
    with pytest.raises(AnswerRefused, match="drawn on a picture of 63 x 80 pixels"):
        read_boxes(drawn(box(), size={"width": 63, "height": 80}), request)


numbers = st.one_of(st.integers(-100, 800), st.floats(-100, 800))
boxes_of_any_kind = st.builds(box, st.sampled_from(LABELS[:3]), numbers, numbers, numbers, numbers)


@given(st.lists(boxes_of_any_kind, max_size=5))
def test_what_is_read_can_be_annotated(boxes: list[dict[str, Any]]) -> None:
    try:
        found, size, _ = read_boxes(drawn(*boxes), BOXES)
    except AnswerRefused:
        return
    assert [judge_box(each, size) for each in found] == [None] * len(found)
    assert bool(found) == bool(boxes)


@given(odd)
def test_any_json_is_read_or_refused(content: Any) -> None:
    for value in (content, drawn(content), {"labels": content}, drawn(size=content)):
        for read, request in ((read_boxes, BOXES), (read_labels, SEVERAL)):
            with suppress(AnswerRefused):
                read(value, request)
