"""Trouble with S3: throttling, lost answers, a denied bucket; nothing is lost and every error says what to do."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import pytest

from custom_labels.datasets.snapshot_records import count_images
from custom_labels.s3 import store as store_module
from custom_labels.s3.store import S3Store, StorageError
from tests.kit.fixtures import Bucket
from tests.kit.snapshots import manifests_of, write_snapshot

if TYPE_CHECKING:
    from include.local_aws.process import LocalAws


@pytest.fixture
def store(troubled_store: S3Store) -> S3Store:
    """A project on the embedded AWS, which makes trouble when asked."""
    return troubled_store


def fill(bucket: Bucket) -> None:
    bucket.put_many("cat", 12)
    bucket.put_many("dog", 12)


def test_throttling_of_half_the_calls_costs_time_only(
    aws: LocalAws, store: S3Store, bucket: Bucket, now: datetime
) -> None:
    fill(bucket)
    aws.control.faults({"operation": "s3.*", "kind": "throttle", "share": 0.5})
    frozen, report = write_snapshot(store, now)
    pair = manifests_of(store, frozen)
    assert (report.images, report.read, report.left_out) == (24, 24, ())
    assert sum(pair.train.images.values()) + sum(pair.test.images.values()) == 24
    assert count_images(store, now).digest == frozen.digest


def test_throttling_that_never_ends_is_an_error(
    aws: LocalAws, store: S3Store, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store_module, "PATIENCE_SECONDS", 1.0)
    aws.control.faults({"operation": "s3.ListObjectsV2", "kind": "throttle", "share": 1.0})
    with pytest.raises(StorageError, match="S3 refused ListObjectsV2 of s3://trouble/p/"):
        count_images(store, now)


def test_a_lost_answer_to_a_create_is_no_conflict(aws: LocalAws, store: S3Store) -> None:
    aws.control.faults({"operation": "s3.PutObject", "kind": "lost_response", "times": 1})
    etag = store.create_json("lock.json", {"owner": "me"})
    assert store.read_json("lock.json") == ({"owner": "me"}, etag)


def test_a_lost_answer_to_a_replacement_is_no_conflict(aws: LocalAws, store: S3Store) -> None:
    before = store.create_json("live.json", {"version": 1})
    aws.control.faults({"operation": "s3.PutObject", "kind": "lost_response", "times": 1})
    etag = store.replace_json("live.json", {"version": 2}, before)
    assert store.read_json("live.json") == ({"version": 2}, etag)


@pytest.mark.parametrize("operation", ["PutObject", "GetObject", "ListObjectsV2", "HeadObject"])
def test_a_lost_answer_changes_nothing_in_a_snapshot(
    aws: LocalAws, store: S3Store, bucket: Bucket, now: datetime, operation: str
) -> None:
    fill(bucket)
    digest = count_images(store, now).digest
    aws.control.faults({"operation": f"s3.{operation}", "kind": "lost_response", "times": 2})
    frozen, _ = write_snapshot(store, now)
    assert frozen.digest == digest
    assert sum(manifests_of(store, frozen).test.images.values()) == frozen.test_images


@pytest.mark.parametrize(
    "operation", ["s3.ListObjectsV2", "s3.GetObject", "s3.PutObject"], ids=["listing", "reading", "writing"]
)
def test_a_denied_bucket_is_one_clear_error(
    aws: LocalAws, store: S3Store, bucket: Bucket, now: datetime, operation: str
) -> None:
    fill(bucket)
    aws.control.denied({"bucket": "trouble", "operation": operation})
    with pytest.raises(StorageError) as caught:
        write_snapshot(store, now)
    assert "AccessDenied" in str(caught.value)
    assert "'bucket' is 'trouble'" in str(caught.value)
    assert "allow s3:ListBucket, s3:GetObject, s3:PutObject" in str(caught.value)
