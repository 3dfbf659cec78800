"""Snapshots of annotated images: what is counted, what is untrained, how they are split, and their manifests."""

from __future__ import annotations

import json
import tempfile
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from custom_labels.core.project_task import ProjectTask
from custom_labels.datasets import annotated_table
from custom_labels.datasets.annotated_snapshot_records import count_annotated, frozen_annotated
from custom_labels.datasets.annotations.annotation import Code
from custom_labels.datasets.images import CheckReport, LeftOut
from custom_labels.datasets.manifest_records import build_manifests
from custom_labels.datasets.snapshot import ImageSnapshot, LabelChange, SnapshotChanges
from custom_labels.datasets.snapshot_records import changes, fetch_snapshot
from custom_labels.datasets.split import Subset
from custom_labels.errors import NotTrainable
from custom_labels.s3.store import S3Store
from tests.kit.annotated_bucket import AnnotatedBucket, Boxes
from tests.kit.annotation_lines import native_line
from tests.kit.fixtures import Bucket
from tests.kit.pictures import encoded, picture, png
from tests.kit.snapshots import write_snapshot

BOXES, LABELS = ProjectTask.OBJECT_DETECTION, ProjectTask.MULTI_LABEL_CLASSIFICATION
ECHO: Boxes = [("Echo", 10, 20, 30, 40)]
BOTH: Boxes = [("Echo", 10, 20, 30, 40), ("Dot", 50, 20, 30, 40), ("Dot", 5, 5, 9, 9)]


@pytest.fixture
def annotated(store: S3Store) -> AnnotatedBucket:
    return AnnotatedBucket(store)


def freeze(
    store: S3Store, as_of: datetime, trained: str | None = None, task: ProjectTask = BOXES, **how: Any
) -> tuple[ImageSnapshot, CheckReport]:
    with frozen_annotated(store, task, as_of, trained, publish=True, **how) as (frozen, report):
        return frozen.header.snapshot, report


def counts(snapshot: ImageSnapshot) -> dict[str, tuple[int, int]]:
    return {count.label: (count.images, count.untrained) for count in snapshot.labels}


def manifest_lines(store: S3Store, digest: str) -> dict[Subset, list[dict[str, Any]]]:
    with tempfile.TemporaryDirectory() as folder:
        pair = build_manifests(store, fetch_snapshot(store, digest, Path(folder)))
    found = {}
    for side, file in ((Subset.TRAIN, pair.train), (Subset.TEST, pair.test)):
        body, _ = store.read_bytes(file.key.removeprefix(store.prefix))
        found[side] = [json.loads(line) for line in body.decode().splitlines()]
        by_label: dict[str, int] = {}
        for line in found[side]:
            for label in labels_of(line):
                by_label[label] = by_label.get(label, 0) + 1
        assert {label: count for label, count in file.images.items() if count} == by_label
    return found


def labels_of(line: dict[str, Any]) -> set[str]:
    metadata = [value for name, value in line.items() if name.endswith("-metadata")]
    return {label for each in metadata for label in each.get("class-map", {"": each.get("class-name")}).values()}


def test_an_empty_bucket_has_nothing_to_train(store: S3Store, now: datetime) -> None:
    assert count_annotated(store, BOXES, now).images == 0
    with pytest.raises(NotTrainable, match="Too few labels to train: 0"):
        freeze(store, now)


def test_images_are_counted_once_and_by_each_of_their_labels(annotated: AnnotatedBucket, now: datetime) -> None:
    annotated.annotated("a", {"images/1.png": BOTH, "images/2.png": BOTH, "images/3.png": ECHO})

    found = count_annotated(annotated.store, BOXES, now)

    assert (found.images, found.untrained, counts(found)) == (3, 3, {"Echo": (3, 3), "Dot": (2, 2)})


def test_images_and_annotations_without_each_other_are_counted(annotated: AnnotatedBucket, now: datetime) -> None:
    annotated.annotated("a", {f"images/{number}.png": BOTH for number in range(4)})
    annotated.put_many("images/alone.png", "elsewhere/alone.png")
    annotated.store.call("put_object", "images/notes.txt", Body=b"x")
    lines = [annotated.boxes(f"images/gone {number}.png") for number in range(25)]
    annotated.write("b", [*lines, annotated.boxes("images/3.png", [], created="2026-03-01T00:00:00")])

    snapshot, report = freeze(annotated.store, now)

    assert dict(snapshot.left_out) == {
        LeftOut.UNANNOTATED: 1,
        LeftOut.NO_IMAGE: 25,
        LeftOut.OTHER_FILE: 1,
        LeftOut.NOTHING_THERE: 1,
    }
    assert report.examples[LeftOut.UNANNOTATED] == ("images/alone.png",)
    assert len(report.examples[LeftOut.NO_IMAGE]) == 20
    assert (report.images, report.read, snapshot.images) == (5, 3, 3)
    assert any(
        line.startswith(f"25 times {Code.INVALID_IMAGE}: annotations/b.manifest line 1: there is no image")
        for line in report.lines()
    )
    assert any("1 images have other labels in another file" in line for line in report.lines())


