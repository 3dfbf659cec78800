"""Freezing: every image is checked once, what cannot be used is reported, and what is written never changes."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from custom_labels.core.codec import from_json, to_json
from custom_labels.core.keys import CHECKS
from custom_labels.datasets import image_records, snapshot_records
from custom_labels.datasets.images import CheckReport, LeftOut
from custom_labels.datasets.manifest import ManifestFile
from custom_labels.datasets.snapshot_records import count_images, fetch_snapshot
from custom_labels.datasets.split import position
from custom_labels.errors import NotTrainable
from custom_labels.s3.store import S3Store
from tests.kit.fixtures import Bucket
from tests.kit.pictures import encoded, picture, png
from tests.kit.snapshots import manifests_of, write_snapshot

if TYPE_CHECKING:
    from mypy_boto3_s3.type_defs import CompletedPartTypeDef


@pytest.fixture
def reads(store: S3Store) -> list[str]:
    """The keys of the images that are read."""
    keys: list[str] = []

    def note(params: dict[str, Any], **_: Any) -> None:
        if "images_labeled_by_folder/" in params["Key"]:
            keys.append(params["Key"].rpartition("images_labeled_by_folder/")[2])

    store.client.meta.events.register("before-parameter-build.s3.GetObject", note)
    return keys


def images_of(store: S3Store, digest: str, folder: Path) -> list[Image]:
    """Give a stored snapshot's images in order."""
    stored = fetch_snapshot(store, digest, folder)
    with closing(sqlite3.connect(stored.path)) as database:
        rows = database.execute("SELECT label, key, etag, position FROM image ORDER BY label, key").fetchall()
    return [
        Image(label, key, etag, position, stored.header.split.is_test(position)) for label, key, etag, position in rows
    ]


class Image(NamedTuple):
    label: str
    key: str
    etag: str
    position: str
    is_test: bool


def test_a_snapshot_names_each_image_and_its_side(
    store: S3Store, bucket: Bucket, now: datetime, tmp_path: Path
) -> None:
    contents = {f"cat/{n}.png": bucket.put(f"cat/{n}.png") for n in range(4)}
    bucket.put_many("dog", 4)
    frozen, _ = write_snapshot(store, now)
    images = images_of(store, frozen.digest, tmp_path)
    md5s = [hashlib.md5(content, usedforsecurity=False).hexdigest() for content in contents.values()]
    assert [each.key for each in images[:4]] == [f"images_labeled_by_folder/{name}" for name in contents]
    assert [(each.etag, each.position) for each in images[:4]] == [(md5, position(md5)) for md5 in md5s]
    assert [each.label for each in images] == 4 * ["cat"] + 4 * ["dog"]
    tests = sum(each.is_test for each in images)
    assert (frozen.train_images, frozen.test_images) == (len(images) - tests, tests)


def test_each_image_is_read_once_in_its_life(store: S3Store, bucket: Bucket, now: datetime, reads: list[str]) -> None:
    bucket.put_many("cat", 3)
    bucket.put_many("dog", 3)
    assert write_snapshot(store, now)[1].read == 6
    reads.clear()
    bucket.put("cat/001.png")
    bucket.put("dog/aaa.png")
    report = write_snapshot(store, now)[1]
    assert (sorted(reads), report.images, report.read) == (["cat/001.png", "dog/aaa.png"], 7, 2)


