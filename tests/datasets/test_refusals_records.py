"""What Custom Labels refused of a training: read from its validation, and left out of all later snapshots."""

from __future__ import annotations

import json
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pytest

from custom_labels.core.project_task import ProjectTask
from custom_labels.datasets.annotated_snapshot_records import count_annotated, frozen_annotated
from custom_labels.datasets.images import LeftOut
from custom_labels.datasets.refusals import refusals_in_words
from custom_labels.datasets.refusals_records import read_refusals, remember_refusals
from custom_labels.datasets.snapshot_records import count_images
from custom_labels.s3.store import S3Store
from tests.kit.annotated_bucket import ONE, AnnotatedBucket
from tests.kit.fixtures import Bucket
from tests.kit.snapshots import write_snapshot

if TYPE_CHECKING:
    from include.local_aws.process import LocalAws

FOLDER = "images_labeled_by_folder/"
IMAGE, PERMISSIONS = "ERROR_INVALID_IMAGE", "ERROR_INVALID_PERMISSIONS_IMAGES_S3_BUCKET"


@pytest.fixture
def store(troubled_store: S3Store) -> S3Store:
    """A project on the embedded AWS, which makes trouble when asked."""
    return troubled_store


def fill(bucket: Bucket) -> None:
    bucket.put_many("cat", 6)
    bucket.put_many("dog", 6)


def uri(store: S3Store, name: str) -> str:
    return store.uri(f"{FOLDER}{name}")


def validation(
    store: S3Store, refused: dict[str, str], good: int = 20, *, errors: tuple[str, ...] = (), write: bool = True
) -> dict[str, Any]:
    """Write a training's validation as Custom Labels does; describe the version.

    :param refused: codes by the URI of the image; an empty one is a line that lost its image.
    """
    texts = [json.dumps({"source-ref": f"s3://b/{number}.png"}) for number in range(good)]
    for image, code in refused.items():
        line: dict[str, Any] = {"source-ref": image} if image else {}
        texts.append(json.dumps({**line, "errors": [{"code": code, "message": "?"}]}))
    statistics = {"total_json_lines": len(texts), "invalid_json_lines": len(refused)}
    summary = {
        "statistics": {"training": statistics, "testing": {}},
        "errors": [{"code": code, "message": "?"} for code in errors],
    }
    places = {name: {"Bucket": store.bucket, "Name": store.key(f"evaluation/{name}")} for name in ("summary", "lines")}
    if write:
        store.write_json("evaluation/summary", summary)
        store.call("put_object", "evaluation/lines", Body="\n".join([*texts, ""]).encode())
    assets = [{"GroundTruthManifest": {"S3Object": places["lines"]}}]
    return {
        "ManifestSummary": {"S3Object": places["summary"]},
        "TrainingDataResult": {"Validation": {"Assets": assets}},
    }


@pytest.mark.parametrize(
    ("refused", "good", "errors", "blamed"),
    [
        pytest.param({}, 5, (), [], id="none"),
        pytest.param({"s3://b/x.png": IMAGE}, 5, (), ["s3://b/x.png"], id="one"),
        pytest.param({"s3://b/x.png": "ERROR_INVALID_IMAGE_DIMENSION"}, 5, (), ["s3://b/x.png"], id="dimensions"),
        pytest.param({"s3://b/x.png": "ERROR_NO_VALID_LABEL_ATTRIBUTES"}, 5, (), [], id="not the image's fault"),
        pytest.param({"": "ERROR_INVALID_JSON_LINE"}, 5, (), [], id="no image is named"),
        pytest.param({"s3://b/x.png": IMAGE}, 0, (), [], id="all"),
        pytest.param({"s3://b/x.png": IMAGE}, 5, (PERMISSIONS,), [], id="the bucket's fault"),
    ],
)
def test_refused_images_are_counted_and_those_at_fault_are_reported(
    store: S3Store, refused: dict[str, str], good: int, errors: tuple[str, ...], blamed: list[str]
) -> None:
    found = read_refusals(store, validation(store, refused, good, errors=errors))

    assert (found.lines, found.refused) == (good + len(refused), len(refused))
    assert dict(found.codes) == dict.fromkeys(refused.values(), 1)
    assert found.blamed == blamed


@pytest.mark.parametrize("described", [{}, {"ManifestSummary": {"S3Object": {"Bucket": "trouble", "Name": "gone"}}}])
def test_nothing_is_known_without_a_validation(store: S3Store, described: dict[str, Any]) -> None:
    assert read_refusals(store, described).refused == 0


