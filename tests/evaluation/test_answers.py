"""What a version predicted of known images: reading it, and the numbers that follow."""

from __future__ import annotations

import json
from typing import Any, cast

import pytest

from custom_labels.core.gate import Metrics
from custom_labels.evaluation.answers import Answer, Cell, Tally, read_evaluation_line

CAT_AS_DOG = Answer("s3://b/1", ("cat",), ("dog",))
CAT = Answer("s3://b/2", ("cat",), ("cat",))
DOG = Answer("s3://b/3", ("dog",), ("dog",))
SILENT_DOG = Answer("s3://b/4", ("dog",), ())


def evaluation(label: str, *, predicted: bool, shown: bool) -> dict[str, Any]:
    details = {
        "is-true-positive": predicted and shown,
        "is-false-positive": predicted and not shown,
        "is-false-negative": shown and not predicted,
        "is-present-in-ground-truth": shown,
    }
    return {"class-name": label, "rekognition-custom-labels-evaluation-details": details}


def line(actual: tuple[str, ...], **evaluations: dict[str, Any]) -> str:
    entry: dict[str, Any] = {"source-ref": "s3://b/k"}
    for number, label in enumerate(actual):
        entry[f"rekognition-custom-labels-training-{number}"] = 1
        entry[f"rekognition-custom-labels-training-{number}-metadata"] = {"class-name": label}
    for number, metadata in enumerate(evaluations.values()):
        entry[f"rekognition-custom-labels-evaluation-{number}"] = 1
        entry[f"rekognition-custom-labels-evaluation-{number}-metadata"] = metadata
    return json.dumps(entry)


@pytest.mark.parametrize(
    ("text", "actual", "predicted"),
    [
        (line(("cat",), a=evaluation("cat", predicted=True, shown=True)), ("cat",), ("cat",)),
        (
            line(
                ("cat",),
                a=evaluation("dog", predicted=True, shown=False),
                b=evaluation("cat", predicted=False, shown=True),
            ),
            ("cat",),
            ("dog",),
        ),
        (line(("dog", "cat"), a=evaluation("dog", predicted=True, shown=True)), ("cat", "dog"), ("dog",)),
        (line(("cat",)), ("cat",), ()),
    ],
    ids=["right", "wrong", "several labels", "nothing predicted"],
)
def test_an_evaluation_line_is_read(text: str, actual: tuple[str, ...], predicted: tuple[str, ...]) -> None:
    assert read_evaluation_line(text) == Answer("s3://b/k", actual, predicted)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[]", "no 'source-ref'"),
        ("{", "Expecting"),
        (
            '{"source-ref": "s3://b/k", "rekognition-custom-labels-evaluation-0-metadata": {"objects": []}}',
            "no image-level labels",
        ),
    ],
    ids=["no object", "no JSON", "boxes"],
)
def test_a_line_that_is_none_is_refused(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        read_evaluation_line(text)


def test_scores_are_means_of_the_labels_that_images_show() -> None:
    scores = Tally([CAT_AS_DOG, CAT, DOG, SILENT_DOG, Answer("s3://b/5", ("cat",), ("cat", "emu"))]).scores()

    assert scores.labels["cat"] == Metrics(f1=0.8, precision=1.0, recall=cast("float", pytest.approx(2 / 3)))
    assert scores.labels["dog"] == Metrics(f1=0.5, precision=0.5, recall=0.5)
    assert set(scores.labels) == {"cat", "dog"}
    assert scores.overall.f1 == pytest.approx(0.65)
    assert scores.overall.recall == pytest.approx((2 / 3 + 0.5) / 2)


def test_a_label_that_a_version_never_knew_counts_in_the_means_only() -> None:
    scores = Tally([DOG, CAT_AS_DOG]).scores(known={"dog"})

    assert set(scores.labels) == {"dog"}
    assert scores.overall.recall == 0.5


def test_no_images_give_no_metrics() -> None:
    assert Tally([]).scores().overall == Metrics(0.0, 0.0, 0.0)


def test_the_confusion_matrix_has_a_column_for_nothing() -> None:
    both = Answer("s3://b/6", ("cat", "dog"), ("cat",))

    cells = Tally([CAT_AS_DOG, CAT, CAT, DOG, SILENT_DOG, both]).confusion()

    assert cells == (
        Cell("cat", "cat", 3),
        Cell("cat", "dog", 1),
        Cell("dog", "dog", 1),
        Cell("dog", None, 2),
    )
