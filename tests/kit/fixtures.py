"""Fixtures that tests of several rooms share: a project's objects in S3, and a project whose review is set up."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from custom_labels.s3 import store as store_module
from custom_labels.s3.store import S3Store
from tests.kit.label_studio import connections
from tests.kit.pictures import png
from tests.kit.review_project import ReviewProject, set_up_review
from tests.kit.statsd import Statsd, send_nothing, send_to
from tests.kit.support import BUCKET, s3

if TYPE_CHECKING:
    from include.label_studio.server import LabelStudio
    from include.local_aws.process import LocalAws

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def endpoint() -> Iterator[str]:
    """The URL of an S3 server."""
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def store(endpoint: str, monkeypatch: pytest.MonkeyPatch) -> S3Store:
    """A project in a bucket of its own."""
    extra = {"endpoint_url": endpoint, "region_name": "us-east-1"}
    monkeypatch.setenv(
        "AIRFLOW_CONN_STORAGE_TESTS",
        json.dumps({"conn_type": "aws", "login": "test", "password": "test", "extra": extra}),
    )
    store = S3Store(f"bucket-{next(_numbers)}", "some/project", aws_conn_id="storage_tests")
    store.client.create_bucket(Bucket=store.bucket)
    return store


@pytest.fixture
def troubled_store(aws: LocalAws, monkeypatch: pytest.MonkeyPatch) -> S3Store:
    """A project on the embedded AWS, which makes trouble when asked; retries do not wait as long as usual."""
    extra = {"endpoint_url": aws.endpoint_url, "region_name": "us-east-1"}
    monkeypatch.setenv(
        "AIRFLOW_CONN_TROUBLE",
        json.dumps({"conn_type": "aws", "login": "test", "password": "test", "extra": extra}),
    )
    monkeypatch.setattr(store_module, "LONGEST_PAUSE", 0.2)
    config = {"retries": {"mode": "standard", "total_max_attempts": 2}}
    store = S3Store("trouble", "p", aws_conn_id="trouble", botocore_config=config)
    store.client.create_bucket(Bucket=store.bucket)
    return store


class Bucket:
    """Puts images into a project's bucket, each with a content of its own unless told otherwise."""

    def __init__(self, store: S3Store) -> None:
        self.store = store
        self._seeds = itertools.count(1)

    def put(self, relative: str, body: bytes | None = None, **more: Any) -> bytes:
        """Put one object below ``images_labeled_by_folder/``; a new PNG image if no body is given."""
        content = png(next(self._seeds)) if body is None else body
        key = self.store.key(f"images_labeled_by_folder/{relative}")
        self.store.client.put_object(Bucket=self.store.bucket, Key=key, Body=content, **more)
        return content

    def put_many(self, label: str, count: int, start: int = 0) -> None:
        """Put images ``<label>/000.png``, ``001.png`` and so on."""
        for number in range(start, start + count):
            self.put(f"{label}/{number:03}.png")

    def delete(self, relative: str) -> None:
        """Delete an object below ``images_labeled_by_folder/``."""
        self.store.call("delete_object", f"images_labeled_by_folder/{relative}")

    def list_keys(self) -> list[str]:
        """List everything in the bucket."""
        listed = self.store.client.list_objects_v2(Bucket=self.store.bucket)
        return [entry["Key"] for entry in listed.get("Contents", [])]


@pytest.fixture
def bucket(store: S3Store) -> Bucket:
    """Puts images into the project's bucket."""
    return Bucket(store)


@pytest.fixture
def now() -> datetime:
    """A moment after all that a test puts."""
    return datetime.now(UTC) + timedelta(minutes=5)


@pytest.fixture
def aws_store(aws: LocalAws) -> S3Store:
    """A project in an empty bucket of the embedded AWS."""
    s3(aws).create_bucket(Bucket=BUCKET)
    return S3Store(BUCKET, "a/project")


@pytest.fixture
def review_project(aws: LocalAws) -> ReviewProject:
    """A project whose review is set up in the embedded AWS, its flows Active, and nobody who answers."""
    return set_up_review(aws)


@pytest.fixture
def statsd(monkeypatch: pytest.MonkeyPatch) -> Iterator[Statsd]:
    """A StatsD server without tags, to which Airflow's own logger of metrics sends from this process."""
    monkeypatch.setenv("AIRFLOW__METRICS__STATSD_ON", "True")
    server = Statsd()
    send_to(*server.address)
    yield server
    send_nothing()
    server.socket.close()


@pytest.fixture(scope="session")
def label_studio_process() -> Iterator[LabelStudio]:
    """A Label Studio for the whole session; its database is made once, and kept beside its packages."""
    from include.label_studio.server import LabelStudio, installed

    if why := installed():
        pytest.skip(why)
    with LabelStudio() as server:
        yield server


@pytest.fixture
def label_studio(label_studio_process: LabelStudio, monkeypatch: pytest.MonkeyPatch) -> LabelStudio:
    """Label Studio, with Airflow's connections to it; it keeps what earlier tests made."""
    for name, value in connections(label_studio_process).items():
        monkeypatch.setenv(name, value)
    return label_studio_process
