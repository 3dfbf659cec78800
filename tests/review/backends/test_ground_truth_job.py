"""What a labeling job asks, what its answers say, and which messages are about it: rules without any AWS."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from custom_labels.core.project_task import ProjectTask
from custom_labels.datasets.annotations.annotation import Box, ImageSize
from custom_labels.datasets.label_names import NONE_OF_THE_ABOVE
from custom_labels.review.backends.ground_truth.answers import TOGETHER, read_output_line, read_responses
from custom_labels.review.backends.ground_truth.events import created_key
from custom_labels.review.backends.ground_truth.job import Batch, batches, kind_of, task_input
from custom_labels.review.backends.ground_truth.job_files import job_of_output, response_place
from custom_labels.review.review import BoxesAnswer, LabelsAnswer, Purpose, ReviewAnswer, ReviewRequest
from tests.kit.review_requests import request_for

AT = "2026-11-28T10:00:00.000+00:00"
BOXES = ProjectTask.OBJECT_DETECTION
SEVERAL = ProjectTask.MULTI_LABEL_CLASSIFICATION
BOX = Box("rows", 1, 2, 30, 40)
RESPONSE = "ground-truth/output/digits-reviews-1/annotations/worker-response/iteration-1/7/2026-11-28_10:00:00.json"


def named(number: int, **changes: Any) -> ReviewRequest:
    return request_for(f"images_for_detection/{number}.png", **changes)


def test_requests_that_can_be_asked_alike_are_one_job() -> None:
    requests = [
        *(named(number) for number in range(3)),
        named(3, reviewers=2),
        named(4, labels=("columns", "other", "rows")),
        named(5, purpose=Purpose.AUDIT),
    ]
    found = batches(requests)
    assert sorted(len(batch.requests) for batch in found) == [1, 1, 4]
    assert {name for batch in found for name in batch.names} == {request.name for request in requests}


def test_job_has_the_same_name_in_any_order_and_another_for_other_reviews() -> None:
    first, second = named(1), named(2)
    name = Batch((first, second)).job_name("My Project of a very long name, longer than any")
    assert name == Batch((second, first)).job_name("My Project of a very long name, longer than any")
    assert name != Batch((first,)).job_name("My Project of a very long name, longer than any")
    assert len(name) <= 63
    assert name.startswith("my-project-of-a-very-lon-reviews-")


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({}, "ImageMultiClass"),
        ({"task": SEVERAL}, "ImageMultiClassMultiLabel"),
        ({"task": BOXES}, "BoundingBox"),
        ({"task": BOXES, "boxes": (BOX,)}, "AdjustmentBoundingBox"),
        ({"task": BOXES, "boxes": (BOX,), "purpose": Purpose.AUDIT}, "BoundingBox"),
    ],
    ids=["one label", "several", "no box found", "boxes found", "audit of boxes"],
)
def test_kind_of_task_is_what_the_request_needs(changes: dict[str, Any], kind: str) -> None:
    assert kind_of(named(1, **changes)) == kind


@pytest.mark.parametrize(
    ("task", "categories"),
    [
        (ProjectTask.IMAGE_CLASSIFICATION, ["columns", "rows", NONE_OF_THE_ABOVE]),
        (SEVERAL, ["columns", "rows"]),
        (BOXES, ["columns", "rows"]),
    ],
)
def test_categories_have_none_of_the_above_where_one_must_be_chosen(task: ProjectTask, categories: list[str]) -> None:
    batch = Batch((named(1, task=task),))
    assert [entry["label"] for entry in batch.category_file()["labels"]] == categories
    assert json.loads(task_input(batch.requests[0]))["labels"] == categories


def test_line_says_which_review_it_is_of() -> None:
    request = named(1)
    (line,) = Batch((request,)).lines()
    assert (line["source-ref"], line["review"]["name"]) == (request.image, request.name)


def entry(field: str, content: Any, **changes: Any) -> dict[str, Any]:
    return {"workerId": "w1", "answerContent": {field: content}, "timeSpentInSeconds": 2.5, **changes}


def test_each_person_is_read_by_the_element_of_the_task() -> None:
    found = read_responses(
        [
            entry("crowd-image-classifier", {"label": "rows"}, submissionTime="2026-11-28T10:00:00.500Z"),
            entry("crowd-image-classifier", {"label": NONE_OF_THE_ABOVE}, workerId="w2"),
            entry("shown", {"label": "rows"}, workerId="w3"),
            entry("crowd-image-classifier", {"label": "other"}, workerId="w4"),
            "nonsense",
        ],
        named(1),
        AT,
    )
    assert found.answers == (
        ReviewAnswer("w1", "rows", "2026-11-28T10:00:00.500+00:00", 2.5),
        ReviewAnswer("w2", None, AT, 2.5),
    )
    assert [each.reviewer for each in found.refused] == ["w3", "w4", "unknown"]


CREATED = {"creation-date": "2026-11-28T10:00:00.250000"}


@pytest.mark.parametrize(
    ("task", "value", "metadata", "expected"),
    [
        (
            ProjectTask.IMAGE_CLASSIFICATION,
            1,
            {"class-name": "rows"},
            ReviewAnswer(TOGETHER, "rows", "2026-11-28T10:00:00.250+00:00"),
        ),
        (
            SEVERAL,
            [0, 1],
            {"class-map": {"0": "columns", "1": "rows"}},
            LabelsAnswer(TOGETHER, ("columns", "rows"), "2026-11-28T10:00:00.250+00:00"),
        ),
        (SEVERAL, [], {"class-map": {}}, LabelsAnswer(TOGETHER, (), "2026-11-28T10:00:00.250+00:00")),
        (
            BOXES,
            {
                "image_size": [{"width": 96, "height": 96, "depth": 3}],
                "annotations": [{"class_id": 1, "left": 1, "top": 2, "width": 30, "height": 40}],
            },
            {"class-map": {"1": "rows"}},
            BoxesAnswer(TOGETHER, (BOX,), ImageSize(96, 96), "2026-11-28T10:00:00.250+00:00"),
        ),
    ],
    ids=["one label", "several", "none of several", "boxes"],
)
def test_what_people_said_together_is_one_answer(
    task: ProjectTask, value: Any, metadata: dict[str, Any], expected: Any
) -> None:
    line = {"answer": value, "answer-metadata": {**metadata, **CREATED}}
    assert read_output_line(line, replace(named(1), task=task), AT).answers == (expected,)


@pytest.mark.parametrize(
    "line",
    [
        {},
        {"answer": 1, "answer-metadata": {}},
        {"answer": [7], "answer-metadata": {"class-map": {}}},
        {"answer": 1, "answer-metadata": {"class-name": "rows", "creation-date": "yesterday"}},
    ],
    ids=["nothing", "no name", "no map", "no date"],
)
def test_line_that_cannot_be_read_is_refused_or_has_the_time_of_the_job(line: dict[str, Any]) -> None:
    found = read_output_line(line, named(1), AT)
    assert len(found.answers) + len(found.refused) == 1
    assert all(answer.submitted_at == AT for answer in found.answers)


@pytest.mark.parametrize(
    ("key", "index"),
    [
        (RESPONSE, 7),
        (RESPONSE.replace("worker-response", "consolidated-annotation"), None),
        (RESPONSE.replace("/7/", "/x/"), None),
        ("ground-truth/jobs/a/input.manifest", None),
    ],
)
def test_place_of_answers_is_read_from_their_key(key: str, index: int | None) -> None:
    place = response_place(key)
    assert (place.index if place else None) == index
    assert job_of_output(key) == ("digits-reviews-1" if key.startswith("ground-truth/output/") else None)


def record(bucket: str = "b", key: str = f"p/{RESPONSE}") -> dict[str, Any]:
    return {"bucket": {"name": bucket}, "object": {"key": key}}


@pytest.mark.parametrize(
    ("body", "key"),
    [
        ({"Records": [{"s3": record(key="p/a%3Ab+c")}]}, "a:b c"),
        ({"source": "aws.s3", "detail": record()}, RESPONSE),
        ({"source": "aws.s3", "detail": record("other")}, None),
        ({"source": "aws.s3", "detail": record(key="elsewhere/x")}, None),
        ({"source": "aws.s3", "detail": {"bucket": None}}, None),
        ({"source": "aws.sagemaker", "detail": {}}, None),
        ({"Records": []}, None),
        ({"Records": "x"}, None),
    ],
)
def test_key_is_read_from_messages_of_the_bucket(body: dict[str, Any], key: str | None) -> None:
    assert created_key(body, "b", "p/") == key
