"""Snapshots that are inspected, on an S3 server: what is on one side, what is doubted, what is read how often."""

from __future__ import annotations

import io
import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from typing import Any

import pytest
from PIL import Image

from custom_labels.core.keys import PICTURES, snapshot_inspection
from custom_labels.datasets.inspection.inspection import Inspection
from custom_labels.datasets.snapshot_records import LocalSnapshot, frozen_snapshot
from custom_labels.s3.store import S3Store
from include.demo.scenes import SceneStyle, compose
from tests.kit.fixtures import Bucket
from tests.kit.support import picture

STYLE = SceneStyle(size=(320, 240), sides=(50, 110))
SCENES = 16


def scene(number: int, quality: int = 90) -> bytes:
    out = io.BytesIO()
    compose(3, number, STYLE).picture.save(out, "JPEG", quality=quality)
    return out.getvalue()


@pytest.fixture
def bucket(bucket: Bucket) -> Bucket:
    """Two labels of scenes; of each scene there is a copy that is compressed more, which is another content."""
    for number in range(SCENES):
        label = ("a", "b")[number % 2]
        bucket.put(f"{label}/{number:03}.jpg", scene(number))
        bucket.put(f"{label}/copy-{number:03}.jpg", scene(number, quality=50))
    return bucket


@contextmanager
def inspected(store: S3Store, now: datetime, **how: Any) -> Iterator[tuple[LocalSnapshot, Inspection]]:
    arguments = {"publish": True, "inspects": True, "test_share": 0.4, **how}
    with frozen_snapshot(store, now, arguments.pop("trained", None), **arguments) as (frozen, _):
        assert frozen.inspection is not None
        yield frozen, frozen.inspection


def sides(frozen: LocalSnapshot) -> dict[str, bool]:
    """Say of each image, by its file's name, whether it is a test image."""
    with closing(sqlite3.connect(frozen.path)) as database:
        rows = database.execute("SELECT key, position FROM image").fetchall()
    return {key.rpartition("/")[2]: frozen.header.split.is_test(position) for key, position in rows}


def divided(found: dict[str, bool]) -> list[str]:
    return [name for name, side in found.items() if found.get(f"copy-{name}", side) is not side]


@contextmanager
def reads(store: S3Store) -> Iterator[list[str]]:
    """Note which images are read."""
    keys: list[str] = []

    def note(params: dict[str, Any], **_: Any) -> None:
        if params.get("Key", "").endswith((".jpg", ".png")):
            keys.append(params["Key"])

    store.client.meta.events.register("before-parameter-build.s3.GetObject", note)
    try:
        yield keys
    finally:
        store.client.meta.events.unregister("before-parameter-build.s3.GetObject", note)


def test_near_duplicates_are_on_one_side(store: S3Store, bucket: Bucket, now: datetime) -> None:
    with frozen_snapshot(store, now, publish=False, test_share=0.4) as (plain, _):
        apart = divided(sides(plain))
        assert apart, "by their hashes some are on both"
        assert plain.inspection is None

    with inspected(store, now) as (frozen, found):
        assert divided(sides(frozen)) == []
        assert frozen.header.snapshot.digest == plain.header.snapshot.digest

    assert found.group_count >= SCENES - 1
    assert found.grouped_images == 2 * found.group_count
    assert len(apart) - 1 <= found.kept_together <= len(apart)
    assert [(each.label, each.images) for each in found.labels] == [("a", SCENES), ("b", SCENES)]
    assert sum(each.images for each in found.sizes) == 2 * SCENES
    assert all(each.images == 2 and len(each.keys) == 2 for each in found.groups)
    assert all(each.train and each.test for each in found.labels)


def test_a_copy_that_comes_later_is_on_the_side_of_the_image_that_judged(
    store: S3Store, bucket: Bucket, now: datetime
) -> None:
    with inspected(store, now) as (before, _):
        first, digest = sides(before), before.header.snapshot.digest
    for number in range(SCENES):
        bucket.put(f"{('a', 'b')[number % 2]}/later-{number:03}.jpg", scene(number, quality=75))

    with inspected(store, now, trained=digest) as (after, found):
        second = sides(after)

    assert {name: side for name, side in second.items() if name in first} == first
    later = {name.removeprefix("later-"): side for name, side in second.items() if name.startswith("later-")}
    assert sum(first[name] is not side for name, side in later.items()) <= SCENES - found.group_count
    assert found.grouped_images >= 3 * (SCENES - 2)