def test_nothing_is_untrained_right_after_training(annotated: AnnotatedBucket, now: datetime) -> None:
    annotated.annotated("a", {f"images/{number}.png": BOTH for number in range(5)})
    frozen, _ = freeze(annotated.store, now)

    found = count_annotated(annotated.store, BOXES, now, trained=frozen.digest)

    assert (found.digest, found.images, found.untrained) == (frozen.digest, 5, 0)
    assert freeze(annotated.store, now)[1].read == 0


@pytest.mark.parametrize(
    ("boxes", "how", "untrained"),
    [
        pytest.param([("Echo", 11, 20, 30, 40)], {}, 1, id="a box is moved"),
        pytest.param([("Dot", 10, 20, 30, 40)], {}, 1, id="a box has another label"),
        pytest.param([*ECHO, *ECHO], {}, 1, id="a box is added"),
        pytest.param(ECHO, {"created": "2026-09-09T09:09:09", "name": "another"}, 0, id="the same is written anew"),
    ],
)
def test_an_annotation_that_changed_is_new_data(
    annotated: AnnotatedBucket, now: datetime, boxes: Boxes, how: dict[str, Any], untrained: int
) -> None:
    annotated.annotated("a", {f"images/{number}.png": BOTH if number else ECHO for number in range(5)})
    frozen, _ = freeze(annotated.store, now)
    with tempfile.TemporaryDirectory() as folder:
        before = fetch_snapshot(annotated.store, frozen.digest, Path(folder))
        annotated.write("b", [annotated.boxes("images/0.png", boxes, **how)])

        found = count_annotated(annotated.store, BOXES, now, trained=frozen.digest)
        assert (found.untrained, found.digest != frozen.digest) == (untrained, bool(untrained))
        assert freeze(annotated.store, now, frozen.digest)[0].digest == found.digest
        with frozen_annotated(annotated.store, BOXES, now, frozen.digest, publish=False) as (after, _):
            changed = changes(after, before)
            assert changed.whole == LabelChange("", changed=untrained)
        if boxes == [("Dot", 10, 20, 30, 40)]:
            assert changed.labels == (LabelChange("Dot", new=1), LabelChange("Echo", removed=1))
        else:
            assert changed.labels == (LabelChange("Dot"), LabelChange("Echo", changed=untrained))


def test_a_replaced_image_is_untrained(annotated: AnnotatedBucket, now: datetime) -> None:
    annotated.annotated("a", {f"images/{number}.png": BOTH for number in range(5)})
    frozen, _ = freeze(annotated.store, now)
    annotated.put("images/3.png")

    assert counts(count_annotated(annotated.store, BOXES, now, trained=frozen.digest)) == {
        "Echo": (5, 1),
        "Dot": (5, 1),
    }


def test_the_manifests_have_the_lines_of_the_guide_and_every_image_on_one_side(
    annotated: AnnotatedBucket, now: datetime
) -> None:
    annotated.annotated("a", {f"images/{number:02} é.png": BOTH for number in range(30)})
    frozen, _ = freeze(annotated.store, now, test_share=0.3)

    lines = manifest_lines(annotated.store, frozen.digest)

    sources = {side: {line["source-ref"] for line in each} for side, each in lines.items()}
    assert not sources[Subset.TRAIN] & sources[Subset.TEST]
    assert len(sources[Subset.TRAIN]) == frozen.train_images
    assert len(sources[Subset.TEST]) == frozen.test_images
    assert frozen.train_images + frozen.test_images == 30
    assert lines[Subset.TRAIN][0] == {
        "source-ref": min(sources[Subset.TRAIN]),
        "bounding-box": {
            "image_size": [{"width": 128, "height": 96, "depth": 3}],
            "annotations": [
                {"class_id": 1, "top": 20, "left": 10, "width": 30, "height": 40},
                {"class_id": 0, "top": 20, "left": 50, "width": 30, "height": 40},
                {"class_id": 0, "top": 5, "left": 5, "width": 9, "height": 9},
            ],
        },
        "bounding-box-metadata": {
            "objects": [{"confidence": 0.9}] * 3,
            "class-map": {"0": "Dot", "1": "Echo"},
            "type": "groundtruth/object-detection",
            "human-annotated": "yes",
            "creation-date": "2026-01-31T12:00:00",
            "job-name": "labeling-job/a-job",
        },
    }


