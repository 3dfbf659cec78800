"""Both manifests of a stored snapshot."""

from __future__ import annotations

import json
from datetime import datetime, timedelta

import pytest

from custom_labels.datasets.manifest import ManifestFile
from custom_labels.datasets.snapshot import make_snapshot
from custom_labels.s3.store import S3Store, StorageError
from tests.kit.fixtures import Bucket
from tests.kit.snapshots import manifests_of, write_snapshot

STRANGE = ["a b.png", 'it\'s "so".png', "100%+.png", "é😀.png"]


def lines_of(store: S3Store, manifest: ManifestFile) -> list[dict[str, object]]:
    body = store.client.get_object(Bucket=store.bucket, Key=manifest.key)["Body"].read()
    return [json.loads(line) for line in body.decode().splitlines()]


def test_each_image_is_in_one_manifest_with_its_label(store: S3Store, bucket: Bucket, now: datetime) -> None:
    for name in STRANGE:
        bucket.put(f"cat/{name}")
    bucket.put_many('the "dog" é', 6)
    frozen, _ = write_snapshot(store, now)
    pair = manifests_of(store, frozen)
    train, test = lines_of(store, pair.train), lines_of(store, pair.test)
    labels = {str(line["source-ref"]): line["label-metadata"]["class-name"] for line in train + test}  # type: ignore[index]
    base = f"s3://{store.bucket}/some/project/images_labeled_by_folder"
    assert labels == {f"{base}/cat/{name}": "cat" for name in STRANGE} | {
        f'{base}/the "dog" é/{n:03}.png': 'the "dog" é' for n in range(6)
    }
    counted = (sum(pair.train.images.values()), sum(pair.test.images.values()))
    assert (len(train), len(test)) == counted == (frozen.train_images, frozen.test_images)
    assert set(pair.train.images) == set(pair.test.images) == {"cat", 'the "dog" é'}


def test_a_line_has_what_custom_labels_requires(store: S3Store, bucket: Bucket, now: datetime) -> None:
    bucket.put_many("cat", 2)
    bucket.put_many("dog", 2)
    frozen, _ = write_snapshot(store, now)
    line = lines_of(store, manifests_of(store, frozen).test)[0]
    assert line["label"] == 1
    assert line["label-metadata"] == {
        "confidence": 1,
        "class-name": "cat",
        "human-annotated": "yes",
        "creation-date": now.strftime("%Y-%m-%dT%H:%M:%S"),
        "type": "groundtruth/image-classification",
    }


def test_building_twice_gives_the_same_bytes_and_uploads_once(store: S3Store, bucket: Bucket, now: datetime) -> None:
    bucket.put_many("cat", 5)
    bucket.put_many("dog", 5)
    first = manifests_of(store, write_snapshot(store, now)[0])
    writes: list[object] = []
    store.client.meta.events.register("before-call.s3.PutObject", lambda **_: writes.append(1))
    assert manifests_of(store, write_snapshot(store, now + timedelta(minutes=1))[0]) == first
    assert writes == []


def test_building_says_so_when_the_snapshot_is_not_frozen(store: S3Store, now: datetime) -> None:
    with pytest.raises(StorageError, match="is not in the bucket"):
        manifests_of(store, make_snapshot([], now, None, ()))
