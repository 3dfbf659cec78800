"""Outputs of human loops as nobody expects them: nothing is counted that was not asked and offered."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from custom_labels.review.backends.a2i.backend import loop_input
from custom_labels.review.backends.a2i.output import read_output
from custom_labels.review.review import Answered, Purpose, ReviewAnswer, ReviewRequest, ReviewState, ReviewStatus
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