def test_the_order_is_kept_when_known_and_new_images_alternate(
    store: S3Store, bucket: Bucket, now: datetime, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(image_records, "_BATCH", 3)
    bucket.put_many("dog", 2)
    for number in range(0, 20, 2):
        bucket.put(f"cat/{number:02}.png")
    write_snapshot(store, now)
    for number in range(1, 20, 2):
        bucket.put(f"cat/{number:02}.png")
    frozen, report = write_snapshot(store, now)
    names = [each.key.rpartition("/")[2] for each in images_of(store, frozen.digest, tmp_path) if each.label == "cat"]
    assert names == [f"{number:02}.png" for number in range(20)]
    assert report.read == 10


def test_bad_images_are_read_once_and_reported_always(
    store: S3Store, bucket: Bucket, now: datetime, reads: list[str]
) -> None:
    bucket.put_many("cat", 2)
    bucket.put_many("dog", 2)
    bucket.put("cat/bad.png", b"no image")
    first = write_snapshot(store, now)[1]
    reads.clear()
    second = write_snapshot(store, now)[1]
    key = "images_labeled_by_folder/cat/bad.png"
    assert reads == []
    assert first.left_out == second.left_out == ((LeftOut.FORMAT.value, 1),)
    assert first.examples == second.examples == {LeftOut.FORMAT.value: (key,)}


@pytest.mark.parametrize("lost", ["deleted", "cut off", "made up", "of another form"])
def test_lost_or_damaged_checks_only_cost_reading_again(
    store: S3Store, bucket: Bucket, now: datetime, lost: str, tmp_path: Path
) -> None:
    bucket.put_many("cat", 3)
    bucket.put_many("dog", 3)
    bucket.put("cat/bad.png", b"no image")
    frozen, _ = write_snapshot(store, now)
    whole = store.read_bytes(CHECKS)[0]
    with closing(sqlite3.connect(tmp_path / "other")) as database:
        database.execute("CREATE TABLE checked (key TEXT)")
    bodies = {"cut off": whole[:5000], "made up": b"made up", "of another form": (tmp_path / "other").read_bytes()}
    if lost == "deleted":
        store.call("delete_object", CHECKS)
    else:
        store.call("put_object", CHECKS, Body=bodies[lost])
    assert count_images(store, now).images == 7
    again, report = write_snapshot(store, now)
    assert again == frozen
    assert report.read == 7
    assert count_images(store, now).digest == frozen.digest


def test_freezing_again_changes_nothing(store: S3Store, bucket: Bucket, now: datetime) -> None:
    bucket.put_many("cat", 5)
    bucket.put_many("dog", 5)
    frozen, _ = write_snapshot(store, now)
    header, etag = store.read_json(f"snapshots/{frozen.digest}/snapshot.json")
    later, _ = write_snapshot(store, now + timedelta(hours=1), test_share=0.5)
    assert later.digest == frozen.digest
    assert (later.train_images, later.test_images) == (frozen.train_images, frozen.test_images)
    assert store.read_json(f"snapshots/{frozen.digest}/snapshot.json") == (header, etag)


def test_freezing_after_a_death_before_the_header_gives_the_same(store: S3Store, bucket: Bucket, now: datetime) -> None:
    bucket.put_many("cat", 5)
    bucket.put_many("dog", 5)
    frozen, _ = write_snapshot(store, now)
    store.call("delete_object", f"snapshots/{frozen.digest}/snapshot.json")
    assert write_snapshot(store, now)[0] == frozen


def test_test_images_stay_test_images_when_others_arrive(
    store: S3Store, bucket: Bucket, now: datetime, tmp_path: Path
) -> None:
    bucket.put_many("cat", 6)
    bucket.put_many("dog", 2)
    first, _ = write_snapshot(store, now)
    before = {each.position: each.is_test for each in images_of(store, first.digest, tmp_path)}
    bucket.put_many("cat", 20, start=100)
    bucket.put_many("dog", 20, start=100)
    second, _ = write_snapshot(store, now, trained=first.digest, test_share=0.05)
    after = {each.position: each.is_test for each in images_of(store, second.digest, tmp_path)}
    assert {content: after[content] for content in before} == before


def test_images_frozen_before_are_split_anew_when_they_judged_a_version_meanwhile(
    store: S3Store, bucket: Bucket, now: datetime, tmp_path: Path
) -> None:
    bucket.put_many("cat", 12)
    bucket.put_many("dog", 12)
    first, _ = write_snapshot(store, now, test_share=0.1)
    bucket.put("cat/more.png")
    second, _ = write_snapshot(store, now, test_share=0.6)
    judged = {each.position for each in images_of(store, second.digest, tmp_path) if each.is_test}
    store.call("delete_object", "images_labeled_by_folder/cat/more.png")

    third, _ = write_snapshot(store, now, second.digest, test_share=0.6)

    images = images_of(store, third.digest, tmp_path)
    assert third.digest == first.digest
    assert [each.key for each in images if each.position in judged and not each.is_test] == []
    assert third.test_images == sum(each.is_test for each in images)
    assert write_snapshot(store, now, second.digest, test_share=0.6)[0] == third


def test_a_moved_image_stays_on_its_side(store: S3Store, bucket: Bucket, now: datetime, tmp_path: Path) -> None:
    images = {name: bucket.put(f"cat/{name}.png") for name in "abcdef"}
    bucket.put_many("dog", 2)
    first, _ = write_snapshot(store, now)
    for name, content in images.items():
        bucket.delete(f"cat/{name}.png")
        bucket.put(f"cat/moved/{name}.png", content)
    second, _ = write_snapshot(store, now, trained=first.digest)
    sides = [
        {each.position: each.is_test for each in images_of(store, digest, tmp_path) if each.label == "cat"}
        for digest in (first.digest, second.digest)
    ]
    assert sides[0] == sides[1]


def test_copies_are_left_out_or_conflict(store: S3Store, bucket: Bucket, now: datetime) -> None:
    bucket.put_many("cat", 2)
    bucket.put_many("dog", 2)
    bucket.put("cat/x1.png", png(9_000_001))
    bucket.put("cat/x2.png", png(9_000_001))
    bucket.put("cat/y.png", png(9_000_002))
    bucket.put("dog/y.png", png(9_000_002))
    frozen, report = write_snapshot(store, now)
    assert {count.label: count.images for count in frozen.labels} == {"cat": 3, "dog": 2}
    assert {reason: [key.rpartition("folder/")[2] for key in keys] for reason, keys in report.examples.items()} == {
        LeftOut.DUPLICATE.value: ["cat/x2.png"],
        LeftOut.CONFLICT.value: ["cat/y.png", "dog/y.png"],
    }


def test_a_copy_by_multipart_upload_is_known_as_one(store: S3Store, bucket: Bucket, now: datetime) -> None:
    bucket.put_many("cat", 2)
    bucket.put_many("dog", 2)
    content = bucket.put("cat/single.png")
    s3_object: dict[str, Any] = {"Bucket": store.bucket, "Key": store.key("images_labeled_by_folder/cat/parts.png")}
    upload = store.client.create_multipart_upload(**s3_object)["UploadId"]
    part = store.client.upload_part(**s3_object, UploadId=upload, PartNumber=1, Body=content)["ETag"]
    parts: list[CompletedPartTypeDef] = [{"PartNumber": 1, "ETag": part}]
    store.client.complete_multipart_upload(**s3_object, UploadId=upload, MultipartUpload={"Parts": parts})
    assert dict(write_snapshot(store, now)[1].left_out) == {LeftOut.DUPLICATE: 1}


def test_contents_are_compared_under_kms_too(store: S3Store, bucket: Bucket, now: datetime) -> None:
    bucket.put_many("cat", 2)
    bucket.put_many("dog", 2)
    content = bucket.put("cat/plain.png")
    bucket.put("cat/encrypted.png", content, ServerSideEncryption="aws:kms")
    assert dict(write_snapshot(store, now)[1].left_out) == {LeftOut.DUPLICATE: 1}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        pytest.param(lambda bucket: bucket.delete("cat/000.png"), LeftOut.VANISHED, id="deleted"),
        pytest.param(lambda bucket: bucket.put("cat/000.png", png(77)), LeftOut.REPLACED, id="replaced"),
    ],
)
def test_an_image_that_changes_while_it_is_read_is_left_out(
    store: S3Store, bucket: Bucket, now: datetime, change: Any, reason: LeftOut
) -> None:
    bucket.put_many("cat", 4)
    bucket.put_many("dog", 3)
    other = Bucket(S3Store(store.bucket, store.prefix, aws_conn_id="storage_tests"))
    changed: list[str] = []

    def change_once(params: dict[str, Any], **_: Any) -> None:
        if params["Key"].endswith("cat/000.png") and not changed:
            changed.append(params["Key"])
            change(other)

    store.client.meta.events.register("before-parameter-build.s3.GetObject", change_once)
    frozen, report = write_snapshot(store, now)
    assert {count.label: count.images for count in frozen.labels} == {"cat": 3, "dog": 3}
    assert dict(report.left_out) == {reason: 1}


