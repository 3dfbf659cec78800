"""Images that S3 does not give: each is its own trouble, and all of them together are the run's."""

from __future__ import annotations

import logging
from datetime import datetime
from typing import TYPE_CHECKING

import pytest

from custom_labels.datasets.images import LeftOut
from custom_labels.datasets.snapshot_records import count_images
from custom_labels.errors import NotTrainable
from custom_labels.s3.errors import archive_of
from custom_labels.s3.store import S3Store, StorageError
from tests.kit.fixtures import Bucket
from tests.kit.snapshots import write_snapshot

if TYPE_CHECKING:
    from mypy_boto3_s3.type_defs import CopySourceTypeDef

    from include.local_aws.process import LocalAws

FOLDER = "p/images_labeled_by_folder/"


@pytest.fixture
def store(troubled_store: S3Store) -> S3Store:
    """A project on the embedded AWS, which makes trouble when asked."""
    return troubled_store


def fill(bucket: Bucket) -> None:
    bucket.put_many("cat", 12)
    bucket.put_many("dog", 12)


def restore(store: S3Store, relative: str) -> None:
    store.client.restore_object(Bucket=store.bucket, Key=f"{FOLDER}{relative}", RestoreRequest={"Days": 7})


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("InvalidObjectState", LeftOut.ARCHIVED),
        ("AccessDenied", LeftOut.DENIED),
        ("KMS.DisabledException", LeftOut.DENIED),
        ("KMS.KMSInvalidStateException", LeftOut.DENIED),
        ("InvalidRequest", LeftOut.CUSTOMER_KEY),
        ("NoSuchKey", LeftOut.VANISHED),
        ("PreconditionFailed", LeftOut.REPLACED),
    ],
)
def test_one_refused_image_is_left_out_and_the_others_are_trained_on(
    aws: LocalAws,
    store: S3Store,
    bucket: Bucket,
    now: datetime,
    caplog: pytest.LogCaptureFixture,
    code: str,
    reason: LeftOut,
) -> None:
    fill(bucket)
    aws.control.denied({"bucket": "trouble", "operation": "s3.GetObject", "key": "*/cat/003.png", "code": code})

    with caplog.at_level(logging.WARNING):
        frozen, report = write_snapshot(store, now)

    assert frozen.images == 23
    assert report.left_out == ((reason.value, 1),)
    assert report.examples[reason.value] == ("images_labeled_by_folder/cat/003.png",)
    assert (f"with {code}" in caplog.text) is reason.is_refused
    aws.control.denied()
    assert write_snapshot(store, now)[0].images == 24


@pytest.mark.parametrize("storage_class", ["GLACIER", "DEEP_ARCHIVE"])
def test_an_archived_image_is_left_out_unread_until_it_is_restored(
    store: S3Store, bucket: Bucket, now: datetime, storage_class: str
) -> None:
    fill(bucket)
    bucket.put("cat/003.png", StorageClass=storage_class)
    bucket.put("cat/004.png", StorageClass="GLACIER_IR")

    counted = count_images(store, now)
    frozen, report = write_snapshot(store, now)

    assert (counted.images, counted.digest, frozen.images, report.read) == (23, frozen.digest, 23, 23)
    assert counted.left_out == report.left_out == ((LeftOut.ARCHIVED.value, 1),)

    restore(store, "cat/003.png")
    assert (count_images(store, now).images, write_snapshot(store, now)[0].images) == (24, 24)


def test_a_good_image_that_is_archived_later_is_left_out_though_its_check_is_remembered(
    store: S3Store, bucket: Bucket, now: datetime
) -> None:
    fill(bucket)
    write_snapshot(store, now)
    key = f"{FOLDER}cat/003.png"
    source: CopySourceTypeDef = {"Bucket": store.bucket, "Key": key}
    store.client.copy_object(Bucket=store.bucket, Key=key, CopySource=source, StorageClass="GLACIER")

    assert write_snapshot(store, now)[0].images == 23


@pytest.mark.parametrize(
    ("code", "way_out"),
    [
        ("AccessDenied", "allow s3:ListBucket, s3:GetObject"),
        ("KMS.DisabledException", "enable the KMS key"),
        ("InvalidObjectState", "restore the object from its archive"),
    ],
)
def test_the_run_fails_with_the_way_out_when_all_images_are_refused(
    aws: LocalAws, store: S3Store, bucket: Bucket, now: datetime, code: str, way_out: str
) -> None:
    fill(bucket)
    aws.control.denied({"bucket": "trouble", "operation": "s3.GetObject", "key": "*.png", "code": code})

    with pytest.raises(StorageError) as caught:
        write_snapshot(store, now)

    assert "None of the 24 images that were to be checked could be read" in str(caught.value)
    assert code in str(caught.value)
    assert way_out in str(caught.value)


def test_the_run_fails_when_all_new_images_are_refused_and_known_ones_too(
    aws: LocalAws, store: S3Store, bucket: Bucket, now: datetime
) -> None:
    fill(bucket)
    write_snapshot(store, now)
    bucket.put_many("cat", 2, start=12)
    aws.control.denied({"bucket": "trouble", "operation": "s3.GetObject", "key": "*.png"})

    with pytest.raises(StorageError, match="None of the 2 images"):
        write_snapshot(store, now)


def test_all_new_images_are_left_out_when_they_alone_are_refused(
    aws: LocalAws, store: S3Store, bucket: Bucket, now: datetime
) -> None:
    fill(bucket)
    write_snapshot(store, now)
    bucket.put_many("cat", 2, start=12)
    aws.control.denied({"bucket": "trouble", "operation": "s3.GetObject", "key": "*/cat/01[23].png"})

    frozen, report = write_snapshot(store, now)

    assert (frozen.images, report.left_out) == (24, ((LeftOut.DENIED.value, 2),))


def test_nothing_is_trained_when_all_images_are_archived(store: S3Store, bucket: Bucket, now: datetime) -> None:
    for label in ("cat", "dog"):
        for number in range(3):
            bucket.put(f"{label}/{number}.png", StorageClass="GLACIER")

    assert count_images(store, now).left_out == ((LeftOut.ARCHIVED.value, 6),)
    with pytest.raises(NotTrainable):
        write_snapshot(store, now)


@pytest.mark.parametrize(
    ("described", "archive"),
    [
        pytest.param({}, None, id="standard"),
        pytest.param({"StorageClass": "GLACIER_IR"}, None, id="instant retrieval"),
        pytest.param({"StorageClass": "GLACIER"}, "GLACIER", id="archived"),
        pytest.param({"StorageClass": "GLACIER", "Restore": 'ongoing-request="true"'}, "GLACIER", id="being restored"),
        pytest.param(
            {"StorageClass": "DEEP_ARCHIVE", "Restore": 'ongoing-request="false", expiry-date="x"'}, None, id="restored"
        ),
        pytest.param({"StorageClass": "INTELLIGENT_TIERING"}, None, id="tiered"),
        pytest.param(
            {"StorageClass": "INTELLIGENT_TIERING", "ArchiveStatus": "ARCHIVE_ACCESS"},
            "ARCHIVE_ACCESS",
            id="tiered away",
        ),
    ],
)
def test_an_archive_is_known_by_what_s3_says_of_an_object(described: dict[str, str], archive: str | None) -> None:
    assert archive_of(described) == archive
