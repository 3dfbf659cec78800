"""Asking people about training images whose label is doubtful: what they see, and what comes of their answers."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from custom_labels.core.codec import to_json
from custom_labels.core.keys import snapshot_inspection
from custom_labels.core.project_task import ProjectTask
from custom_labels.datasets.annotated_snapshot_records import frozen_annotated
from custom_labels.datasets.annotations.annotation import Annotation
from custom_labels.datasets.annotations.kinds import KINDS
from custom_labels.datasets.inspection.inspection import InspectedLabel, Inspection, Suspect
from custom_labels.operations import audit_tasks
from custom_labels.operations.audit import Measured
from custom_labels.operations.settings import AuditSettings
from custom_labels.review import harvest_writer
from custom_labels.review.harvest import HarvestedReview
from custom_labels.review.harvest_records import copy_image
from custom_labels.review.review import Purpose
from custom_labels.review.review_tasks import open_reviews
from custom_labels.review.suspects import first_suspects
from custom_labels.s3.store import S3Store
from custom_labels.training.retraining import TrainingAttempt
from custom_labels.training.training_records import change_trainings
from tests.kit.dag_runs import Variables
from tests.kit.harvests import answer, fates, keys, ledger, lines, submit, waiting
from tests.kit.review_project import ReviewProject, loops, set_up_review, wait_until_ended
from tests.kit.scenes import SMALL, SceneProject, digits_of
from tests.kit.snapshots import write_snapshot
from tests.kit.step_runs import harvest_by_steps, new_run
from tests.kit.support import BUCKET, picture, put_images, s3

if TYPE_CHECKING:
    from datetime import datetime

    from include.local_aws.process import LocalAws

WRONG = "images_labeled_by_folder/rows/wrong.png"


@pytest.fixture
def reviews(aws: LocalAws, airflow_db: None, monkeypatch: pytest.MonkeyPatch) -> ReviewProject:
    """A project whose sampling is off, and whose reviews are set up."""
    Variables(monkeypatch, enable_automatic_human_sampling=False, enable_automatic_training=False)
    return set_up_review(aws, reviewers=(1,))


def doubt(reviews: ReviewProject, now: datetime, *suspects: Suspect) -> None:
    """Let the last training's plan have doubted these labels."""
    snapshot, _ = write_snapshot(reviews.store, now)
    record(reviews, snapshot.digest, [each.label for each in snapshot.labels], suspects)


def record(reviews: ReviewProject, digest: str, labels: list[str], suspects: tuple[Suspect, ...]) -> None:
    found = Inspection(
        *(digest, 9, 0),
        labels=tuple(InspectedLabel(label, 4, 3, 1) for label in labels),
        suspects=suspects,
        suspect_count=len(suspects),
    )
    reviews.store.write_json(snapshot_inspection(digest), to_json(found))
    change_trainings(reviews.store, lambda known: known.claim(TrainingAttempt(digest, "arn", "v1", "a run")))


def suspect(reviews: ReviewProject, key: str, label: str = "rows", believed: str = "columns") -> Suspect:
    found = reviews.store.client.head_object(Bucket=BUCKET, Key=key)["ETag"].strip('"')
    return Suspect(key, found, label, believed, 0.02, 0.97)


def ask(**params: Any) -> str:
    """Sample as the DAG does; give how the run ended."""
    ctx = new_run("sample_for_audit", params=params)
    settings = ctx.read_settings(AuditSettings)
    measured = Measured(None, "no samples yet")
    sampled = audit_tasks.sample.function(ctx, settings, measured)
    opened = open_reviews.function(ctx, settings)
    ended = audit_tasks.finish.function(ctx, settings, measured, sampled, opened)
    return f"{ended.outcome}: {ended.detail}"


@pytest.fixture
def wrong(aws: LocalAws, reviews: ReviewProject, now: datetime) -> str:
    """An image in the wrong folder, and one in the right one, both of which were doubted; gives the first review."""
    put_images(aws, 4)
    s3(aws).put_object(Bucket=BUCKET, Key=WRONG, Body=picture("columns", 500))
    right = "images_labeled_by_folder/rows/0001.png"
    doubt(reviews, now, suspect(reviews, WRONG), suspect(reviews, right))
    assert ask(doubtful_labels=1) == "sampled: people are asked about 1 training images whose label is doubtful"
    (name,) = loops(reviews)
    return name


def test_a_label_that_people_correct_counts_and_the_wrong_one_does_not(
    aws: LocalAws, reviews: ReviewProject, wrong: str
) -> None:
    answer(aws, wrong, "columns")
    wait_until_ended(reviews, wrong)

    assert harvest_by_steps().outcome == "harvested"

    assert fates(aws) == ["copied"]
    assert WRONG not in keys(aws, "images_labeled_by_folder/")
    assert len(keys(aws, "images_labeled_by_folder/columns/")) == 5
    assert keys(aws, "images_replaced/") == [f"images_replaced/{wrong}/rows/wrong.png"]
    harvest_by_steps()
    assert len(keys(aws, "images_labeled_by_folder/columns/")) == 5


def test_a_label_that_people_confirm_stays_and_is_not_asked_about_again(
    aws: LocalAws, reviews: ReviewProject, wrong: str
) -> None:
    answer(aws, wrong, "rows")
    wait_until_ended(reviews, wrong)
    harvest_by_steps()

    assert fates(aws) == ["recorded"]
    assert WRONG in keys(aws, "images_labeled_by_folder/")
    assert keys(aws, "images_replaced/") == []
    assert "as it is labelled" in ledger(aws)[0]["reason"]
    assert ask(doubtful_labels=5).startswith("sampled: people are asked about 1 training images")
    assert len(loops(reviews)) == 2, "the other one"


