"""Reading what Custom Labels wrote of a version's answers, for each kind of project."""

from __future__ import annotations

import json
import tracemalloc
from collections.abc import Iterable
from datetime import datetime
from typing import Any

import pytest

from custom_labels.core.project_task import ProjectTask
from custom_labels.datasets.annotated_snapshot_records import frozen_annotated
from custom_labels.datasets.annotations.annotation import Box, ImageSize
from custom_labels.evaluation.answers import Answer, Tally
from custom_labels.evaluation.box_answers import BoxAnswer
from custom_labels.evaluation.evaluation_records import evaluation_answers, snapshot_etags
from custom_labels.evaluation.label_answers import LabelAnswer
from custom_labels.s3.output_files import LONGEST_LINE, NoAnswers
from custom_labels.s3.store import S3Store
from tests.kit.annotated_bucket import ONE, AnnotatedBucket
from tests.kit.evaluation_lines import boxes_evaluated, labels_evaluated

KEY = "evaluation/testing.manifest"
TRUE_LOGO = Box("logo", 10, 20, 30, 40)
LOGO = Box("logo", 10, 20, 30, 40, 0.9)
LABELS = labels_evaluated(["cat", "dog"], {"cat": (0.9, True), "dog": (0.2, False), "emu": (0.8, True)}, "s3://b/1")
BOXES = boxes_evaluated([LOGO], [LOGO], image="s3://b/1")
DETECTION = ProjectTask.OBJECT_DETECTION


def put(store: S3Store, lines: Iterable[Any]) -> dict[str, Any]:
    """Write an evaluation snapshot, and give the version that it is of."""
    body = "".join(f"{line if isinstance(line, str) else json.dumps(line)}\n" for line in lines)
    store.call("put_object", KEY, Body=body.encode())
    place = {"Bucket": store.bucket, "Name": store.key(KEY)}
    return {"TestingDataResult": {"Output": {"Assets": [{"GroundTruthManifest": {"S3Object": place}}]}}}


def read(store: S3Store, task: ProjectTask, described: dict[str, Any]) -> list[Answer]:
    with evaluation_answers(store, task, described) as answers:
        return list(answers)


@pytest.mark.parametrize(
    ("task", "line", "answer"),
    [
        (
            ProjectTask.IMAGE_CLASSIFICATION,
            labels_evaluated(["cat"], {"cat": (0.9, True)}, "s3://b/1"),
            LabelAnswer("s3://b/1", ("cat",), ("cat",)),
        ),
        (ProjectTask.MULTI_LABEL_CLASSIFICATION, LABELS, LabelAnswer("s3://b/1", ("cat", "dog"), ("cat", "emu"))),
        (DETECTION, BOXES, BoxAnswer("s3://b/1", ImageSize(640, 480), (TRUE_LOGO,), (LOGO,))),
    ],
    ids=["one label", "several labels", "boxes"],
)
def test_answers_are_read_by_the_kind_of_the_project(
    store: S3Store, task: ProjectTask, line: dict[str, Any], answer: Answer
) -> None:
    assert read(store, task, put(store, [line, "", line])) == [answer, answer]


@pytest.mark.parametrize(
    ("task", "line", "words"),
    [
        (DETECTION, LABELS, "'objects'"),
        (ProjectTask.MULTI_LABEL_CLASSIFICATION, BOXES, "no image-level labels"),
        (DETECTION, {**BOXES, "source-ref": "\x00"}, "no 'source-ref'"),
        (DETECTION, json.dumps(BOXES)[:-1], "it is no JSON"),
        (DETECTION, " " * LONGEST_LINE + "{}", "bytes or more"),
    ],
    ids=["labels", "boxes", "no image", "cut off", "endless"],
)
def test_a_line_that_cannot_be_read_is_named(store: S3Store, task: ProjectTask, line: Any, words: str) -> None:
    right = BOXES if task is DETECTION else LABELS

    with pytest.raises(NoAnswers, match=words) as refused:
        read(store, task, put(store, [right, line]))

    assert f"line 2 of s3://{store.bucket}/" in str(refused.value)


@pytest.mark.parametrize("task", ProjectTask)
def test_a_version_without_an_evaluation_has_no_answers(store: S3Store, task: ProjectTask) -> None:
    with pytest.raises(NoAnswers, match="names no evaluation snapshot"):
        read(store, task, {})


def test_annotated_images_are_found_as_they_were_when_their_snapshot_was_written(store: S3Store, now: datetime) -> None:
    annotated = AnnotatedBucket(store)
    annotated.annotated("a", {f"images/{number}.png": ONE for number in range(5)})
    with frozen_annotated(store, DETECTION, now, publish=True) as (frozen, _):
        digest = frozen.header.snapshot.digest
    etag = store.call("head_object", "images/1.png")["ETag"].strip('"')
    annotated.put("images/1.png")

    assert snapshot_etags(store, digest, ["images/1.png", "images/9.png"]) == {"images/1.png": etag}


def test_memory_does_not_grow_with_the_number_of_images(store: S3Store) -> None:
    described = put(store, (boxes_evaluated([LOGO] * 3, [LOGO] * 4, image=f"s3://b/{n}") for n in range(3_000)))

    with evaluation_answers(store, DETECTION, described) as answers:
        Tally(answers)
        tracemalloc.start()
        tally = Tally(answers)
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()

    assert tally.images == 3_000
    assert most < 1_000_000
