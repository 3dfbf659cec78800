"""Our own pages in Airflow's API server: who may see them, what they refuse, and with which headers they come."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest
from fastapi.testclient import TestClient

from custom_labels.evaluation.decision_records import Decisions
from custom_labels.s3.store import S3Store
from tests.kit.support import BUCKET, s3

if TYPE_CHECKING:
    from include.local_aws.process import LocalAws

# One process starts the server, not each.
pytestmark = pytest.mark.xdist_group("ui")

VERSION = "digits-20261121T120000-0123456789ab"
PAGE = f"/custom-labels/digits/decisions/{VERSION}"


@pytest.fixture(scope="module")
def server(airflow_db: None) -> Iterator[Any]:
    """Airflow's API server, with the plugin."""
    from airflow.api_fastapi.app import create_app, purge_cached_app

    purge_cached_app()
    with TestClient(create_app(), raise_server_exceptions=False) as client:
        yield client
    purge_cached_app()


def token(role: str | None) -> dict[str, str]:
    """Give the header of a user with a role, none for nobody."""
    from airflow.api_fastapi.app import get_auth_manager
    from airflow.api_fastapi.auth.managers.simple.user import SimpleAuthManagerUser

    if role is None:
        return {}
    user = SimpleAuthManagerUser(username="anna", role=role)
    return {"Authorization": f"Bearer {get_auth_manager().generate_jwt(user)}"}


@pytest.fixture
def page(aws: LocalAws) -> bytes:
    """A decision in the bucket."""
    s3(aws).create_bucket(Bucket=BUCKET)
    store = S3Store(BUCKET, region_name="us-east-1")
    Decisions(store, VERSION).save({"passed": True}, "<!doctype html><title>größe</title>")
    return "<!doctype html><title>größe</title>".encode()


@pytest.mark.parametrize(
    ("role", "status"), [(None, 401), ("VIEWER", 200), ("ADMIN", 200)], ids=["nobody", "viewer", "admin"]
)
def test_whoever_may_read_the_dag_may_read_the_decision(
    server: Any, page: bytes, role: str | None, status: int
) -> None:
    answer = server.get(PAGE, headers=token(role))

    assert answer.status_code == status
    assert (answer.content == page) is (status == 200)


def test_access_is_asked_for_the_projects_train_dag(server: Any, page: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    from airflow.api_fastapi.app import get_auth_manager

    asked = []

    def refuse(*, method: str, details: Any, **_: Any) -> bool:
        asked.append((method, details.id))
        return False

    monkeypatch.setattr(get_auth_manager(), "is_authorized_dag", refuse)

    assert server.get(PAGE, headers=token("ADMIN")).status_code == 403
    assert asked == [("GET", "digits_train")]


def test_the_page_can_run_nothing_and_is_kept_nowhere(server: Any, page: bytes) -> None:
    headers = server.get(PAGE, headers=token("VIEWER")).headers

    assert headers["Content-Security-Policy"].startswith("sandbox; default-src 'none';")
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cache-Control"] == "no-store"
    assert headers["Content-Type"] == "text/html; charset=utf-8"


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        ("/digits/decisions/other", 404, "There is no decision about a version 'other' of project 'digits'."),
        ("/birds/decisions/v1", 404, "There is no project 'birds'"),
        ("/digits/decisions/..%2f..%2fregistry%2flive", 404, "Not Found"),
        ("/digits/decisions/..", 404, "Not Found"),
        ("/digits/decisions/%2e%2e", 422, "should match pattern"),
        ("/digits/decisions/a%20b", 422, "should match pattern"),
        ("/digits/decisions/...", 422, "should match pattern"),
        ("/.hidden/decisions/v1", 422, "should match pattern"),
        ("/digits%00/decisions/v1", 422, "should match pattern"),
    ],
)
def test_what_there_is_not_is_refused(server: Any, page: bytes, path: str, status: int, words: str) -> None:
    answer = server.get(f"/custom-labels{path}", headers=token("ADMIN"))

    assert answer.status_code == status
    assert words in answer.text


def test_a_bucket_that_cannot_be_read_is_said(server: Any, aws: LocalAws) -> None:
    answer = server.get(PAGE, headers=token("ADMIN"))

    assert answer.status_code == 502
    assert "NoSuchBucket" in answer.json()["detail"]
