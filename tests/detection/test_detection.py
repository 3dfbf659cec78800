"""Detections: which are believed, and what is kept of them."""

from __future__ import annotations

import pytest

from custom_labels.aws.predictions import Box, DetectedLabel, surest_first
from custom_labels.core.codec import from_json
from custom_labels.core.project_task import ProjectTask
from custom_labels.datasets.annotations.annotation import Box as Pixels
from custom_labels.datasets.annotations.annotation import ImageSize
from custom_labels.detection.detection import Decision, Detection, decide, drawing_path, first_request
from custom_labels.detection.doubt import DoubtRules
from custom_labels.review.review import Purpose, ReviewRequest


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


def test_a_result_names_the_page_that_draws_it_and_foreign_text_is_quoted() -> None:
    path = drawing_path("digits", "images_for_detection/a b/<i>?.png", "etag", "v1")
    assert path == "/custom-labels/digits/detections/a%20b/%3Ci%3E%3F.png/etag/v1.json"


SIZE = ImageSize(640, 480)
BEE, WASP = DetectedLabel("bee", 90, Box(0.5, 0.5, 0.25, 0.25)), DetectedLabel("wasp", 40, Box(0.1, 0.1, 1 / 3, 0.5))
NOISE = DetectedLabel("bee", 5, Box(0.1, 0.1, 0.1, 0.1))


def detected(*labels: DetectedLabel, size: ImageSize | None = SIZE) -> Detection:
    place = ("s3://b/k", "k", "e", "v1", "arn", "2026-11-21T00:00:00+00:00")
    return Detection(*place, labels, 70, Decision.REVIEW, "r", "n", noise=30, size=size)


def asked(
    detection: Detection,
    task: ProjectTask = ProjectTask.OBJECT_DETECTION,
    purpose: Purpose = Purpose.DOUBT,
    labels: tuple[str, ...] = ("bee", "wasp", "None of the above"),
) -> ReviewRequest:
    return first_request("digits", detection, labels, purpose, 2, task)


def test_a_result_has_its_boxes_in_pixels_as_well() -> None:
    record = detected(WASP, DetectedLabel("fly", 35)).to_record()

    assert record["labels"][0]["box"] == {"left": 0.1, "top": 0.1, "width": 1 / 3, "height": 0.5}
    assert record["labels"][0]["pixels"] == {"left": 64, "top": 48, "width": 1 / 3 * 640, "height": 240}
    assert record["labels"][1]["pixels"] is None
    assert from_json(Detection, record) == detected(WASP, DetectedLabel("fly", 35))


def test_people_are_shown_the_boxes_that_are_no_noise() -> None:
    request = asked(detected(BEE, WASP, NOISE))

    assert request.boxes == (Pixels("bee", 320, 240, 160, 120, 0.9), Pixels("wasp", 64, 48, 1 / 3 * 640, 240, 0.4))
    assert (request.label, request.confidence) == ("bee", 40)
    assert (request.labels, request.none_label) == (("bee", "wasp", "None of the above"), None)


def test_boxes_that_nobody_could_draw_are_not_shown() -> None:
    over = DetectedLabel("bee", 80, Box(0.9, -0.1, 0.2, 0.2))
    beside, unknown = DetectedLabel("bee", 80, Box(1.1, 0, 0.2, 0.2)), DetectedLabel("fly", 80, BEE.box)
    many = (DetectedLabel("bee", 80, Box(0.01 * n, 0.1, 0.3, 0.3)) for n in range(60))

    (shown,) = asked(detected(over, beside, unknown, DetectedLabel("bee", 70))).boxes

    assert (shown.left, shown.top) == (576, 0)
    assert shown.height == pytest.approx(48)
    assert shown.left + shown.width == 640
    assert len(asked(detected(*many)).boxes) == 50
    assert asked(detected(BEE, size=None)).boxes == ()


def test_people_are_shown_all_labels_that_are_no_noise() -> None:
    request = asked(detected(BEE, WASP, NOISE), ProjectTask.MULTI_LABEL_CLASSIFICATION)

    assert request.guesses == ("bee", "wasp")
    assert (request.labels, request.none_label) == (("bee", "wasp"), "None of the above")
    assert request.boxes == ()


@pytest.mark.parametrize("task", [ProjectTask.OBJECT_DETECTION, ProjectTask.MULTI_LABEL_CLASSIFICATION])
def test_an_audit_asks_without_what_the_model_found(task: ProjectTask) -> None:
    request = asked(detected(BEE), task, Purpose.AUDIT)

    assert (request.boxes, request.guesses) == ((), ())


@pytest.mark.parametrize("task", [ProjectTask.OBJECT_DETECTION, ProjectTask.MULTI_LABEL_CLASSIFICATION])
def test_noise_alone_is_nothing(task: ProjectTask) -> None:
    request = asked(detected(NOISE), task)

    assert (request.label, request.confidence, request.boxes, request.guesses) == (None, None, (), ())


def test_one_label_an_image_is_asked_about_as_ever() -> None:
    request = asked(detected(DetectedLabel("bee", 60)), ProjectTask.IMAGE_CLASSIFICATION)

    assert (request.label, request.confidence, request.labels) == ("bee", 60, ("bee", "wasp"))
    assert (request.boxes, request.guesses, request.none_label) == ((), (), "None of the above")