def test_the_same_data_in_other_lines_has_the_manifests_that_were_kept(
    annotated: AnnotatedBucket, now: datetime
) -> None:
    annotated.annotated("a", {f"images/{number}.png": BOTH for number in range(5)})
    first = manifest_lines(annotated.store, freeze(annotated.store, now)[0].digest)
    annotated.write("b", [annotated.boxes("images/1.png", BOTH, created="2026-05-05T00:00:00")])

    with frozen_annotated(annotated.store, BOXES, now, publish=True) as (frozen, _):
        build_manifests(annotated.store, frozen)

    assert manifest_lines(annotated.store, frozen.header.snapshot.digest) == first


def test_an_image_stays_on_its_side_when_its_annotation_and_its_key_change(
    annotated: AnnotatedBucket, now: datetime
) -> None:
    bodies = {number: annotated.put(f"images/{number}.png") for number in range(20)}
    annotated.write("a", [annotated.boxes(f"images/{number}.png", BOTH) for number in bodies])
    first = manifest_lines(annotated.store, (frozen := freeze(annotated.store, now)[0]).digest)
    for number, body in bodies.items():
        annotated.store.call("delete_object", f"images/{number}.png")
        annotated.put(f"moved/{number}.png", body)
    annotated.write("a", [annotated.boxes(f"moved/{number}.png", [*BOTH, *ECHO]) for number in bodies])

    second = manifest_lines(annotated.store, freeze(annotated.store, now, frozen.digest)[0].digest)

    for side in Subset:
        names = [{line["source-ref"].rpartition("/")[2] for line in lines[side]} for lines in (first, second)]
        assert names[0] == names[1]


def test_copies_that_agree_count_once_and_those_that_do_not_are_left_out(
    annotated: AnnotatedBucket, now: datetime
) -> None:
    annotated.annotated("a", {f"images/{number}.png": BOTH for number in range(3)})
    agreeing, not_agreeing = png(100, (128, 96)), png(101, (128, 96))
    for name, body in (("b1", agreeing), ("b2", agreeing), ("c1", not_agreeing), ("c2", not_agreeing)):
        annotated.put(f"images/{name}.png", body)
    lines = [annotated.boxes(f"images/{name}.png", BOTH) for name in ("b1", "b2", "c1")]
    annotated.write("b", [*lines, annotated.boxes("images/c2.png", ECHO)])

    snapshot, report = freeze(annotated.store, now)

    assert snapshot.images == 4
    assert report.examples[LeftOut.DUPLICATE] == ("images/b2.png",)
    assert report.examples[LeftOut.CONFLICT] == ("images/c1.png", "images/c2.png")
    assert count_annotated(annotated.store, BOXES, now).digest == snapshot.digest


def turned(orientation: int) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = orientation
    return encoded(picture(orientation, (128, 96)), "JPEG", exif=exif)


def test_a_size_that_lies_leaves_the_image_out_and_one_that_is_turned_is_warned_of(
    annotated: AnnotatedBucket, now: datetime
) -> None:
    annotated.annotated("a", {f"images/{number}.png": BOTH for number in range(3)})
    annotated.put("images/lies.png")
    for orientation in (3, 6, 8):
        annotated.put(f"images/turned by {orientation}.jpg", turned(orientation))
    annotated.write(
        "b",
        [
            annotated.boxes("images/lies.png", BOTH, (127, 96)),
            annotated.boxes("images/turned by 3.jpg", BOTH),
            annotated.boxes("images/turned by 6.jpg", BOTH, (96, 128)),
            annotated.boxes("images/turned by 8.jpg", BOTH),
        ],
    )

    snapshot, report = freeze(annotated.store, now)

    assert (snapshot.images, dict(snapshot.left_out)) == (5, {LeftOut.IMAGE_SIZE: 2})
    assert report.examples[LeftOut.IMAGE_SIZE] == ("images/lies.png", "images/turned by 8.jpg")
    words = "\n".join(report.lines())
    assert "'image_size' is 127 x 96, and the image 'images/lies.png' is 128 x 96" in words
    assert "2 images are turned by their Exif data" in words
    assert count_annotated(annotated.store, BOXES, now).digest == snapshot.digest
    annotated.write("c", [annotated.boxes("images/lies.png", BOTH, created="2026-03-01T00:00:00")])
    assert freeze(annotated.store, now)[0].images == 6


def test_a_bad_image_is_left_out_with_its_annotation(annotated: AnnotatedBucket, now: datetime) -> None:
    annotated.annotated("a", {f"images/{number}.png": BOTH for number in range(3)})
    annotated.put("images/3.png", b"no picture")
    annotated.write("b", [annotated.boxes("images/3.png")])

    snapshot, _ = freeze(annotated.store, now)

    assert (snapshot.images, dict(snapshot.left_out)) == (3, {LeftOut.FORMAT: 1})
    assert all(
        "3.png" not in line["source-ref"]
        for each in manifest_lines(annotated.store, snapshot.digest).values()
        for line in each
    )


