"""Outputs of human loops as nobody expects them: nothing is counted that was not asked and offered."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from custom_labels.core.project_task import ProjectTask
from custom_labels.datasets.annotations.annotation import Box, ImageSize
from custom_labels.review.backends.a2i.backend import loop_input
from custom_labels.review.backends.a2i.output import read_output
from custom_labels.review.review import (
    Answered,
    BoxesAnswer,
    LabelsAnswer,
    Purpose,
    RefusedAnswer,
    ReviewAnswer,
    ReviewRequest,
    ReviewState,
    ReviewStatus,
)
from tests.kit.review_requests import labels_of

REQUEST = ReviewRequest(
    name="digits-0123-r1",
    image="s3://bucket/images_for_detection/a.png",
    key="images_for_detection/a.png",
    etag="e",
    label=None,
    confidence=None,
    labels=("7", 'a "quoted" <label>'),
    version_name="v1",
    purpose=Purpose.DOUBT,
    round=1,
    reviewers=2,
)
CREATED = "2026-11-20T12:00:00.000000+00:00"
STATE = ReviewState(REQUEST.name, ReviewStatus.COMPLETED, CREATED, "s3://bucket/a2i-human-loop-data/output.json")


def answer(label: Any = "7", **changes: Any) -> dict[str, Any]:
    whole = {
        "acceptanceTime": "2026-11-20T12:01:00.000Z",
        "answerContent": {"shown": {"label": label}},
        "submissionTime": "2026-11-20T12:01:02.500Z",
        "timeSpentInSeconds": 2.5,
        "workerId": "ef7294f850a3d9d1",
        "workerMetadata": {"identityData": {"identityProviderType": "Cognito", "issuer": "pool", "sub": "a-person"}},
    }
    return {name: value for name, value in {**whole, **changes}.items() if value is not None}


def read(answers: Any, **changes: Any) -> Answered | None:
    output = {
        "flowDefinitionArn": "arn",
        "humanAnswers": answers,
        "humanLoopName": REQUEST.name,
        "inputContent": json.loads(loop_input(REQUEST)),
    }
    return read_output(json.dumps({**output, **changes}).encode(), STATE)


def test_an_answer_is_read_without_anything_that_names_the_person() -> None:
    assert read([answer()]) == Answered(
        REQUEST, (ReviewAnswer("ef7294f850a3d9d1", "7", "2026-11-20T12:01:02.500+00:00", 2.5),)
    )


@pytest.mark.parametrize(
    ("given", "label"), [("None of the above", None), ("7", "7"), ('a "quoted" <label>', 'a "quoted" <label>')]
)
def test_what_was_offered_is_counted(given: str, label: str | None) -> None:
    found = read([answer(given)])

    assert found is not None
    assert labels_of(found) == [label]


@pytest.mark.parametrize(
    "wrong",
    [
        answer("8"),
        answer("../../7"),
        answer(None),
        answer(["7"]),
        answer({"label": "7"}),
        answer(answerContent={}),
        answer(answerContent={"shown": None}),
        answer(answerContent={"another": {"label": "7"}}),
        answer(answerContent={"shown": {"labels": ["7"]}}),
        answer(answerContent="7"),
        answer(workerId={"sub": "a-person"}),
        {"answerContent": {"shown": {"label": "7"}}},
        "7",
        None,
        [],
    ],
    ids=str,
)
def test_what_cannot_be_counted_is_left_out(wrong: Any) -> None:
    found = read([wrong, answer()])

    assert found is not None
    assert labels_of(found) == ["7"]


@pytest.mark.parametrize("answers", [[], None, {}, "text"], ids=str)
def test_no_answers_are_no_answers(answers: Any) -> None:
    assert read(answers) == Answered(REQUEST, ())


@pytest.mark.parametrize(
    "changes",
    [
        {"inputContent": {"taskObject": "s3://bucket/a.png", "labels": ["7"]}},
        {"inputContent": {**json.loads(loop_input(REQUEST)), "name": "another-r1"}},
        {"inputContent": {**json.loads(loop_input(REQUEST)), "round": "first"}},
        {"inputContent": {**json.loads(loop_input(REQUEST)), "labels": "7"}},
        {"inputContent": "text"},
        {"inputContent": None},
    ],
    ids=["another program's", "another review's", "no number", "no list", "text", "null"],
)
def test_an_output_that_answers_no_request_of_ours_is_left_alone(changes: dict[str, Any]) -> None:
    assert read([answer()], **changes) is None


@pytest.mark.parametrize("body", [b"", b"no JSON", b"[]", b"\xff", b"{}", b"null"])
def test_a_broken_output_is_left_alone(body: bytes) -> None:
    assert read_output(body, STATE) is None


@pytest.mark.parametrize("time", [None, "yesterday", 5], ids=str)
def test_an_answer_without_a_time_counts_from_the_beginning(time: Any) -> None:
    found = read([answer(submissionTime=time)])

    assert found is not None
    assert found.answers[0].submitted_at == CREATED


def test_none_of_the_above_is_the_label_of_that_name_where_there_is_one() -> None:
    request = replace(REQUEST, none_label="none of the above ")

    found = read([answer("None of the above")], inputContent=json.loads(loop_input(request)))

    assert found is not None
    assert labels_of(found) == ["none of the above "]


BOX = Box("7", 1, 2, 30, 40, 0.5)
SEVERAL = replace(REQUEST, task=ProjectTask.MULTI_LABEL_CLASSIFICATION, guesses=("7",))
BOXES = replace(REQUEST, task=ProjectTask.OBJECT_DETECTION, boxes=(BOX,), size=ImageSize(640, 480))
DRAWN = {
    "boundingBoxes": [{"label": "7", "left": 1, "top": 2, "width": 30, "height": 40}],
    "inputImageProperties": {"width": 640, "height": 480},
}


@pytest.mark.parametrize(
    ("request_", "initial"),
    [
        (BOXES, [{"label": "7", "left": 1, "top": 2, "width": 30, "height": 40}]),
        (replace(BOXES, boxes=()), []),
        (SEVERAL, ["7"]),
        (replace(SEVERAL, guesses=()), []),
    ],
    ids=["boxes", "no box", "labels", "no label"],
)
def test_a_page_begins_with_what_the_model_found(request_: ReviewRequest, initial: list[Any]) -> None:
    content = json.loads(loop_input(request_))

    assert (content["initialValue"], content["labels"]) == (initial, list(REQUEST.labels))


@pytest.mark.parametrize("request_", [replace(BOXES, purpose=Purpose.AUDIT), REQUEST], ids=["an audit", "one label"])
def test_a_page_that_does_not_begin_with_anything_has_no_initial_value(request_: ReviewRequest) -> None:
    assert "initialValue" not in json.loads(loop_input(request_))


def test_the_largest_input_is_one_that_a2i_takes() -> None:
    labels = tuple(f"{number:03}" + "\N{GRINNING FACE}" * 253 for number in range(250))
    boxes = tuple(Box(label, 1 / 3, 1 / 3, 1 / 3, 1 / 3, 1 / 3) for label in labels[:50])

    for request in (replace(BOXES, labels=labels, boxes=boxes), replace(SEVERAL, labels=labels, guesses=labels)):
        assert len(loop_input(request).encode()) < 3_145_728


@pytest.mark.parametrize("request_", [BOXES, SEVERAL, replace(BOXES, purpose=Purpose.AUDIT, boxes=())])
def test_a_question_is_read_back_as_it_was(request_: ReviewRequest) -> None:
    found = read([], inputContent=json.loads(loop_input(request_)))

    assert found == Answered(request_, ())


def test_boxes_and_labels_are_read_by_the_kind_of_the_question() -> None:
    given = [answer(answerContent={"shown": DRAWN}), answer(answerContent={"shown": {"labels": ["7"]}})]
    when, reviewer = "2026-11-20T12:01:02.500+00:00", "ef7294f850a3d9d1"

    boxes = read(given, inputContent=json.loads(loop_input(BOXES)))
    labels = read(given, inputContent=json.loads(loop_input(SEVERAL)))

    assert boxes is not None
    assert boxes.answers == (BoxesAnswer(reviewer, (replace(BOX, confidence=1),), ImageSize(640, 480), when, 2.5),)
    assert boxes.refused == (RefusedAnswer(reviewer, "it has no 'inputImageProperties'"),)
    assert labels is not None
    assert labels.answers == (LabelsAnswer(reviewer, ("7",), when, 2.5),)
    assert labels.refused == (RefusedAnswer(reviewer, "it has no 'labels'"),)


def test_an_answer_of_nobody_is_on_record() -> None:
    found = read([answer(workerId={"sub": "a-person"}), "7"])

    assert found is not None
    assert [each.reviewer for each in found.refused] == ["unknown", "unknown"]
