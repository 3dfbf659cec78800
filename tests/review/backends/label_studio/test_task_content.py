"""What annotations say: which of them count, and why others do not."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from custom_labels.core.project_task import ProjectTask
from custom_labels.datasets.annotations.annotation import Box, ImageSize
from custom_labels.review.backends.base import ReviewBackendError
from custom_labels.review.backends.label_studio.task_content import answered, state_of, task_of
from custom_labels.review.review import AnyAnswer, BoxesAnswer, Purpose, ReviewAnswer, ReviewRequest, ReviewStatus
from tests.kit.label_studio import choice, rectangle
from tests.kit.review_requests import request_for

BOXES = ProjectTask.OBJECT_DETECTION
SIZE = ImageSize(96, 96)
EARLY, LATE = "2026-11-28T10:00:00.000000Z", "2026-11-28T11:00:00.000000Z"
ASKED = request_for(labels=("columns", "rows"))
DRAWN = request_for(labels=("columns", "rows"), task=BOXES, size=SIZE)


def annotation(result: Any, by: Any = 7, at: str = EARLY, **more: Any) -> dict[str, Any]:
    return {"result": result, "completed_by": by, "created_at": EARLY, "updated_at": at, "was_cancelled": False, **more}


def task(request: ReviewRequest, *annotations: dict[str, Any], **more: Any) -> dict[str, Any]:
    made = {**task_of(request), "id": 1, "project": 3, "created_at": EARLY, "is_labeled": False}
    return {**made, "annotations": list(annotations), **more}


def read(request: ReviewRequest, *annotations: dict[str, Any], labels: tuple[str, ...] = ()) -> tuple[AnyAnswer, ...]:
    found = answered([task(request, *annotations)], labels)
    assert found
    return found.answers


def why(request: ReviewRequest, *annotations: dict[str, Any]) -> list[str]:
    found = answered([task(request, *annotations)], ())
    assert found
    assert found.answers == ()
    return [each.why for each in found.refused]


def test_of_one_person_the_newest_counts() -> None:
    (answer,) = read(ASKED, annotation(choice("rows"), at=LATE), annotation(choice("columns")))

    assert isinstance(answer, ReviewAnswer)
    assert (answer.label, answer.submitted_at) == ("rows", "2026-11-28T11:00:00.000000+00:00")


def test_a_person_is_a_number_whatever_label_studio_tells() -> None:
    (answer,) = read(ASKED, annotation(choice("rows"), by={"id": 7, "email": "a@b.c"}, created_username="a@b.c, 7"))

    assert answer.reviewer == "label-studio-7"
    assert "@" not in repr(answer)


def test_none_of_the_above_is_none() -> None:
    (answer,) = read(ASKED, annotation(choice("None of the above")))

    assert isinstance(answer, ReviewAnswer)
    assert answer.label is None


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (annotation([], was_cancelled=True), "the image was skipped"),
        (annotation([]), "it has no label, not even 'None of the above'"),
        (annotation(choice("rows", "columns")), "it has 2 labels instead of one"),
        (annotation(choice("cat")), "which was not offered"),
        (annotation([{**choice("rows")[0], "from_name": "other"}]), "it has a result of type 'choices' by 'other'"),
        (annotation([rectangle("rows", 1, 1, 1, 1)]), "it has a result of type 'rectanglelabels' by 'shown'"),
        (annotation(None), "it has no list of results"),
        (annotation(["x"]), "it has a result without a value"),
    ],
)
def test_what_is_no_answer_is_refused_in_words(given: dict[str, Any], words: str) -> None:
    (found,) = why(ASKED, given)

    assert words in found


@pytest.mark.parametrize(
    ("result", "words"),
    [
        ([rectangle("rows", 1, 1, 20, 20, image_rotation=90)], "a box is turned"),
        ([rectangle("rows", 110, 1, 20, 20)], "is beside the 96 x 96 picture"),
        ([rectangle("rows", 1, 1, 20, 20, original_width=50)], "drawn on a picture of 50 x 96 pixels"),
        ([rectangle("cat", 1, 1, 20, 20)], "which was not offered"),
        ([rectangle("rows", float("nan"), 1, 20, 20)], "a box has no numbers"),
        ([rectangle("rows", 1, 1, 20, 20, original_width="96")], "a box has no numbers"),
        ([{**rectangle("rows", 1, 1, 9, 9), "value": {"x": 1, "y": 1, "width": 9, "height": 9}}], "a box has no label"),
    ],
)
def test_boxes_that_cannot_be_used_are_refused(result: list[dict[str, Any]], words: str) -> None:
    (found,) = why(DRAWN, annotation(result))

    assert words in found


def test_an_answer_without_boxes_needs_the_pictures_size() -> None:
    assert why(replace(DRAWN, size=None), annotation([])) == ["it has no box, and the size of the picture is not known"]


def test_a_label_that_label_studio_offers_meanwhile_counts() -> None:
    (answer,) = read(ASKED, annotation(choice("new")), labels=("new",))

    assert isinstance(answer, ReviewAnswer)
    assert answer.label == "new"


def test_a_task_of_somebody_else_is_no_review() -> None:
    assert answered([{"id": 1, "meta": {"review": "x"}, "annotations": []}], ()) is None


@pytest.mark.parametrize(
    ("more", "status"),
    [
        ({}, ReviewStatus.OPEN),
        ({"is_labeled": True}, ReviewStatus.COMPLETED),
        ({"is_labeled": True, "ended_at": EARLY}, ReviewStatus.STOPPED),
    ],
)
def test_a_task_says_how_its_review_stands(more: dict[str, Any], status: ReviewStatus) -> None:
    one = task(ASKED, is_labeled=more.pop("is_labeled", False))
    one["meta"] |= more
    state = state_of([one], "https://studio")

    assert (state.name, state.status) == (ASKED.name, status)
    assert state.answers_uri == (None if status is ReviewStatus.OPEN else "https://studio/projects/3/data?task=1")


def test_an_audit_shows_nothing_of_the_guess() -> None:
    assert "predictions" in task_of(ASKED)
    assert "predictions" not in task_of(replace(ASKED, purpose=Purpose.AUDIT))
    assert "predictions" not in task_of(replace(ASKED, label="gone"))


def test_a_label_with_a_dollar_sign_comes_back_as_it_is() -> None:
    request = replace(ASKED, labels=("$image", "rows"), label="$image")
    (prediction,) = task_of(request)["predictions"]
    (answer,) = read(request, annotation(prediction["result"]))

    assert "$" not in str(prediction)
    assert isinstance(answer, ReviewAnswer)
    assert answer.label == "$image"


@pytest.mark.parametrize("key", ["a?b.png", "a;b.png"])
def test_an_image_whose_address_label_studio_would_cut_is_refused(key: str) -> None:
    with pytest.raises(ReviewBackendError, match="Put the image under another name"):
        task_of(replace(ASKED, key=f"images_for_detection/{key}"))


def test_boxes_become_percent_and_come_back_as_pixels() -> None:
    size = ImageSize(1000, 700)
    boxes = (Box("rows", 33.3, 12.1, 48, 24), Box("columns", 0, 0, 1000, 700))
    request = replace(DRAWN, size=size, boxes=boxes)
    (prediction,) = task_of(request)["predictions"]

    (answer,) = read(request, annotation(prediction["result"]))
    assert isinstance(answer, BoxesAnswer)
    assert (answer.boxes, answer.size) == (boxes, size)