def test_what_was_seen_is_not_read_again_and_what_was_found_is_not_searched_again(
    store: S3Store, bucket: Bucket, now: datetime
) -> None:
    with reads(store) as first, inspected(store, now) as (frozen, before):
        pass
    written = store.client.head_object(Bucket=store.bucket, Key=store.key(PICTURES))["LastModified"]
    with reads(store) as second, inspected(store, now) as (_, again):
        assert again == before
    bucket.put("a/new.jpg", scene(99))
    with reads(store) as third, inspected(store, now, trained=frozen.header.snapshot.digest):
        pass

    # The check of the images reads each, and the inspection reads each.
    assert len(first) >= 2 * 2 * SCENES
    assert second == []
    assert {key.rpartition("/")[2] for key in third} == {"new.jpg"}
    assert store.client.head_object(Bucket=store.bucket, Key=store.key(PICTURES))["LastModified"] >= written


def test_a_dry_run_writes_nothing(store: S3Store, bucket: Bucket, now: datetime) -> None:
    before = bucket.list_keys()

    with inspected(store, now, publish=False) as (frozen, found):
        assert found.group_count

    assert bucket.list_keys() == before
    assert store.read_json(snapshot_inspection(frozen.header.snapshot.digest))[0] is None


@pytest.mark.parametrize("content", [b"", b"no database", b"SQLite format 3\x00 and then nothing"])
def test_a_memory_that_is_damaged_is_begun_anew(store: S3Store, bucket: Bucket, now: datetime, content: bytes) -> None:
    store.call("put_object", PICTURES, Body=content)

    with inspected(store, now) as (_, found):
        assert found.group_count


def test_an_image_that_cannot_be_decoded_stops_nothing(store: S3Store, bucket: Bucket, now: datetime) -> None:
    body = scene(50)
    # A JPEG of more than 64 KiB whose middle is damaged passes the check of its beginning and its end.
    out = io.BytesIO()
    Image.effect_noise((600, 600), 90).convert("RGB").save(out, "JPEG", quality=95)
    large = out.getvalue()
    assert len(large) > 100_000
    bucket.put("a/damaged.jpg", large[:70_000] + b"\xff\xc4\x00\x02" * 2000 + large[78_000:])
    bucket.put("a/whole.jpg", body)

    with inspected(store, now) as (frozen, found):
        assert found.images == 2 * SCENES + 2
        assert found.unreadable in {0, 1}, "Pillow may decode it all the same"
        assert "damaged.jpg" in sides(frozen)


def test_an_image_that_vanishes_meanwhile_is_not_looked_at(
    store: S3Store, bucket: Bucket, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    from custom_labels.datasets.inspection import inspection_records, picture_reading_records

    def delete_first(*args: Any, **how: Any) -> int:
        bucket.delete("a/000.jpg")
        return picture_reading_records.read_unseen(*args, **how)

    monkeypatch.setattr(inspection_records, "read_unseen", delete_first)

    with inspected(store, now) as (_, found):
        assert found.unreadable == 1


def test_planted_labels_are_suspected(store: S3Store, bucket: Bucket, now: datetime) -> None:
    for number in range(40):
        bucket.put(f"rows/{number:03}.png", picture("rows", number))
        bucket.put(f"columns/{number:03}.png", picture("columns", number))
    bucket.put("rows/wrong.png", picture("columns", 777))

    with inspected(store, now) as (_, found):
        pass

    worst = found.suspects[0]
    assert (worst.key, worst.label, worst.believed) == ("images_labeled_by_folder/rows/wrong.png", "rows", "columns")
    assert next(each for each in found.labels if each.label == "rows").suspects >= 1
    stored = store.read_json(snapshot_inspection(found.digest))[0]
    assert stored["suspects"][0]["key"] == worst.key
    assert json.dumps(stored)
