"""The store of a dry run: the same code sees what it would have written, and the bucket stays as it is."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from custom_labels.datasets.dry_run_records import DryRunStore
from custom_labels.datasets.manifest_records import build_manifests
from custom_labels.datasets.snapshot_records import count_images, write_snapshot
from custom_labels.s3.store import ObjectChanged, ObjectExists, S3Store, StorageError
from tests.kit.fixtures import Bucket

MISSING = frozenset({"NoSuchKey", "404"})


@pytest.fixture
def dry(store: S3Store, tmp_path: Path) -> DryRunStore:
    return DryRunStore(store, tmp_path)


def objects(store: S3Store) -> list[tuple[str, Any, str]]:
    """List everything in the bucket, with when it was written."""
    listed = store.client.list_objects_v2(Bucket=store.bucket).get("Contents", [])
    return [(entry["Key"], entry["LastModified"], entry["ETag"]) for entry in listed]


def test_a_snapshot_is_frozen_and_its_manifests_are_built_without_a_trace(
    store: S3Store, dry: DryRunStore, bucket: Bucket, now: datetime
) -> None:
    bucket.put_many("cat", 6)
    bucket.put_many("dog", 6)
    bucket.put("dog/broken.png", b"no image")
    before = objects(store)

    planned, report = write_snapshot(dry, now)
    manifests = build_manifests(dry, planned)
    again = count_images(dry, now)

    assert objects(store) == before
    frozen, _ = write_snapshot(store, now)
    assert (planned.digest, planned.labels) == (frozen.digest, frozen.labels)
    assert again.digest == planned.digest  # the planned check of the broken image is remembered
    assert report.read == 13
    assert build_manifests(store, frozen).train.images == manifests.train.images


def test_what_a_real_run_remembers_is_used_by_a_rehearsal(
    store: S3Store, dry: DryRunStore, bucket: Bucket, now: datetime
) -> None:
    bucket.put_many("cat", 3)
    bucket.put_many("dog", 3)
    write_snapshot(store, now)

    assert write_snapshot(dry, now)[1].read == 0


def test_json_is_written_by_compare_and_set_as_in_s3(store: S3Store, dry: DryRunStore) -> None:
    store.write_json("there.json", 1)
    _, etag = dry.read_json("there.json")

    with pytest.raises(ObjectExists):
        dry.create_json("there.json", 2)
    assert etag is not None
    changed = dry.replace_json("there.json", 2, etag)
    with pytest.raises(ObjectChanged):
        dry.replace_json("there.json", 3, etag)

    assert dry.read_json("there.json") == (2, changed)
    assert store.read_json("there.json") == (1, etag)


def test_what_was_deleted_is_gone_for_the_rehearsal_only(store: S3Store, dry: DryRunStore, tmp_path: Path) -> None:
    store.write_json("there.json", 1)

    dry.call("delete_object", "there.json")

    assert (dry.exists("there.json"), dry.read_json("there.json")) == (False, (None, None))
    assert not dry.download("there.json", tmp_path / "copy")
    with pytest.raises(ClientError, match="404"):
        dry.call("head_object", "there.json", expect=MISSING)
    with pytest.raises(StorageError, match="NoSuchKey"):
        dry.read_bytes("there.json")
    assert store.exists("there.json")
    dry.write_json("there.json", 2)
    assert dry.read_json("there.json")[0] == 2


def test_a_file_is_read_back_as_it_was_uploaded(dry: DryRunStore, tmp_path: Path) -> None:
    file, copy = tmp_path / "file", tmp_path / "copy"
    file.write_bytes(b"rows")
    sha256 = hashlib.sha256(b"rows").hexdigest()

    etag = dry.upload(file, "a/file", sha256)

    assert dry.download("a/file", copy)
    assert (copy.read_bytes(), dry.exists("a/file")) == (b"rows", True)
    head = dry.call("head_object", "a/file")
    assert (head["ETag"], head["Metadata"], head["ContentLength"]) == (f'"{etag}"', {"sha256": sha256}, 4)


@pytest.mark.parametrize("way", ["call", "client"])
def test_any_other_change_is_refused_before_it_is_sent(store: S3Store, dry: DryRunStore, way: str) -> None:
    source = {"Bucket": store.bucket, "Key": store.key("there.json")}
    store.write_json("there.json", 1)
    ways: dict[str, Callable[[], Any]] = {
        "call": lambda: dry.call("copy_object", "copy.json", CopySource=source),
        "client": lambda: dry.client.put_object(Bucket=store.bucket, Key="copy.json", Body=b""),
    }

    with pytest.raises(StorageError, match=r"dry run was about to call (CopyObject|PutObject).*without 'dry_run'"):
        ways[way]()

    assert len(objects(store)) == 1
