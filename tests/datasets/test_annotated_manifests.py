"""Manifests of annotated images at the embedded AWS, which checks their lines as Custom Labels does."""

from __future__ import annotations

import time
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pytest

from custom_labels.core.project_task import ProjectTask
from custom_labels.datasets.annotated_snapshot_records import count_annotated, frozen_annotated
from custom_labels.datasets.images import LeftOut
from custom_labels.datasets.manifest import ManifestFile
from custom_labels.datasets.manifest_records import build_manifests
from custom_labels.datasets.refusals_records import remember_refusals
from custom_labels.s3.store import S3Store
from tests.kit.annotated_bucket import AnnotatedBucket, Boxes
from tests.kit.support import rekognition

if TYPE_CHECKING:
    from include.local_aws.process import LocalAws

STRANGE = ["<script>alert(1)</script>", "{{ label }}", "../..", "日本 😀", "x" * 255]


def dataset_of(aws: LocalAws, project: str, kind: Any, store: S3Store, manifest: ManifestFile) -> tuple[Any, Any]:
    """Make a dataset of a manifest; give its statistics, and the number of entries and boxes of each label."""
    source = {"GroundTruthManifest": {"S3Object": {"Bucket": store.bucket, "Name": manifest.key}}}
    asked = rekognition(aws)
    arn = asked.create_dataset(ProjectArn=project, DatasetType=kind, DatasetSource=source)["DatasetArn"]  # type: ignore[arg-type]
    while (described := asked.describe_dataset(DatasetArn=arn)["DatasetDescription"])["Status"] == "CREATE_IN_PROGRESS":
        time.sleep(0.05)
    assert described["Status"] == "CREATE_COMPLETE", described
    labels = asked.list_dataset_labels(DatasetArn=arn, MaxResults=100)["DatasetLabelDescriptions"]
    return described["DatasetStats"], {each["LabelName"]: each["LabelStats"] for each in labels}


@pytest.mark.parametrize("task", [ProjectTask.OBJECT_DETECTION, ProjectTask.MULTI_LABEL_CLASSIFICATION])
def test_every_line_is_taken_without_an_error(
    aws: LocalAws, aws_store: S3Store, now: datetime, task: ProjectTask
) -> None:
    annotated = AnnotatedBucket(aws_store)
    keys = [f"images/{number:02} é+%.png" for number in range(20)]
    annotated.put_many(*keys)
    several: Boxes = [(label, 2 * number, 3.5, 20.25, 40) for number, label in enumerate(STRANGE)]
    if task is ProjectTask.OBJECT_DETECTION:
        annotated.write("a", [annotated.boxes(key, [*several, several[0]]) for key in keys])
    else:
        annotated.write("a", [annotated.labels(key, *STRANGE) for key in keys])

    with frozen_annotated(aws_store, task, now, publish=True, test_share=0.3) as (frozen, _):
        pair = build_manifests(aws_store, frozen)

    project = rekognition(aws).create_project(ProjectName="several")["ProjectArn"]
    for kind, file, images in (
        ("TRAIN", pair.train, frozen.header.snapshot.train_images),
        ("TEST", pair.test, frozen.header.snapshot.test_images),
    ):
        stats, labels = dataset_of(aws, project, kind, aws_store, file)
        assert (stats["TotalEntries"], stats["LabeledEntries"], stats["ErrorEntries"]) == (images, images, 0)
        assert {label: each["EntryCount"] for label, each in labels.items()} == dict.fromkeys(STRANGE, images)
        if task is ProjectTask.OBJECT_DETECTION:
            assert labels[STRANGE[0]]["BoundingBoxCount"] == 2 * images
            assert labels[STRANGE[1]]["BoundingBoxCount"] == images


def test_a_second_try_writes_the_same_and_nothing_else(annotated_store: S3Store, now: datetime) -> None:
    contents = []
    for _ in range(2):
        with frozen_annotated(annotated_store, ProjectTask.OBJECT_DETECTION, now, publish=True) as (frozen, _report):
            build_manifests(annotated_store, frozen)
        listed = annotated_store.call("list_objects_v2")["Contents"]
        contents.append({entry["Key"]: (entry["ETag"], entry["LastModified"]) for entry in listed})

    assert contents[0] == contents[1]


@pytest.mark.parametrize("missing", ["images.sqlite", "snapshot.json"])
def test_a_try_that_was_killed_between_its_writes_is_finished(
    annotated_store: S3Store, now: datetime, missing: str
) -> None:
    """The images are written before the header that names them; without a header they are written again."""
    with frozen_annotated(annotated_store, ProjectTask.OBJECT_DETECTION, now, publish=True) as (frozen, _):
        first = frozen.header
    if missing == "images.sqlite":  # killed before both
        annotated_store.call("delete_object", f"snapshots/{first.snapshot.digest}/snapshot.json")
    annotated_store.call("delete_object", f"snapshots/{first.snapshot.digest}/{missing}")

    with frozen_annotated(annotated_store, ProjectTask.OBJECT_DETECTION, now, publish=True) as (frozen, _):
        assert frozen.header == first
        assert build_manifests(annotated_store, frozen).train.images
    assert count_annotated(annotated_store, ProjectTask.OBJECT_DETECTION, now, first.snapshot.digest).untrained == 0


def test_an_image_that_custom_labels_refused_is_left_out_of_later_snapshots(
    annotated_store: S3Store, now: datetime
) -> None:
    with frozen_annotated(annotated_store, ProjectTask.OBJECT_DETECTION, now, publish=True) as (frozen, _):
        digest = frozen.header.snapshot.digest
    remember_refusals(annotated_store, digest, [annotated_store.uri("images/2.png"), "s3://elsewhere/images/1.png"])

    found = count_annotated(annotated_store, ProjectTask.OBJECT_DETECTION, now)

    assert (found.images, dict(found.left_out)) == (4, {LeftOut.REFUSED: 1})


@pytest.fixture
def annotated_store(store: S3Store) -> S3Store:
    """A project with five images with boxes."""
    boxes: Boxes = [("Echo", 10, 20, 30, 40), ("Dot", 50, 20, 30, 40)]
    AnnotatedBucket(store).annotated("a", {f"images/{number}.png": boxes for number in range(5)})
    return store
