"""Which images are put to a version before it serves, and what it is expected to say of them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from custom_labels.core.keys import manifest_key
from custom_labels.core.project_task import ProjectTask
from custom_labels.datasets.annotations.annotation import Box
from custom_labels.evaluation.known_images_records import bucket_and_key, known_answers
from custom_labels.s3.store import S3Store
from tests.kit.annotation_lines import boxes_line
from tests.kit.evaluation_lines import boxes_evaluated

DIGEST = "d" * 64
TASK = ProjectTask.IMAGE_CLASSIFICATION
SNAPSHOT = "evaluation/testing.manifest"


def judged(image: str, **labels: bool) -> str:
    """Word a line of the evaluation snapshot: the labels that were weighed, and whether they were said."""
    entry: dict[str, Any] = {"source-ref": f"s3://b/{image}"}
    for number, (label, is_said) in enumerate(labels.items()):
        details = {"is-true-positive": is_said, "is-false-negative": not is_said}
        entry[f"rekognition-custom-labels-evaluation-{number}"] = int(is_said)
        entry[f"rekognition-custom-labels-evaluation-{number}-metadata"] = {
            "class-name": label,
            "confidence": 0.9,
            "rekognition-custom-labels-evaluation-details": details,
        }
    return json.dumps(entry)


def labelled(image: str, label: str) -> str:
    return json.dumps({"source-ref": f"s3://b/{image}", "label": 1, "label-metadata": {"class-name": label}})


def put(store: S3Store, key: str, *lines: str) -> None:
    store.client.put_object(Bucket=store.bucket, Key=store.key(key), Body="\n".join([*lines, ""]).encode())


def described(store: S3Store) -> dict[str, Any]:
    s3_object = {"Bucket": store.bucket, "Name": store.key(SNAPSHOT)}
    return {"TestingDataResult": {"Output": {"Assets": [{"GroundTruthManifest": {"S3Object": s3_object}}]}}}


@pytest.fixture
def manifests(store: S3Store) -> None:
    """The manifests of the snapshot that the version was trained on."""
    put(store, manifest_key(DIGEST, "test"), labelled("t1", "cat"))
    put(store, manifest_key(DIGEST, "train"), labelled("r1", "cat"), labelled("r2", "dog"))


def test_a_version_is_to_say_what_it_said_when_it_was_evaluated(store: S3Store, manifests: None) -> None:
    lines = [judged("1", cat=True), judged("2", cat=True, dog=False), judged("3", dog=True), judged("4", dog=True)]
    put(store, SNAPSHOT, *lines)

    known = known_answers(store, TASK, described(store), DIGEST, 3)

    assert known.own
    assert known.images == (("s3://b/1", ("cat",)), ("s3://b/3", ("dog",)), ("s3://b/2", ("cat",)))
    assert known == known_answers(store, TASK, described(store), DIGEST, 3)


@pytest.mark.parametrize(
    "lines",
    [None, [], [judged("1", cat=False), judged("2", cat=False, dog=False)]],
    ids=["gone", "empty", "no image with an answer"],
)
def test_the_labels_of_people_stand_in_where_the_evaluation_knows_no_answer(
    store: S3Store, manifests: None, lines: list[str] | None
) -> None:
    if lines is not None:
        put(store, SNAPSHOT, *lines)

    known = known_answers(store, TASK, described(store), DIGEST, 2)

    assert not known.own
    assert known.images == (("s3://b/t1", ("cat",)), ("s3://b/r1", ("cat",)))


def test_any_of_several_labels_is_right(store: S3Store) -> None:
    put(store, SNAPSHOT, judged("1", cat=True, dog=True, cow=False), judged("2", dog=True))

    known = known_answers(store, ProjectTask.MULTI_LABEL_CLASSIFICATION, described(store), DIGEST, 5)

    assert known.images == (("s3://b/1", ("cat", "dog")), ("s3://b/2", ("dog",)))


def test_a_detector_is_to_find_the_labels_that_it_found(store: S3Store) -> None:
    logo, cup = Box("logo", 10, 20, 30, 40, 0.9), Box("cup", 90, 20, 30, 40, 0.8)
    lines = [
        boxes_evaluated([logo], [logo, logo], image="s3://b/1"),
        boxes_evaluated([logo, cup], [logo, cup], image="s3://b/2"),
        boxes_evaluated([cup], [cup], image="s3://b/3"),
        boxes_evaluated([cup], [], image="s3://b/4"),
    ]
    put(store, SNAPSHOT, *map(json.dumps, lines))

    known = known_answers(store, ProjectTask.OBJECT_DETECTION, described(store), DIGEST, 5)

    assert known.own
    assert known.images == (("s3://b/2", ("cup", "logo")), ("s3://b/1", ("logo",)), ("s3://b/3", ("cup",)))


def test_boxes_that_people_drew_stand_in_where_the_evaluation_knows_no_answer(store: S3Store) -> None:
    drawn = boxes_line("s3://b/t1", [("logo", 10, 20, 30, 40), ("cup", 90, 20, 30, 40)])
    put(store, manifest_key(DIGEST, "test"), json.dumps(drawn))
    put(store, manifest_key(DIGEST, "train"))

    known = known_answers(store, ProjectTask.OBJECT_DETECTION, {}, DIGEST, 5)

    assert (known.own, known.images) == (False, (("s3://b/t1", ("cup", "logo")),))


def test_a_version_of_which_aws_tells_no_evaluation_is_asked_about_its_manifests(
    store: S3Store, manifests: None
) -> None:
    assert len(known_answers(store, TASK, {}, DIGEST, 5).images) == 3


def test_a_key_is_taken_as_it_is() -> None:
    assert bucket_and_key("s3://b/a folder/what?.png#1") == ("b", "a folder/what?.png#1")
