"""Our own pages in Airflow's API server: who may see them, what they refuse, and with which headers they come."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from fastapi.testclient import TestClient

from custom_labels.core.settings import load_project
from custom_labels.evaluation.decision_records import Decisions
from custom_labels.review.review import ReviewRequest
from custom_labels.review.statistics import OpenReviews, ReviewStatistics, make_statistics
from custom_labels.review.statistics_page import statistics_page
from custom_labels.review.statistics_records import STATISTICS
from custom_labels.s3.store import S3Store
from custom_labels.web.dag_arguments import dag_arguments
from tests.kit.airflow_page import on_airflow_page, set_up_page
from tests.kit.pictures import png
from tests.kit.refused_access import refuse_access
from tests.kit.review_project import make_request, open_one
from tests.kit.support import BUCKET, picture, s3

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
    asked = refuse_access(monkeypatch)

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


CURVE = "/custom-labels/digits/learning-curve"


def test_the_learning_curve_is_shown_to_whoever_may_read_the_train_dag(
    server: Any, page: bytes, aws: LocalAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = server.get(CURVE, headers=token("VIEWER"))
    s3(aws).put_object(Bucket=BUCKET, Key="registry/learning_curve.svg", Body=b"<svg/>")
    after = server.get(CURVE, headers=token("VIEWER"))

    assert (before.status_code, before.json()["detail"]) == (404, "No version of project 'digits' was evaluated yet.")
    assert (after.status_code, after.content, after.headers["Content-Type"]) == (200, b"<svg/>", "image/svg+xml")
    assert after.headers["Content-Security-Policy"].startswith("sandbox; default-src 'none';")
    assert server.get(CURVE).status_code == 401
    asked = refuse_access(monkeypatch)
    assert server.get(CURVE, headers=token("ADMIN")).status_code == 403
    assert asked == [("GET", "digits_train")]


RESULT = f"detections/a shelf.png/{'e' * 32}/v1.json"
DRAWN = f"/custom-labels/digits/{RESULT}"


@pytest.fixture
def result(page: bytes, aws: LocalAws) -> dict[str, Any]:
    """A result of boxes in the bucket, and its image."""
    key = "images_for_detection/a shelf.png"
    label = {"name": "<script>alert(1)</script>", "confidence": 91.0}
    record = {
        "image": f"s3://{BUCKET}/{key}",
        "key": key,
        "etag": "e" * 32,
        "version_name": "v1",
        "labels": [{**label, "box": {"left": 0.1, "top": 0.2, "width": 0.3, "height": 0.4}}],
    }
    s3(aws).put_object(Bucket=BUCKET, Key=key, Body=png(1, (128, 96)))
    s3(aws).put_object(Bucket=BUCKET, Key=RESULT, Body=json.dumps(record).encode())
    return record


def test_a_result_is_drawn_over_its_image_and_can_run_nothing(server: Any, result: dict[str, Any]) -> None:
    answer = server.get(DRAWN, headers=token("VIEWER"))

    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "image/svg+xml")
    assert answer.headers["Content-Security-Policy"].startswith("sandbox; default-src 'none';")
    assert "data:image/jpeg;base64," in answer.text
    assert "91 % &lt;script&gt;alert(1)&lt;/sc" in answer.text
    assert "<script" not in answer.text
    assert server.get(DRAWN).status_code == 401


@pytest.mark.parametrize(
    ("key", "words"), [("images_for_detection/gone.png", "<svg"), (RESULT, "<svg")], ids=["gone", "no picture"]
)
def test_a_result_is_drawn_on_grey_where_its_image_cannot_be_shown(
    server: Any, aws: LocalAws, result: dict[str, Any], key: str, words: str
) -> None:
    s3(aws).put_object(Bucket=BUCKET, Key=RESULT, Body=json.dumps({**result, "key": key}).encode())

    answer = server.get(DRAWN, headers=token("VIEWER"))

    assert answer.status_code == 200
    assert words in answer.text
    assert "data:image" not in answer.text


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/digits/detections/other.json", 404),
        ("/digits/detections/../registry/live.json", 404),
        ("/digits/detections/%2e%2e/registry/project.json", 404),
        ("/birds/detections/a.json", 404),
        ("/digits/detections/a.png", 422),
        ("/digits/detections/" + "x" * 1100 + ".json", 422),
    ],
)
def test_a_result_that_there_is_not_is_refused(server: Any, result: dict[str, Any], path: str, status: int) -> None:
    assert server.get(f"/custom-labels{path}", headers=token("ADMIN")).status_code == status


@pytest.mark.parametrize("body", [b"", b"{}", b"[1]", b"\xff"], ids=["empty", "nothing in it", "a list", "no text"])
def test_what_is_no_result_is_not_drawn(server: Any, aws: LocalAws, result: dict[str, Any], body: bytes) -> None:
    s3(aws).put_object(Bucket=BUCKET, Key=RESULT, Body=body)

    assert server.get(DRAWN, headers=token("ADMIN")).status_code == 404


REVIEWS = "/custom-labels/digits/reviews"


@pytest.fixture
def counted(page: bytes) -> ReviewStatistics:
    """Statistics of reviews in the bucket."""
    statistics = make_statistics(None, OpenReviews("2026-11-20T12:00:00+00:00", 7), {}, "run-1")
    STATISTICS.change(S3Store(BUCKET, region_name="us-east-1"), lambda _: statistics)
    return statistics


@pytest.mark.parametrize(
    ("role", "status"), [(None, 401), ("VIEWER", 200), ("ADMIN", 200)], ids=["nobody", "viewer", "admin"]
)
def test_whoever_may_read_the_harvest_dag_may_read_the_reviews(
    server: Any, counted: ReviewStatistics, role: str | None, status: int
) -> None:
    answer = server.get(REVIEWS, headers=token(role))

    assert answer.status_code == status
    assert (answer.text == statistics_page("digits", counted)) is (status == 200)


def test_access_to_the_reviews_is_asked_for_the_projects_harvest_dag(
    server: Any, counted: ReviewStatistics, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = refuse_access(monkeypatch)

    assert server.get(REVIEWS, headers=token("ADMIN")).status_code == 403
    assert asked == [("GET", "digits_harvest_reviews")]


@pytest.mark.parametrize(
    ("project", "body", "status", "words"),
    [
        ("digits", None, 404, "No harvest has counted the reviews of project 'digits' yet."),
        ("birds", None, 404, "There is no project 'birds'"),
        ("digits", b'{"numbers": 1}', 502, "reviews/statistics.json is not as this package writes it"),
    ],
    ids=["not yet", "no project", "broken"],
)
def test_reviews_that_cannot_be_shown_are_refused(
    server: Any, aws: LocalAws, page: bytes, project: str, body: bytes | None, status: int, words: str
) -> None:
    if body is not None:
        s3(aws).put_object(Bucket=BUCKET, Key=STATISTICS.key, Body=body)

    answer = server.get(f"/custom-labels/{project}/reviews", headers=token("ADMIN"))

    assert (answer.status_code, answer.headers["Content-Type"]) == (status, "application/json")
    assert words in answer.json()["detail"]


def test_the_harvest_dags_documentation_links_to_the_reviews(server: Any, counted: ReviewStatistics) -> None:
    doc = dag_arguments(load_project("digits"), "harvest_reviews", "")["doc_md"]

    (address,) = re.findall(r"\[this page\]\((.*?)\)", doc)
    assert server.get(address, headers=token("VIEWER")).status_code == 200


@pytest.fixture
def asked(aws: LocalAws, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ReviewRequest:
    """A review that is open on Airflow's page."""
    backend = set_up_page(aws, on_airflow_page(tmp_path, monkeypatch))
    request = make_request(aws, 1)
    assert open_one(backend, request)
    return request


