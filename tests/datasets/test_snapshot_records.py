"""The cheap poll: what it counts, what it leaves out, and that its digest is that of the stored snapshot."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from custom_labels.core.codec import from_json, to_json
from custom_labels.datasets import listing_records
from custom_labels.datasets.images import LeftOut
from custom_labels.datasets.snapshot import ImageSnapshot
from custom_labels.datasets.snapshot_records import count_images
from custom_labels.s3.store import S3Store, StorageError
from tests.kit.fixtures import Bucket
from tests.kit.pictures import png
from tests.kit.snapshots import write_snapshot

STRANGE = ["my photo é", "100%", "a+b", "a%20b", 'it\'s "so" <&>', "日本 写真", "😀", "~*()!", "..", "?#=;"]


def counts(snapshot: ImageSnapshot) -> dict[str, tuple[int, int]]:
    return {count.label: (count.images, count.untrained) for count in snapshot.labels}


def test_survey_of_an_empty_bucket(store: S3Store, now: datetime) -> None:
    found = count_images(store, now)
    assert (found.images, found.untrained, found.labels, found.left_out) == (0, 0, (), ())


def test_survey_counts_at_any_depth_below_a_label(store: S3Store, bucket: Bucket, now: datetime) -> None:
    for name in (
        "cat/1.png",
        "cat/a/2.JPG",
        "cat/a/b/3.jpeg",
        "cat/pasted.jfif",
        "cat/no ending",
        "dog/1.png",
        "dog/2.png",
    ):
        bucket.put(name)
    assert counts(count_images(store, now)) == {"cat": (5, 5), "dog": (2, 2)}


def test_survey_writes_nothing(store: S3Store, bucket: Bucket, now: datetime) -> None:
    bucket.put_many("cat", 3)
    before = bucket.list_keys()
    count_images(store, now)
    assert bucket.list_keys() == before


def test_survey_says_what_it_left_out_and_why(store: S3Store, bucket: Bucket, now: datetime) -> None:
    bucket.put_many("cat", 2)
    bucket.put("cat/", b"")
    bucket.put("cat/empty.png", b"")
    bucket.put("empty label/", b"")
    bucket.put("cat/notes.txt", b"text")
    bucket.put("cat/tab\there.png")
    bucket.put("stray.png")
    bucket.put("/nameless.png")
    bucket.put("dog/alone.png")
    found = count_images(store, now)
    assert counts(found) == {"cat": (2, 2)}
    assert dict(found.left_out) == {
        LeftOut.FOLDER_MARKER: 3,
        LeftOut.OTHER_FILE: 1,
        LeftOut.KEY: 1,
        LeftOut.NO_LABEL: 2,
        LeftOut.FEW_IMAGES: 1,
    }


def test_survey_sees_no_untrained_images_in_ten_folder_markers(store: S3Store, bucket: Bucket, now: datetime) -> None:
    for label in range(10):
        bucket.put(f"label {label}/", b"")
    assert count_images(store, now).untrained == 0


def test_survey_as_of_an_earlier_moment_sees_nothing_newer(store: S3Store, bucket: Bucket) -> None:
    bucket.put_many("cat", 3)
    found = count_images(store, datetime.now(UTC) - timedelta(hours=1))
    assert (found.images, dict(found.left_out)) == (0, {LeftOut.TOO_NEW: 3})


@pytest.mark.parametrize("name", STRANGE)
def test_strange_keys_are_counted_and_frozen(store: S3Store, bucket: Bucket, now: datetime, name: str) -> None:
    bucket.put_many("cat", 2)
    bucket.put_many(f"a {name}", 2)
    bucket.put(f"a {name}/{name}/{name}.PNG")
    frozen, report = write_snapshot(store, now)
    assert counts(frozen) == {"cat": (2, 2), f"a {name}": (3, 3)}
    assert report.left_out == ()
    assert count_images(store, now).digest == frozen.digest


def test_digest_does_not_depend_on_the_number_of_streams(
    store: S3Store, bucket: Bucket, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    for label in range(5):
        bucket.put_many(f"label {label}", 3)
    counted = count_images(store, now)
    monkeypatch.setattr(listing_records, "STREAMS", 1)
    assert count_images(store, now) == counted


@pytest.mark.parametrize("prefix", ["", "another/place"])
def test_digest_does_not_depend_on_the_place(store: S3Store, bucket: Bucket, now: datetime, prefix: str) -> None:
    elsewhere = S3Store(store.bucket, prefix, aws_conn_id="storage_tests")
    for place in (bucket, Bucket(elsewhere)):
        for name in ("cat/1.png", "cat/2.png", "dog/a b.png", "dog/ö.png"):
            place.put(name)
    assert count_images(store, now).digest == count_images(elsewhere, now).digest


def test_nothing_is_untrained_right_after_training(store: S3Store, bucket: Bucket, now: datetime) -> None:
    bucket.put_many("cat", 5)
    bucket.put("cat/deep/down.png")
    bucket.put("cat/notes.txt", b"text")
    bucket.put_many("dog", 5)
    frozen, _ = write_snapshot(store, now)
    found = count_images(store, now, trained=frozen.digest)
    assert (found.digest, found.images, found.untrained) == (frozen.digest, 11, 0)


def test_replaced_images_are_untrained(store: S3Store, bucket: Bucket, now: datetime) -> None:
    bucket.put_many("cat", 10)
    bucket.put_many("dog", 10)
    frozen, _ = write_snapshot(store, now)
    bucket.put_many("cat", 4, start=3)
    found = count_images(store, now, trained=frozen.digest)
    assert found.digest != frozen.digest
    assert counts(found) == {"cat": (10, 4), "dog": (10, 0)}


def test_deleted_images_hide_no_new_ones(store: S3Store, bucket: Bucket, now: datetime) -> None:
    bucket.put_many("cat", 10)
    bucket.put_many("dog", 10)
    frozen, _ = write_snapshot(store, now)
    for number in range(5):
        bucket.delete(f"cat/{number:03}.png")
    bucket.put_many("cat", 3, start=100)
    bucket.put_many("bird", 2)
    assert counts(count_images(store, now, trained=frozen.digest)) == {"bird": (2, 2), "cat": (8, 3), "dog": (10, 0)}


def test_digest_is_that_of_the_frozen_snapshot_when_images_were_left_out(
    store: S3Store, bucket: Bucket, now: datetime
) -> None:
    bucket.put_many("cat", 5)
    bucket.put_many("dog", 5)
    bucket.put("cat/broken.png", b"\x89PNG\r\n\x1a\nbroken")
    bucket.put("cat/tiny.png", png(1, (10, 10)))
    same = bucket.put("dog/copy.png")
    bucket.put("dog/copied.png", same)
    bucket.put("bird/of two.png", png(2_000_001))
    bucket.put("bird/alone.png", png(2_000_002))
    bucket.put("fish/no bird.png", png(2_000_001))
    frozen, _ = write_snapshot(store, now)
    found = count_images(store, now, trained=frozen.digest)
    assert counts(frozen) == {"cat": (5, 5), "dog": (6, 6)}
    assert (found.digest, found.untrained) == (frozen.digest, 0)
    assert dict(found.left_out) == {
        LeftOut.CORRUPT: 1,
        LeftOut.TOO_SMALL: 1,
        LeftOut.DUPLICATE: 1,
        LeftOut.CONFLICT: 2,
        LeftOut.FEW_IMAGES: 1,
    }


def test_a_copy_counts_once_the_first_is_deleted(store: S3Store, bucket: Bucket, now: datetime) -> None:
    bucket.put_many("cat", 3)
    bucket.put_many("dog", 3)
    same = bucket.put("cat/copy.png")
    bucket.put("cat/copied.png", same)
    frozen, _ = write_snapshot(store, now)
    bucket.delete("cat/copied.png")
    found = count_images(store, now, trained=frozen.digest)
    assert counts(found) == {"cat": (4, 1), "dog": (3, 0)}
    assert found.digest == write_snapshot(store, now, trained=frozen.digest)[0].digest


def test_a_conflict_ends_when_one_of_the_two_is_replaced(store: S3Store, bucket: Bucket, now: datetime) -> None:
    bucket.put_many("cat", 3)
    bucket.put_many("dog", 3)
    same = bucket.put("cat/both.png")
    bucket.put("dog/both.png", same)
    assert counts(write_snapshot(store, now)[0]) == {"cat": (3, 3), "dog": (3, 3)}
    bucket.put("dog/both.png")
    assert counts(count_images(store, now)) == {"cat": (4, 4), "dog": (4, 4)}


def test_snapshot_survives_xcom(store: S3Store, bucket: Bucket, now: datetime) -> None:
    bucket.put_many("cat", 2)
    found = count_images(store, now)
    assert from_json(ImageSnapshot, json.loads(json.dumps(to_json(found)))) == found


def test_survey_says_what_is_missing_when_the_trained_snapshot_is_gone(store: S3Store, now: datetime) -> None:
    with pytest.raises(
        StorageError, match=r"Snapshot 'abc' is not in the bucket: s3://.*/snapshots/abc/snapshot\.json"
    ):
        count_images(store, now, trained="abc")


def test_survey_says_so_when_the_bucket_is_missing(store: S3Store, now: datetime) -> None:
    store.bucket = "no-such-bucket"
    with pytest.raises(StorageError, match="NoSuchBucket"):
        count_images(store, now)