def test_an_image_that_shows_none_of_the_labels_leaves_the_training_and_is_kept(
    aws: LocalAws, reviews: ReviewProject, wrong: str
) -> None:
    answer(aws, wrong, None)
    wait_until_ended(reviews, wrong)
    harvest_by_steps()

    assert WRONG not in keys(aws, "images_labeled_by_folder/")
    assert len(keys(aws, "reviews/none_of_the_above/")) == 1
    assert len(keys(aws, "images_replaced/")) == 1


def test_a_harvest_that_was_killed_while_it_moved_the_image_goes_on(
    aws: LocalAws, reviews: ReviewProject, wrong: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    copied: list[HarvestedReview] = []

    def noting(store: S3Store, one: HarvestedReview) -> HarvestedReview:
        copied.append(one)
        return copy_image(store, one)

    monkeypatch.setattr(harvest_writer, "copy_image", noting)
    answer(aws, wrong, "columns")
    wait_until_ended(reviews, wrong)
    harvest_by_steps()

    again = copy_image(reviews.store, copied[0])

    assert again.review_outcome == "copied"
    assert len(keys(aws, "images_labeled_by_folder/columns/")) == 5


def test_an_image_that_was_replaced_meanwhile_is_left_alone(aws: LocalAws, reviews: ReviewProject, wrong: str) -> None:
    answer(aws, wrong, "columns")
    wait_until_ended(reviews, wrong)
    s3(aws).put_object(Bucket=BUCKET, Key=WRONG, Body=picture("rows", 501))

    harvest_by_steps()

    assert fates(aws) == ["replaced"]
    assert WRONG in keys(aws, "images_labeled_by_folder/")


def test_people_see_what_the_model_believes(aws: LocalAws, reviews: ReviewProject, now: datetime) -> None:
    put_images(aws, 4)
    s3(aws).put_object(Bucket=BUCKET, Key=WRONG, Body=picture("columns", 500))
    doubt(reviews, now, suspect(reviews, WRONG))
    reviews.store.call("put_object", "reviews/halt.json", Body=b"{}")
    ctx = new_run("sample_for_audit", params={"doubtful_labels": 3})
    audit_tasks.sample.function(ctx, ctx.read_settings(AuditSettings), Measured(None, ""))

    (asked,) = waiting(aws)

    assert (asked["label"], asked["confidence"], asked["purpose"]) == ("columns", 97.0, Purpose.LABEL)
    assert (asked["key"], asked["labels"]) == (WRONG, ["columns", "rows"])


def test_without_the_param_or_an_inspection_nobody_is_asked(
    aws: LocalAws, reviews: ReviewProject, now: datetime
) -> None:
    put_images(aws, 4)

    assert ask(doubtful_labels=3).startswith("nothing_to_sample")
    doubt(reviews, now, suspect(reviews, "images_labeled_by_folder/rows/0001.png"))
    assert ask().startswith("sampling_is_off")
    assert loops(reviews) == []


def test_an_image_is_asked_about_once_however_many_of_its_labels_are_doubtful() -> None:
    one = Suspect("a.png", "e", "x", "y", 0.1, 0.9)
    other, third = replace(one, label="z", probability=0.2), replace(one, key="b.png")

    assert first_suspects("digits", [one, other, third], set(), 5) == [one, third]
    assert first_suspects("digits", [one, other, third], set(), 1) == [one]


def test_boxes_are_corrected_by_a_newer_line(
    aws: LocalAws, airflow_db: None, now: datetime, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    Variables(monkeypatch, enable_automatic_human_sampling=False, enable_automatic_training=False)
    digits_of(ProjectTask.OBJECT_DETECTION, tmp_path, monkeypatch)
    reviews = set_up_review(aws, reviewers=(1,))
    scenes = SceneProject(aws, ProjectTask.OBJECT_DETECTION)
    scenes.put(range(6))
    with frozen_annotated(reviews.store, ProjectTask.OBJECT_DETECTION, now, publish=True) as (frozen, _):
        snapshot = frozen.header.snapshot
    key = scenes.key(0)
    record(reviews, snapshot.digest, [each.label for each in snapshot.labels], (suspect(reviews, key, "fernwood"),))
    ask(doubtful_labels=1)
    (asked,) = [line["request"] for line in lines(aws, "reviews/opened/")]
    assert asked["boxes"]
    assert asked["key"] == key
    (name,) = loops(reviews)
    box = {"label": asked["labels"][0], "left": 5, "top": 6, "width": 50, "height": 40}
    width, height = SMALL.size
    frame = {"inputImageProperties": {"width": width, "height": height}, "initialValueModified": True}
    submit(aws, name, {"boundingBoxes": [box], **frame})
    wait_until_ended(reviews, name)

    harvest_by_steps()

    (line,) = lines(aws, "annotations/reviewed/")
    read = KINDS[ProjectTask.OBJECT_DETECTION].parse(json.dumps(line))
    assert isinstance(read, Annotation)
    assert read.source_ref == f"s3://{BUCKET}/{key}"
    assert [(each.left, each.top) for each in read.boxes] == [(5, 6)]
    assert keys(aws, "images_reviewed/") == keys(aws, "images_replaced/") == []
