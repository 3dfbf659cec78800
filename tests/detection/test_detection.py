"""Detections: which are believed, and what is kept of them."""

from __future__ import annotations

import pytest

from custom_labels.aws.predictions import Box, DetectedLabel, surest_first
from custom_labels.core.codec import from_json
from custom_labels.detection.detection import Decision, Detection, decide
from custom_labels.detection.doubt import DoubtRules


def labels(**confidences: float) -> tuple[DetectedLabel, ...]:
    return surest_first(DetectedLabel(name, confidence) for name, confidence in confidences.items())


@pytest.mark.parametrize(
    ("found", "by_label", "decision", "minimum", "reason"),
    [
        (labels(cat=70), {}, Decision.ACCEPTED, 70, "'cat' at 70.0 % reaches its minimum of 70 %"),
        (labels(cat=69.9), {}, Decision.REVIEW, 70, "'cat' at 69.9 % is below its minimum of 70 %"),
        (labels(cat=80, dog=75), {"cat": 85}, Decision.REVIEW, 85, "below its minimum of 85 %"),
        (labels(cat=50), {"cat": 40}, Decision.ACCEPTED, 40, "reaches its minimum of 40 %"),
        (labels(dog=80, cat=10), {"cat": 5}, Decision.ACCEPTED, 70, "'dog'"),
        ((), {}, Decision.REVIEW, 70, "no label was found"),
    ],
    ids=["exactly enough", "too little", "a stricter label", "a laxer label", "another label's own", "no label"],
)
def test_the_surest_label_decides(
    found: tuple[DetectedLabel, ...], by_label: dict[str, float], decision: Decision, minimum: float, reason: str
) -> None:
    decided = decide(found, DoubtRules(by_label=by_label), review_is_on=True)

    assert (decided.decision, decided.minimum) == (decision, minimum)
    assert reason in decided.reason


@pytest.mark.parametrize("found", [(), labels(cat=1)], ids=["no label", "a doubtful one"])
def test_nobody_is_asked_when_the_review_workflow_is_off(found: tuple[DetectedLabel, ...]) -> None:
    assert decide(found, DoubtRules(), review_is_on=False).decision is Decision.NOT_REVIEWED


def test_equal_confidences_are_sorted_by_name() -> None:
    assert [label.name for label in labels(dog=50, cat=50, bird=60)] == ["bird", "cat", "dog"]


@pytest.mark.parametrize(
    ("answer", "label"),
    [
        ({"Name": "cat", "Confidence": 9.5}, DetectedLabel("cat", 9.5)),
        ({"Name": "cat", "Confidence": 9.5, "Geometry": {}}, DetectedLabel("cat", 9.5)),
        (
            {
                "Name": "cat",
                "Confidence": 9.5,
                "Geometry": {"BoundingBox": {"Left": 0.1, "Top": 0.2, "Width": 0.3, "Height": 0.4}},
            },
            DetectedLabel("cat", 9.5, Box(0.1, 0.2, 0.3, 0.4)),
        ),
    ],
    ids=["image level", "no box", "a box"],
)
def test_a_label_is_read_when_it_has(answer: dict[str, object], label: DetectedLabel) -> None:
    assert DetectedLabel.from_aws(answer) == label


@pytest.mark.parametrize("found", [(), (DetectedLabel("é", 50.5, Box(0, 0, 1, 1)), DetectedLabel("b", 2))])
def test_a_detection_survives_json(found: tuple[DetectedLabel, ...]) -> None:
    one = Detection(
        "s3://b/k", "k", "e", "v1", "arn", "2026-11-21T00:00:00+00:00", found, 70, Decision.REVIEW, "r", "n"
    )

    value = one.to_record()

    assert from_json(Detection, value) == one
    assert (value["label"], value["confidence"]) == (("é", 50.5) if found else (None, None))
