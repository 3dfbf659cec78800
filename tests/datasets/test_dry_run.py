"""Freezing without publishing: what a dry run sees is what a run would keep, and the bucket stays as it is."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

from custom_labels.datasets.manifest_records import write_manifests
from custom_labels.datasets.snapshot_records import frozen_snapshot
from custom_labels.datasets.split import Subset
from custom_labels.s3.store import S3Store
from tests.kit.fixtures import Bucket
from tests.kit.snapshots import manifests_of, write_snapshot


def objects(store: S3Store) -> list[tuple[str, Any, str]]:
    """List everything in the bucket, with when it was written."""
    listed = store.client.list_objects_v2(Bucket=store.bucket).get("Contents", [])
    return [(entry["Key"], entry["LastModified"], entry["ETag"]) for entry in listed]


def test_a_snapshot_is_frozen_and_its_manifests_are_written_without_a_trace(
    store: S3Store, bucket: Bucket, now: datetime, tmp_path: Path
) -> None:
    bucket.put_many("cat", 6)
    bucket.put_many("dog", 6)
    bucket.put("dog/broken.png", b"no image")
    before = objects(store)

    with frozen_snapshot(store, now, publish=False) as (planned, report):
        paths = write_manifests(store.uri(), planned, tmp_path)
        lines = {side: path.read_bytes() for side, path in paths.items()}

    assert objects(store) == before
    assert report.read == 13
    kept, kept_report = write_snapshot(store, now)
    assert (planned.header.snapshot, report) == (kept, kept_report)
    pair = manifests_of(store, kept)
    keys = {Subset.TRAIN: pair.train.key, Subset.TEST: pair.test.key}
    bodies = {side: store.client.get_object(Bucket=store.bucket, Key=key)["Body"] for side, key in keys.items()}
    assert lines == {side: body.read() for side, body in bodies.items()}


def test_what_a_real_run_remembers_is_used_by_a_dry_run(store: S3Store, bucket: Bucket, now: datetime) -> None:
    bucket.put_many("cat", 3)
    bucket.put_many("dog", 3)
    kept, _ = write_snapshot(store, now)

    with frozen_snapshot(store, now, test_share=0.5, publish=False) as (planned, report):
        assert report.read == 0
        assert planned.header.snapshot == kept  # by its own split, which a run would not change