def test_a_label_on_one_image_is_taken_out_and_the_image_stays_for_its_others(
    annotated: AnnotatedBucket, now: datetime
) -> None:
    rare: Boxes = [("Rare", 1, 1, 9, 9)]
    annotated.annotated("a", {"1.png": ECHO, "2.png": ECHO, "3.png": [*ECHO, *rare], "4.png": [("Alone", 1, 1, 9, 9)]})

    snapshot, report = freeze(annotated.store, now)

    assert (counts(snapshot), report.labels_left_out) == ({"Echo": (3, 3)}, ("Alone", "Rare"))
    assert dict(snapshot.left_out) == {LeftOut.FEW_IMAGES: 1}
    lines = [line for each in manifest_lines(annotated.store, snapshot.digest).values() for line in each]
    assert [len(line["bounding-box"]["annotations"]) for line in lines] == [1, 1, 1]
    assert count_annotated(annotated.store, BOXES, now, snapshot.digest).untrained == 0


def test_several_labels_need_two_and_boxes_one(annotated: AnnotatedBucket, now: datetime) -> None:
    annotated.put_many("1.png", "2.png")
    annotated.write("a", [annotated.labels("1.png", "ball"), annotated.labels("2.png", "ball")])
    with pytest.raises(NotTrainable, match=r"1 \('ball'\) in the annotations below 'annotations/' .* 2 such labels"):
        freeze(annotated.store, now, task=LABELS)
    annotated.write("a", [annotated.boxes("1.png"), annotated.boxes("2.png")])
    assert freeze(annotated.store, now)[0].images == 2


def test_several_labels_come_from_lines_and_from_folders(
    annotated: AnnotatedBucket, bucket: Bucket, now: datetime
) -> None:
    bucket.put_many("ball", 3)
    bucket.put("bat /deep/1.png")
    bucket.put("stray.png")
    annotated.put_many("images/1.png", "images/2.png")
    annotated.write(
        "a",
        [
            annotated.labels("images/1.png", "ball", "bat"),
            native_line(annotated.store.uri("images/2.png"), {"bat": 1, "net": 0.5}),
            annotated.labels("images_labeled_by_folder/ball/001.png", "net"),
        ],
    )

    snapshot, _ = freeze(annotated.store, now, task=LABELS)

    assert counts(snapshot) == {"ball": (3, 3), "bat": (3, 3), "net": (2, 2)}
    assert (snapshot.images, dict(snapshot.left_out)) == (6, {LeftOut.UNANNOTATED: 1})
    lines = [line for each in manifest_lines(annotated.store, snapshot.digest).values() for line in each]
    two = next(line for line in lines if line["source-ref"].endswith("images/2.png"))
    assert {two[f"label{number}-metadata"]["class-name"]: two[f"label{number}"] for number in (0, 1)} == {
        "bat": 0,
        "net": 1,
    }
    assert count_annotated(annotated.store, LABELS, now, snapshot.digest).untrained == 0
    later = now.replace(year=now.year + 1)
    assert count_annotated(annotated.store, LABELS, later, snapshot.digest).digest == snapshot.digest


def test_a_project_whose_task_changed_has_only_untrained_images(
    annotated: AnnotatedBucket, bucket: Bucket, now: datetime
) -> None:
    bucket.put_many("ball", 3)
    bucket.put_many("bat", 3)
    by_folder, _ = write_snapshot(annotated.store, now)

    found = count_annotated(annotated.store, LABELS, now, by_folder.digest)

    assert (found.images, found.untrained) == (6, 6)
    snapshot, _ = freeze(annotated.store, now, by_folder.digest, LABELS)
    with tempfile.TemporaryDirectory() as folder:
        then, after = (
            fetch_snapshot(annotated.store, each, Path(folder)) for each in (by_folder.digest, snapshot.digest)
        )
        assert changes(after, then) == SnapshotChanges((LabelChange("ball"), LabelChange("bat")), LabelChange(""))


def test_no_label_has_more_test_images_than_custom_labels_takes(
    annotated: AnnotatedBucket, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(annotated_table, "MAXIMUM_TEST_IMAGES", 3)
    annotated.annotated(
        "a", {f"{number:02}.png": BOTH if number % 5 else [*BOTH, ("Rare", 1, 1, 9, 9)] for number in range(20)}
    )

    snapshot, _ = freeze(annotated.store, now, test_share=0.6)

    tests = {count.label: count.test for count in snapshot.labels}
    assert tests["Echo"] == tests["Dot"] == 3
    assert tests["Rare"] > 0
    lines = manifest_lines(annotated.store, snapshot.digest)
    assert len(lines[Subset.TEST]) == snapshot.test_images == 3
    unused = dict(snapshot.left_out)[LeftOut.TEST_LIMIT]
    assert snapshot.train_images + snapshot.test_images + unused == 20
