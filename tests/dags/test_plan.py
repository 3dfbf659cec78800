"""Dry runs of the train DAG: they say what would happen and change nothing."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from tests.faults.bucket import put
from tests.kit.backfills import day, images_of_days
from tests.kit.dag_runs import Run, Variables, record, train
from tests.kit.support import BUCKET, effects, make_bucket_elsewhere, picture, put_images, s3
from tests.kit.train_steps import train_by_steps

if TYPE_CHECKING:
    from include.local_aws.process import LocalAws

DRY = {"dry_run": True}
CHANGING = ("Create", "Update", "Delete", "Put", "Start", "Stop", "Copy", "Publish", "Upload", "Complete", "Tag")


def objects(aws: LocalAws) -> dict[str, Any]:
    """Give everything in the bucket: ETag and time by key."""
    listed = s3(aws).list_objects_v2(Bucket=BUCKET).get("Contents", [])
    return {entry["Key"]: (entry["ETag"], entry["LastModified"]) for entry in listed}


def dry_run(aws: LocalAws, make: Callable[[dict[str, Any]], Run] = train_by_steps) -> Run:
    """Make a dry run, and see to it that it changed nothing anywhere."""
    before = objects(aws)
    aws.control.clear_calls()

    run = make(DRY)

    changed = [name for name in aws.control.calls() if name.partition(".")[2].startswith(CHANGING)]
    assert changed == []
    assert objects(aws) == before
    return run


def plan_of(run: Run) -> str:
    """Give the plan that a dry run left, as people read it."""
    return str(run.xcoms["decide_training"]["plan"])


def test_a_dry_run_says_what_a_training_would_do_and_changes_nothing(digits: LocalAws, variables: Variables) -> None:
    put_images(digits, 12)
    s3(digits).put_object(Bucket=BUCKET, Key="images_labeled_by_folder/rows/broken.png", Body=b"no image")
    variables.set(enable_automatic_training="false")

    run = dry_run(digits, train)

    plan = plan_of(run)
    assert (run.state, run.ends) == ("success", {"planned"})
    assert "# Plan: train" in plan
    assert "Because: 24 untrained images of 24; 1 left out: neither PNG nor JPEG by content." in plan
    assert "| columns | 12 | 12 | 0 | 0 |" in plan
    assert re.search(r"\| rows \| 12 \| 12 \| 0 \| 0 \| \d+ \| \d+ \| 1 \|", plan)
    assert "F1 of all labels together: at least 0.5" in plan
    assert "an assumption" in plan
    assert "Plan of a training: train: 24 untrained images of 24" in str(run.note)
    assert len(str(run.note)) <= 1000


@pytest.mark.slow
def test_after_a_training_a_dry_run_compares_with_it(digits: LocalAws) -> None:
    put_images(digits, 10)
    trained = train_by_steps()
    put_images(digits, 1)  # one image a label, replaced by itself
    put_images(digits, 5, start=10)
    s3(digits).delete_object(Bucket=BUCKET, Key="images_labeled_by_folder/rows/0004.png")

    run = dry_run(digits)

    assert "# Plan: train" in trained.xcoms["prepare_images"]["plan"]
    assert "| columns | 15 | 5 | 0 | 0 |" in plan_of(run)
    assert "| rows | 14 | 5 | 0 | 1 |" in plan_of(run)
    assert "from 1 past training" in plan_of(run)
    assert record(digits, "last_run/digits_train")["outcome"] == "deployed"


def test_a_dry_run_says_what_cannot_be_trained(digits: LocalAws) -> None:
    put_images(digits, 20, labels=["rows"])

    run = dry_run(digits)

    assert (run.state, run.ends) == ("success", {"planned"})
    assert "Impossible: Too few labels to train: 1 ('rows')".lower() in str(run.note).lower()


GATE = '[{"metric": "recall", "label": "row", "at_least": 0.9}]'
GATE_WORDS = "A gate names labels that no usable image has, so that no version could pass it: 'row' (is 'rows' meant?)."


def test_a_gate_on_a_label_that_does_not_exist_stops_before_anything_is_paid(
    digits: LocalAws, variables: Variables
) -> None:
    put_images(digits, 10)
    variables.set(gates=GATE)

    planned, run = dry_run(digits), train_by_steps()

    assert f"impossible: {GATE_WORDS}" in str(planned.note)
    assert (run.state, run.failed) == ("failed", {"prepare_images"})
    assert f"{GATE_WORDS} Correct the Variable 'digits__gates'" in str(run.note)
    assert effects(digits, "CreateProjectVersion") == 0


def test_a_failing_dry_run_leaves_no_record_either(digits: LocalAws) -> None:
    put_images(digits, 10)
    digits.control.denied({"bucket": BUCKET, "operation": "s3.ListObjectsV2"})

    run = train(DRY)

    digits.control.denied()
    assert (run.state, run.failed) == ("failed", {"decide_training"})
    assert record(digits, "last_run/digits_train") is None


def test_a_dry_run_of_a_backfill_sees_its_interval(digits: LocalAws) -> None:
    images_of_days(digits, [5, 5])

    run = dry_run(digits, partial(train_by_steps, interval=(day(0), day(1))))

    assert "10 images at the end of the interval; 10 left out: newer than the run" in plan_of(run)
    assert "at least 0.5" not in plan_of(run)


def test_nothing_is_paid_when_the_bucket_is_in_another_region(digits: LocalAws) -> None:
    make_bucket_elsewhere(digits)
    for number in range(12):
        for label in ("columns", "rows"):
            put(digits, f"{label}/{number}.png", picture(label, number))

    plan = plan_of(dry_run(digits))
    run = train_by_steps()

    assert "# Plan: impossible" in plan
    assert "is in eu-west-1, and Custom Labels is called in us-east-1" in plan
    assert run.failed == {"prepare_images"}
    assert "or name a bucket in us-east-1" in str(run.note)
    assert effects(digits, "CreateProject") == 0


def test_a_dry_run_warns_of_names_that_a_person_confuses(digits: LocalAws) -> None:
    names = ("caf\u00e9", "cafe\u0301", "Rows", "rows", "None of the above")
    s3(digits).create_bucket(Bucket=BUCKET)
    for seed, name in enumerate(names):
        for number in range(4):
            put(digits, f"{name}/{number}.png", picture("rows", 10 * seed + number))

    plan = plan_of(dry_run(digits))

    for label, images in (("None of the above", 4), ("Rows", 4), ("caf\u00e9", 8), ("rows", 4)):
        assert f"| {label} | {images} |" in plan
    assert "they are trained as one label" in plan
    assert "'Rows', 'rows' look alike" in plan
    assert "'None of the above' is named like the answer" in plan