def test_a_label_with_one_usable_image_is_left_out_and_named(store: S3Store, bucket: Bucket, now: datetime) -> None:
    bucket.put_many("cat", 2)
    bucket.put_many("dog", 2)
    bucket.put("bird/good.png")
    bucket.put("bird/bad.png", b"no image")
    frozen, report = write_snapshot(store, now)
    assert [count.label for count in frozen.labels] == ["cat", "dog"]
    assert report.labels_left_out == ("bird",)
    assert count_images(store, now).digest == frozen.digest


@pytest.mark.parametrize(
    ("names", "words"),
    [
        pytest.param([], r"Too few labels to train: 0 \(none\)", id="no images"),
        pytest.param(["cat/1.png"], r"0 \(none\).*Left out for too few images: 'cat'", id="one image"),
        pytest.param(["cat/1.png", "cat/2.png"], r"1 \('cat'\)", id="one label"),
    ],
)
def test_freeze_says_why_there_is_nothing_to_train(
    store: S3Store, bucket: Bucket, now: datetime, names: list[str], words: str
) -> None:
    for name in names:
        bucket.put(name)
    with pytest.raises(NotTrainable, match=words):
        write_snapshot(store, now)


def test_a_run_about_the_past_leaves_the_checks_alone(store: S3Store, bucket: Bucket, now: datetime) -> None:
    bucket.put_many("cat", 2)
    bucket.put_many("dog", 2)
    write_snapshot(store, now)
    before = store.read_bytes(CHECKS)[0]
    bucket.put("cat/more.png")
    assert write_snapshot(store, datetime.now(UTC) + timedelta(seconds=1))[1].read == 1
    assert store.read_bytes(CHECKS)[0] == before


