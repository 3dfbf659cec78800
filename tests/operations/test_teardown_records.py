"""Deleting what a project has in S3: its own folders alone, in batches, and on from where it was refused."""

from __future__ import annotations

import pytest

from custom_labels.operations.teardown import Stored
from custom_labels.operations.teardown_records import FOLDERS, Storage
from custom_labels.s3.store import S3Store, StorageError

OTHERS = ["elsewhere/a.png", "registry.txt", "imports-of-others/a"]
KEPT = ["registry/lock.json", "registry/project.json", "registry/trainings.json"]


def fill(store: S3Store, folder: str, count: int) -> None:
    for number in range(count):
        store.call("put_object", f"{folder}{number:05}", Body=b"12345")


def keys(store: S3Store) -> list[str]:
    pages = store.client.get_paginator("list_objects_v2").paginate(Bucket=store.bucket, Prefix=store.prefix)
    return [each["Key"].removeprefix(store.prefix) for page in pages for each in page.get("Contents", [])]


@pytest.fixture
def filled(store: S3Store) -> S3Store:
    """Objects in each of the project's folders, beside them, and beside the project."""
    for folder in FOLDERS:
        fill(store, folder, 2)
    for key in (*OTHERS, *KEPT):
        store.call("put_object", key, Body=b"{}")
    store.client.put_object(Bucket=store.bucket, Key="some/other-project/registry/a.json", Body=b"{}")
    return store


def test_what_is_counted_is_below_the_projects_own_folders(filled: S3Store) -> None:
    storage = Storage(filled, "digits_teardown")

    assert storage.count() == Stored(2 * len(FOLDERS) + 3, 10 * len(FOLDERS) + 6)
    assert storage.count(with_kept=False) == Stored(2 * len(FOLDERS), 10 * len(FOLDERS))


@pytest.mark.parametrize("versioning", ["", "Enabled", "Suspended"])
def test_all_of_it_goes_and_nothing_beside_it(filled: S3Store, versioning: str) -> None:
    bucket, s3 = filled.bucket, filled.client
    if versioning:
        s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": versioning})  # type: ignore[typeddict-item]
        fill(filled, "audit/", 1)
        filled.call("delete_object", "audit/00001")
    storage = Storage(filled, "digits_teardown")

    assert storage.delete().objects > len(FOLDERS)
    assert keys(filled) == sorted([*OTHERS, *KEPT])
    assert s3.head_object(Bucket=bucket, Key="some/other-project/registry/a.json")["ContentLength"] == 2
    versions = s3.list_object_versions(Bucket=bucket, Prefix=f"{filled.prefix}audit/")
    assert versions.get("Versions", []) == versions.get("DeleteMarkers", []) == []
    assert storage.delete() == Stored()


@pytest.mark.parametrize("versioning", ["", "Enabled"])
def test_more_than_a_batch_goes(store: S3Store, versioning: str) -> None:
    if versioning:
        store.client.put_bucket_versioning(Bucket=store.bucket, VersioningConfiguration={"Status": "Enabled"})
    fill(store, "audit/", 1003)

    assert Storage(store, "digits_teardown").delete() == Stored(1003, 5015)
    assert keys(store) == []


def test_an_object_that_s3_refuses_to_delete_is_named_and_the_rest_goes(
    filled: S3Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """S3 answers 200 and names what it did not delete."""
    refused = {"Key": f"{filled.prefix}audit/00000", "Code": "AccessDenied", "Message": "Access Denied"}
    answer = filled.client.delete_objects

    def refuse_one(Bucket: str, Delete: dict[str, list[dict[str, str]]]) -> dict[str, object]:  # noqa: N803
        rest = [each for each in Delete["Objects"] if each["Key"] != refused["Key"]]
        answer(Bucket=Bucket, Delete={"Objects": rest})  # type: ignore[typeddict-item]
        return {"Errors": [refused]} if len(rest) < len(Delete["Objects"]) else {}

    monkeypatch.setattr(filled.client, "delete_objects", refuse_one)
    with pytest.raises(StorageError, match="AccessDenied: Access Denied") as refusal:
        Storage(filled, "digits_teardown").delete()
    assert "the first s3://" in str(refusal.value)
    assert "TeardownMayDelete" in str(refusal.value)
    assert "audit/00000" in keys(filled)
    monkeypatch.undo()

    Storage(filled, "digits_teardown").delete()

    assert keys(filled) == sorted([*OTHERS, *KEPT])
