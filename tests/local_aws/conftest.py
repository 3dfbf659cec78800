"""One embedded AWS for the whole folder, which fits a model once; `aws` is it with nothing in it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from include.local_aws.process import LocalAws
from tests.local_aws.support import BUCKET, Aws

FAST = [
    *("--duration", "project_create=0.05"),
    *("--duration", "project_delete=0.05"),
    *("--duration", "dataset_create=0.05"),
    *("--duration", "dataset_update=0.05"),
    *("--duration", "dataset_delete=0.05"),
    *("--duration", "training=0.1"),
    *("--duration", "version_start=0.1"),
    *("--duration", "version_stop=0.1"),
    *("--duration", "version_delete=0.05"),
    *("--duration", "version_copy=0.1"),
    *("--duration", "flow_create=0.05"),
    *("--duration", "flow_delete=0.05"),
    *("--duration", "loop_start=0.05"),
    *("--duration", "loop_stop=0.05"),
    *("--duration", "job_start=0.05"),
    *("--duration", "job_stop=0.05"),
]


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory, shared_folder: Path) -> Iterator[LocalAws]:
    log = tmp_path_factory.mktemp("local_aws") / "log.txt"
    memory = str(shared_folder / "fitted_models")
    with LocalAws([*FAST, "--memory", memory], log=log) as running:
        yield running


@pytest.fixture
def aws(server: LocalAws) -> Aws:
    return _empty(server)


@pytest.fixture
def forgetful_aws(tmp_path: Path) -> Iterator[Aws]:
    """One that fits each model anew."""
    with LocalAws(FAST, log=tmp_path / "log.txt") as running:
        yield _empty(running)


@pytest.fixture(scope="module")
def shared_aws(server: LocalAws) -> Aws:
    """Emptied once a module: for modules that train one model and ask it many things."""
    return _empty(server)


def _empty(server: LocalAws) -> Aws:
    server.control.reset()
    aws = Aws(server.endpoint_url)
    aws.s3.create_bucket(Bucket=BUCKET)
    return aws
