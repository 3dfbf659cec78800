"""What a stored snapshot holds that another lacks, by key and ETag."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from custom_labels.datasets.snapshot import LabelChange
from custom_labels.datasets.snapshot_records import changes, fetch_snapshot, read_header
from custom_labels.s3.store import S3Store
from tests.kit.fixtures import Bucket
from tests.kit.snapshots import write_snapshot


def changed(
    store: S3Store, now: datetime, folder: Path, trained: str | None = None, share: float = 0.2
) -> dict[str, LabelChange]:
    frozen = fetch_snapshot(store, write_snapshot(store, now, trained, test_share=share)[0].digest, folder)
    before = fetch_snapshot(store, trained, folder) if trained else None
    return {each.label: each for each in changes(frozen, before).labels}


def test_everything_is_new_where_nothing_was_trained(
    store: S3Store, bucket: Bucket, now: datetime, tmp_path: Path
) -> None:
    bucket.put_many("cat", 3)
    bucket.put_many("dog", 4)

    assert changed(store, now, tmp_path) == {"cat": LabelChange("cat", new=3), "dog": LabelChange("dog", new=4)}


def test_new_replaced_and_deleted_images_are_distinguished(
    store: S3Store, bucket: Bucket, now: datetime, tmp_path: Path
) -> None:
    for label in ("ant", "bee", "cat", "dog"):
        bucket.put_many(label, 5)
    trained = write_snapshot(store, now)[0].digest
    bucket.put("bee/000.png")  # the first, replaced
    bucket.delete("bee/002.png")
    bucket.delete("bee/004.png")  # the last
    bucket.put("bee/0021.png")
    bucket.put_many("bee", 2, start=7)
    for number in range(5):
        bucket.delete(f"cat/{number:03}.png")
    bucket.put_many("eel", 2)

    assert changed(store, now, tmp_path, trained) == {
        "ant": LabelChange("ant"),
        "bee": LabelChange("bee", new=3, changed=1, removed=2),
        "cat": LabelChange("cat", removed=5),
        "dog": LabelChange("dog"),
        "eel": LabelChange("eel", new=2),
    }


def test_images_that_judge_from_now_on_are_counted_when_the_share_is_raised(
    store: S3Store, bucket: Bucket, now: datetime, tmp_path: Path
) -> None:
    bucket.put_many("cat", 40)
    bucket.put_many("dog", 40)
    trained, _ = write_snapshot(store, now, test_share=0.2)
    bucket.put_many("dog", 1, start=50)

    found = changed(store, now, tmp_path, trained.digest, share=0.5)

    raised = read_header(store, write_snapshot(store, now, trained.digest, test_share=0.5)[0].digest).snapshot
    assert sum(each.to_train for each in found.values()) == 0
    assert raised.test_images - trained.test_images - sum(each.to_test for each in found.values()) in {0, 1}
    assert found["cat"].to_test > 0


def test_the_split_of_another_snapshot_is_followed_where_only_that_was_measured(
    store: S3Store, bucket: Bucket, now: datetime
) -> None:
    bucket.put_many("cat", 3)
    bucket.put_many("dog", 3)
    trained, _ = write_snapshot(store, now)
    bucket.put_many("eel", 2)
    measured, _ = write_snapshot(store, now, trained.digest, test_share=0.4)
    bucket.put_many("eel", 2, start=2)

    next_one, _ = write_snapshot(store, now, trained.digest, split_of=measured.digest)

    assert next_one.untrained == 4
    assert read_header(store, next_one.digest).split.share == 0.4
