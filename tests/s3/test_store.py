"""The project's place in S3: compare-and-set, files, and errors that name the way out."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from custom_labels.s3.store import CONNECTIONS, PART_BYTES, ObjectChanged, ObjectExists, S3Store, StorageError


@pytest.mark.parametrize(
    ("prefix", "key"),
    [("", "a/b"), ("/", "a/b"), ("x", "x/a/b"), ("/x/y/", "x/y/a/b")],
    ids=["none", "a slash", "without a slash", "with slashes"],
)
def test_key_when_there_is_a_prefix(prefix: str, key: str) -> None:
    store = S3Store("bucket", prefix)
    assert store.key("a/b") == key
    assert store.uri("a/b") == f"s3://bucket/{key}"


@pytest.mark.parametrize(
    ("given", "attempts"),
    [(None, 7), ({"retries": {"total_max_attempts": 2}}, 2)],
    ids=["the connection's", "the store's own"],
)
def test_client_takes_the_botocore_options(
    monkeypatch: pytest.MonkeyPatch, given: dict[str, object] | None, attempts: int
) -> None:
    extra = {"region_name": "us-east-1", "config_kwargs": {"retries": {"total_max_attempts": 7}}}
    connection = {"conn_type": "aws", "login": "a", "password": "b", "extra": extra}
    monkeypatch.setenv("AIRFLOW_CONN_OPTIONS", json.dumps(connection))
    config: Any = S3Store("bucket", aws_conn_id="options", botocore_config=given).client.meta.config
    assert config.retries["total_max_attempts"] == attempts
    assert config.max_pool_connections == CONNECTIONS


def test_read_json_when_there_is_none(store: S3Store) -> None:
    assert store.read_json("nothing.json") == (None, None)


def test_create_json_when_there_is_none(store: S3Store) -> None:
    etag = store.create_json("new.json", {"é": 1})
    assert store.read_json("new.json") == ({"é": 1}, etag)


def test_create_json_when_another_wrote_it(store: S3Store) -> None:
    store.create_json("lock.json", {"owner": "a"})
    with pytest.raises(ObjectExists, match=r"lock\.json was written by another writer"):
        store.create_json("lock.json", {"owner": "b"})
    assert store.read_json("lock.json")[0] == {"owner": "a"}


def test_create_json_when_its_own_first_try_took_effect(store: S3Store) -> None:
    etag = store.create_json("lock.json", {"owner": "a"})
    assert store.create_json("lock.json", {"owner": "a"}) == etag


def test_replace_json_when_nobody_else_wrote(store: S3Store) -> None:
    etag = store.create_json("live.json", {"version": 1})
    store.replace_json("live.json", {"version": 2}, etag)
    assert store.read_json("live.json")[0] == {"version": 2}


def test_replace_json_when_another_wrote_meanwhile(store: S3Store) -> None:
    etag = store.create_json("live.json", {"version": 1})
    store.write_json("live.json", {"version": 3})
    with pytest.raises(ObjectChanged, match="ours was not written"):
        store.replace_json("live.json", {"version": 2}, etag)


def test_replace_json_when_its_own_first_try_took_effect(store: S3Store) -> None:
    etag = store.create_json("live.json", {"version": 1})
    written = store.replace_json("live.json", {"version": 2}, etag)
    assert store.replace_json("live.json", {"version": 2}, etag) == written


def test_replace_json_when_it_was_deleted(store: S3Store) -> None:
    etag = store.create_json("live.json", {"version": 1})
    store.call("delete_object", "live.json")
    with pytest.raises(ObjectChanged):
        store.replace_json("live.json", {"version": 2}, etag)


def test_exists(store: S3Store) -> None:
    store.write_json("some.json.more", 1)
    assert not store.exists("some.json")
    store.write_json("some.json", 1)
    assert store.exists("some.json")


def test_read_json_when_it_is_no_json(store: S3Store) -> None:
    store.call("put_object", "broken.json", Body=b"{")
    with pytest.raises(StorageError, match=r"broken\.json is no JSON"):
        store.read_json("broken.json")


@pytest.mark.parametrize(
    "action",
    [
        pytest.param(lambda store: store.read_json("a"), id="read"),
        pytest.param(lambda store: store.create_json("a", 1), id="create"),
        pytest.param(lambda store: store.exists("a"), id="exists"),
        pytest.param(lambda store: store.download("a", Path("/dev/null")), id="download"),
        pytest.param(lambda store: store.upload(Path(__file__), "a"), id="upload"),
    ],
)
def test_error_has_four_parts_when_the_bucket_is_missing(store: S3Store, action: object) -> None:
    store.bucket = "no-such-bucket"
    with pytest.raises(StorageError) as caught:
        action(store)  # type: ignore[operator]
    assert "NoSuchBucket: The specified bucket does not exist" in str(caught.value)
    assert "s3://no-such-bucket/some/project/a" in str(caught.value)
    assert "'bucket' is 'no-such-bucket'; create that bucket, or correct 'bucket'." in str(caught.value)


def test_error_names_the_connection_when_nobody_answers(store: S3Store, monkeypatch: pytest.MonkeyPatch) -> None:
    extra = '{"conn_type": "aws", "extra": {"endpoint_url": "http://127.0.0.1:9", "region_name": "us-east-1"}}'
    monkeypatch.setenv("AIRFLOW_CONN_NOBODY", extra)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    unreachable = S3Store("bucket", aws_conn_id="nobody", botocore_config={"retries": {"total_max_attempts": 1}})
    with pytest.raises(StorageError, match="endpoint_url of the Airflow connection 'nobody' and the network"):
        unreachable.read_json("a")


@pytest.mark.parametrize("size", [0, 10, PART_BYTES + 1], ids=["empty", "small", "in parts"])
def test_upload_and_download_give_the_same_bytes(store: S3Store, tmp_path: Path, size: int) -> None:
    source, copy = tmp_path / "source", tmp_path / "copy"
    source.write_bytes(b"x" * size)
    store.upload(source, "file")
    assert store.download("file", copy)
    assert copy.read_bytes() == source.read_bytes()


def test_upload_does_nothing_when_the_same_is_there(store: S3Store, tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.write_bytes(b"content")
    etag = store.upload(source, "file")
    head = store.client.head_object(Bucket=store.bucket, Key=store.key("file"))
    assert head["Metadata"] == {"sha256": hashlib.sha256(b"content").hexdigest()}
    assert store.upload(source, "file") == etag
    assert store.client.head_object(Bucket=store.bucket, Key=store.key("file"))["LastModified"] == head["LastModified"]


def test_download_when_there_is_none(store: S3Store, tmp_path: Path) -> None:
    assert not store.download("nothing", tmp_path / "copy")