def test_no_image_is_moved_or_deleted(store: S3Store, bucket: Bucket, now: datetime) -> None:
    bucket.put_many("cat", 3)
    bucket.put_many("dog", 3)
    bucket.put("cat/bad.jpg", encoded(picture(1), "GIF"))
    before = [key for key in bucket.list_keys() if "images_labeled_by_folder" in key]
    write_snapshot(store, now)
    assert [key for key in bucket.list_keys() if "images_labeled_by_folder" in key] == before


LONG = "ä" * 257


def test_a_label_with_a_name_that_custom_labels_refuses_is_left_out_unread_and_named(
    store: S3Store, bucket: Bucket, now: datetime, reads: list[str]
) -> None:
    for label in ("cat", LONG[:-1], LONG):
        bucket.put_many(label, 3)

    counted = count_images(store, now)
    frozen, report = write_snapshot(store, now)

    assert [count.label for count in frozen.labels] == ["cat", LONG[:-1]]
    assert frozen.digest == counted.digest
    assert counted.left_out == report.left_out == ((LeftOut.LABEL_NAME.value, 3),)
    assert report.labels_left_out == (LONG,)
    assert report.left_out_by_label == {"cat": 0, LONG[:-1]: 0, LONG: 3}
    assert len(reads) == 6


def test_freeze_says_so_when_one_of_two_labels_has_too_long_a_name(
    store: S3Store, bucket: Bucket, now: datetime
) -> None:
    for label in ("cat", LONG):
        bucket.put_many(label, 3)

    with pytest.raises(NotTrainable, match=r"Left out .* a name of more than 256 characters: 'äää"):
        write_snapshot(store, now)


