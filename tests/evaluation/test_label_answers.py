"""Answers of image-level labels: reading them, and where two versions differ."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pytest

from custom_labels.aws.predictions import DetectedLabel
from custom_labels.evaluation.answers import JudgedPrediction
from custom_labels.evaluation.label_answers import LabelAnswer, read_label_line
from tests.kit.annotation_lines import spoilt
from tests.kit.evaluation_lines import IMAGE, labels_evaluated

LINE = labels_evaluated(["cat"], {"cat": (0.9, True)})
_ATTRIBUTE = "rekognition-custom-labels-evaluation-0-metadata"
_DETAILS = f"{_ATTRIBUTE}/rekognition-custom-labels-evaluation-details"


@pytest.mark.parametrize(
    ("actual", "weighed", "predicted"),
    [
        (("cat",), {"cat": (0.9, True)}, {"cat": 0.9}),
        (("cat",), {"dog": (0.8, True), "cat": (0.3, False)}, {"dog": 0.8}),
        (("cat", "dog"), {"dog": (0.7, True), "cat": (0.2, False)}, {"dog": 0.7}),
        (("cat", "dog"), {"dog": (0.7, True), "cat": (0.6, True)}, {"cat": 0.6, "dog": 0.7}),
        (("cat",), {}, {}),
        ((), {}, {}),
    ],
    ids=["right", "wrong", "one of two labels", "two labels", "nothing predicted", "nothing there"],
)
def test_an_evaluation_line_is_read(
    actual: tuple[str, ...], weighed: Mapping[str, tuple[float, bool]], predicted: Mapping[str, float]
) -> None:
    found = read_label_line(json.dumps(labels_evaluated(actual, weighed)).encode())

    assert found == LabelAnswer(IMAGE, actual, tuple(predicted))
    assert found.confidences == tuple(predicted.values())


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("[]", "no JSON object"),
        ("{", "Expecting"),
        ("[" * 100_000, "too many levels"),
        ('{"source-ref": NaN}', "NaN is no JSON value"),
        ('{"source-ref": "s3://b/k", "source-ref": "s3://b/l"}', "there twice"),
        ("{}", "no 'source-ref'"),
        (spoilt(LINE, "source-ref", ["s3://b/k"]), "no 'source-ref'"),
        (spoilt(LINE, "source-ref", "s3://b/\x1b[2J"), "no 'source-ref'"),
        (spoilt(LINE, _ATTRIBUTE, {"objects": []}), "no image-level labels"),
        (spoilt(LINE, _ATTRIBUTE, "text"), "no image-level labels"),
        (spoilt(LINE, f"{_ATTRIBUTE}/class-name", 7), "name of a label"),
        (spoilt(LINE, f"{_ATTRIBUTE}/class-name", ""), "name of a label"),
        (spoilt(LINE, f"{_ATTRIBUTE}/confidence", 1.5), "'confidence'"),
        (spoilt(LINE, f"{_ATTRIBUTE}/confidence", gone=True), "'confidence'"),
        (spoilt(LINE, _DETAILS, "yes"), "expected an object"),
        (spoilt(LINE, f"{_DETAILS}/is-true-positive", "yes"), "expected true or false"),
    ],
    ids=str,
)
def test_a_line_that_is_none_is_refused(line: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        read_label_line(line.encode())


def test_bytes_that_are_no_text_are_refused() -> None:
    with pytest.raises(ValueError, match="utf-8"):
        read_label_line(b'{"source-ref": "s3://b/\xff"}')


@pytest.mark.parametrize(
    ("actual", "predicted", "right"),
    [((), (), True), (("cat",), ("cat",), True), (("cat",), (), False), ((), ("cat",), False)],
)
def test_an_answer_is_right_where_all_is_predicted_and_nothing_else(
    actual: tuple[str, ...], predicted: tuple[str, ...], right: bool
) -> None:
    assert LabelAnswer(IMAGE, actual, predicted).right is right


def test_each_label_of_an_image_is_judged_for_itself() -> None:
    answer = LabelAnswer(IMAGE, ("cat", "dog"), ("cat", "emu"), (0.9, 0.4))

    assert list(answer.predictions) == [JudgedPrediction("cat", 0.9, right=True), JudgedPrediction("emu", 0.4, False)]
    assert list(answer.taken_for) == [("cat", "cat"), ("cat", "emu"), ("dog", "emu")]


def test_another_version_is_judged_by_what_it_detects() -> None:
    answer = LabelAnswer(IMAGE, ("cat",), ("cat",), (0.9,))

    other = answer.predicted_as([DetectedLabel("emu", 70.0), DetectedLabel("cat", 40.0)])

    assert other == LabelAnswer(IMAGE, ("cat",), ("cat", "emu"))
    assert other.confidences == (0.4, 0.7)