def image_of(review: str, project: str = "digits") -> str:
    return f"/custom-labels/{project}/reviews/{review}/image"


def test_the_image_of_a_review_is_shown_by_a_link_of_a_few_minutes(server: Any, asked: ReviewRequest) -> None:
    answer = server.get(image_of(asked.name), headers=token("VIEWER"), follow_redirects=False)

    assert answer.status_code == 307
    assert answer.headers["Cache-Control"] == "no-store"
    assert "X-Amz-Expires=300" in answer.headers["Location"]
    assert httpx.get(answer.headers["Location"]).content == picture("rows", 1)
    assert server.get(image_of(asked.name), follow_redirects=False).status_code == 401


def test_access_to_an_image_is_asked_for_the_dag_that_asks(
    server: Any, asked: ReviewRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = refuse_access(monkeypatch)

    assert server.get(image_of(asked.name), headers=token("ADMIN"), follow_redirects=False).status_code == 403
    assert seen == [("GET", "digits_ask_people")]


@pytest.mark.parametrize(
    ("path", "status"),
    [
        (image_of("digits-0-r1"), 404),
        (image_of("digits-0-r1", "birds"), 404),
        (image_of("..%2f..%2fregistry%2fproject"), 404),
        (image_of("A"), 422),
        (image_of("a" * 64), 422),
    ],
    ids=["unknown", "another project's", "elsewhere", "no name", "too long"],
)
def test_an_image_that_is_asked_about_nowhere_is_refused(
    server: Any, asked: ReviewRequest, path: str, status: int
) -> None:
    assert server.get(path, headers=token("ADMIN"), follow_redirects=False).status_code == status