def test_no_label_gets_more_test_images_than_custom_labels_takes(
    store: S3Store, bucket: Bucket, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    bucket.put_many("cat", 40)
    bucket.put_many("dog", 4)
    before = manifests_of(store, write_snapshot(store, now, test_share=0.5)[0])
    monkeypatch.setattr(snapshot_records, "MAXIMUM_TEST_IMAGES", 5)
    bucket.put("cat/more.png")

    frozen, report = write_snapshot(store, now, test_share=0.5)
    pair = manifests_of(store, frozen)

    cats = frozen.labels[0]
    unused = 41 - cats.train - 5
    assert (cats.test, unused > 5) == (5, True)
    assert report.left_out == ((LeftOut.TEST_LIMIT.value, unused),)
    assert report.left_out_by_label["cat"] == unused
    assert pair.test.images["cat"] == 5
    assert manifest_keys(store, pair.test) <= manifest_keys(store, before.test) | {"cat/more.png"}
    assert manifest_keys(store, pair.train) == manifest_keys(store, before.train) | (
        {"cat/more.png"} & manifest_keys(store, pair.train)
    )
    assert count_images(store, now).digest == frozen.digest


def manifest_keys(store: S3Store, manifest: ManifestFile) -> set[str]:
    body = store.client.get_object(Bucket=store.bucket, Key=manifest.key)["Body"].read()
    return {json.loads(line)["source-ref"].split("/images_labeled_by_folder/")[1] for line in body.splitlines()}


COMPOSED, DECOMPOSED = "caf\u00e9", "cafe\u0301"


def test_folders_with_one_name_to_a_person_are_trained_as_one_label(
    store: S3Store, bucket: Bucket, now: datetime, reads: list[str]
) -> None:
    bucket.put_many(DECOMPOSED, 3)
    bucket.put_many(COMPOSED, 3, start=2)
    same = bucket.put(f"{COMPOSED}/same.png")
    bucket.put(f"{DECOMPOSED}/same.png", same)
    bucket.put_many("dog", 3)

    counted = count_images(store, now)
    frozen, report = write_snapshot(store, now)
    pair = manifests_of(store, frozen)

    assert [count.label for count in frozen.labels] == [COMPOSED, "dog"]
    assert counted.images == frozen.images + 1  # whose content is another's is known once they were read
    assert count_images(store, now).digest == frozen.digest
    assert report.left_out == ((LeftOut.DUPLICATE.value, 1),)
    assert report.merged == {COMPOSED: (DECOMPOSED, COMPOSED)}
    assert from_json(CheckReport, json.loads(json.dumps(to_json(report)))) == report
    folders = {key.split("/")[0] for manifest in (pair.train, pair.test) for key in manifest_keys(store, manifest)}
    assert folders == {COMPOSED, DECOMPOSED, "dog"}
    reads.clear()
    assert write_snapshot(store, now)[0].digest == frozen.digest
    assert reads == []


def test_an_image_is_not_read_again_when_its_label_is_written_in_another_way(
    store: S3Store, bucket: Bucket, now: datetime, reads: list[str]
) -> None:
    bucket.put_many(DECOMPOSED, 3)
    bucket.put(f"{DECOMPOSED}/bad.png", b"no image")
    bucket.put_many("dog", 3)
    for change in (None, bucket.put, bucket.delete):
        reads.clear()
        if change:
            change(f"{COMPOSED}/more.png")
        frozen, report = write_snapshot(store, now)
        assert frozen.labels[0].label == (COMPOSED if change == bucket.put else DECOMPOSED)
        assert report.left_out == ((LeftOut.FORMAT.value, 1),)
        assert len(reads) == (7 if change is None else change == bucket.put)
        assert count_images(store, now).digest == frozen.digest