def test_refused_images_are_left_out_from_then_on(store: S3Store, bucket: Bucket, now: datetime) -> None:
    fill(bucket)
    frozen, _ = write_snapshot(store, now)
    described = validation(store, {uri(store, "cat/002.png"): IMAGE, uri(store, "dog/004.png"): IMAGE})

    for _ in range(2):  # a killed task is run again
        remember_refusals(store, frozen.digest, read_refusals(store, described).blamed)
        counted = count_images(store, now, trained=frozen.digest)
        again, report = write_snapshot(store, now, trained=frozen.digest)

        assert (counted.images, counted.untrained, counted.digest) == (10, 0, again.digest)
        assert report.left_out == counted.left_out == ((LeftOut.REFUSED.value, 2),)
        assert report.examples[LeftOut.REFUSED.value] == (f"{FOLDER}cat/002.png", f"{FOLDER}dog/004.png")
        assert report.read == 0


def test_an_image_that_was_refused_is_tried_anew_when_it_is_replaced(
    store: S3Store, bucket: Bucket, now: datetime
) -> None:
    fill(bucket)
    frozen, _ = write_snapshot(store, now)
    remember_refusals(store, frozen.digest, [uri(store, "cat/002.png")])

    bucket.put("cat/002.png")

    assert count_images(store, now).images == write_snapshot(store, now)[0].images == 12


def test_a_copy_of_a_refused_image_is_refused_with_it(store: S3Store, bucket: Bucket, now: datetime) -> None:
    fill(bucket)
    bucket.put("cat/copy.png", bucket.put("cat/002.png"))
    frozen, _ = write_snapshot(store, now)

    remember_refusals(store, frozen.digest, [uri(store, "cat/002.png")])

    again, report = write_snapshot(store, now)
    assert (again.images, report.left_out) == (11, ((LeftOut.REFUSED.value, 2),))
    assert count_images(store, now).digest == again.digest


@pytest.mark.parametrize(
    ("code", "reason"), [("AccessDenied", LeftOut.DENIED), ("InvalidObjectState", LeftOut.ARCHIVED)]
)
def test_an_image_that_cannot_be_read_now_is_not_at_fault(
    aws: LocalAws, store: S3Store, bucket: Bucket, now: datetime, code: str, reason: LeftOut
) -> None:
    fill(bucket)
    frozen, _ = write_snapshot(store, now)
    aws.control.denied({"bucket": "trouble", "operation": "s3.GetObject", "key": "*/cat/002.png", "code": code})

    remember_refusals(store, frozen.digest, [uri(store, "cat/002.png")])

    assert write_snapshot(store, now)[1].left_out == ((reason.value, 1),)
    aws.control.denied()
    assert write_snapshot(store, now)[0].images == 12


def test_a_refused_image_is_found_in_whichever_folder_of_its_label(
    store: S3Store, bucket: Bucket, now: datetime
) -> None:
    fill(bucket)
    for folder in ("caf\u00e9", "cafe\u0301"):
        bucket.put_many(folder, 3)
    frozen, _ = write_snapshot(store, now)

    remember_refusals(store, frozen.digest, [uri(store, f"{folder}/001.png") for folder in ("caf\u00e9", "cafe\u0301")])

    again, report = write_snapshot(store, now)
    assert (again.images, report.left_out) == (16, ((LeftOut.REFUSED.value, 2),))
    assert count_images(store, now).digest == again.digest


def test_refused_images_are_counted_though_the_file_that_names_them_is_gone(store: S3Store) -> None:
    described = validation(store, {"s3://b/x.png": IMAGE}, 4)
    store.call("delete_object", "evaluation/lines")

    found = read_refusals(store, described)

    assert (found.lines, found.refused, found.blamed) == (5, 1, [])
    assert refusals_in_words(found.to_record()) == "1 of 5 images: no name is known"


def test_a_refused_image_with_boxes_is_left_out_from_then_on(store: S3Store, now: datetime) -> None:
    AnnotatedBucket(store).annotated("a", {f"images/{number}.png": ONE for number in range(5)})
    with frozen_annotated(store, ProjectTask.OBJECT_DETECTION, now, publish=True) as (frozen, _):
        digest = frozen.header.snapshot.digest

    remember_refusals(store, digest, [store.uri("images/3.png")])

    found = count_annotated(store, ProjectTask.OBJECT_DETECTION, now, trained=digest)
    assert (found.images, found.untrained) == (4, 0)
    assert dict(found.left_out) == {LeftOut.REFUSED.value: 1}
