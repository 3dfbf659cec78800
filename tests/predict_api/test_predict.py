"""The API against the embedded AWS: predictions, swaps, what refuses to answer, and images that go to people."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import pytest

from include.predict_api.function.api import PredictApi
from include.predict_api.function.bodies import SentImage
from include.predict_api.function.inbox import INBOX, inbox_key
from include.predict_api.function.settings import ApiSettings
from tests.kit.detect_runs import keys, point_to, put, serve, start, version_arn, wait_for_status
from tests.kit.predict_events import EVENTS, json_image, rest_event, said
from tests.kit.support import BUCKET, client, picture, rekognition, s3

if TYPE_CHECKING:
    from include.local_aws.process import LocalAws

LIVE = "registry/live.json"
PNG = picture("rows", 7)
DETECT = "rekognition.DetectCustomLabels"
ONCE = {"retries": {"mode": "standard", "total_max_attempts": 1}}


def make_api(aws: LocalAws, **settings: Any) -> PredictApi:
    given = {"pointer_seconds": 0.0, "images_below": "images_for_detection/", **settings}
    return PredictApi(ApiSettings(BUCKET, **given), client(aws, "rekognition", **ONCE), client(aws, "s3", **ONCE))


def calls(aws: LocalAws, operation: str) -> int:
    return int(aws.control.calls().get(operation, {}).get("calls", 0))


def stop(aws: LocalAws, project: str, name: str) -> None:
    rekognition(aws).stop_project_version(ProjectVersionArn=version_arn(aws, project, name))
    wait_for_status(aws, project, name, "STOPPED")


@pytest.mark.parametrize("shape", EVENTS)
def test_an_image_gets_the_predictions_of_the_live_version(aws: LocalAws, shape: str) -> None:
    serve(aws)
    asked = {"ProjectVersionArn": json.loads(s3(aws).get_object(Bucket=BUCKET, Key=LIVE)["Body"].read())["version_arn"]}
    found = rekognition(aws).detect_custom_labels(**asked, Image={"Bytes": PNG}, MinConfidence=0)["CustomLabels"]

    api = make_api(aws)
    answers = [
        said(api.handle(EVENTS[shape](body=PNG, min_confidence="0"))),
        said(api.handle(EVENTS[shape](body=json_image(PNG), content_type="application/json", min_confidence="0"))),
    ]

    expected = [{"label": each["Name"], "confidence": each["Confidence"]} for each in found]
    assert len(expected) == 2
    for status, body in answers:
        assert (status, body) == (
            200,
            {"predictions": expected, "version": "v1", "image": sha256(PNG).hexdigest()},
        )
    status, body = said(api.handle(EVENTS[shape](body=PNG, min_confidence="0", max_results="1")))
    assert body["predictions"] == expected[:1]
    assert said(api.handle(EVENTS[shape]("GET", "/health"))) == (200, {"version": "v1"})


def test_an_image_in_s3_is_read_by_the_model(aws: LocalAws) -> None:
    serve(aws)
    put(aws, "a.png", PNG)
    uri = f"s3://{BUCKET}/images_for_detection/a.png"
    body = json.dumps({"s3": uri}).encode()

    status, found = said(make_api(aws).handle(rest_event(body=body, content_type="application/json")))

    assert (status, found["image"], found["predictions"][0]["label"]) == (200, uri, "rows")


def test_a_swap_is_followed_without_a_restart(aws: LocalAws) -> None:
    project = serve(aws, "v1", "v2")
    api = make_api(aws)
    assert said(api.handle(rest_event(body=PNG)))[1]["version"] == "v1"

    start(aws, project, "v2")
    point_to(aws, project, "v2")

    assert said(api.handle(rest_event(body=PNG)))[1]["version"] == "v2"


def test_a_swap_is_followed_at_once_when_the_remembered_version_was_stopped(aws: LocalAws) -> None:
    project = serve(aws, "v1", "v2")
    api = make_api(aws, pointer_seconds=3600.0)
    assert said(api.handle(rest_event(body=PNG)))[1]["version"] == "v1"
    start(aws, project, "v2")
    point_to(aws, project, "v2")
    assert said(api.handle(rest_event(body=PNG)))[1]["version"] == "v1"

    stop(aws, project, "v1")

    assert said(api.handle(rest_event(body=PNG)))[1]["version"] == "v2"


def test_many_requests_that_a_stopped_version_refuses_read_the_pointer_few_times(aws: LocalAws) -> None:
    project = serve(aws)
    api = make_api(aws, pointer_seconds=3600.0)
    api.handle(rest_event(body=PNG))
    stop(aws, project, "v1")
    aws.control.clear_calls()
    aws.control.faults({"operation": DETECT, "kind": "slow", "seconds": 0.3})

    ready = threading.Barrier(8)

    def ask(_: int) -> int:
        ready.wait(30)
        return said(api.handle(rest_event(body=PNG)))[0]

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(ask, range(8))) == {503}
    assert calls(aws, DETECT) == 8
    assert 1 <= calls(aws, "s3.GetObject") < 8


def test_a_stopped_version_is_503_and_answers_once_it_runs_again(aws: LocalAws) -> None:
    project = serve(aws)
    api = make_api(aws, pointer_seconds=3600.0)
    stop(aws, project, "v1")

    refused = api.handle(rest_event(body=PNG))

    assert (said(refused)[0], said(refused)[1]["error"]) == (503, "nothing_serves")
    assert refused["headers"]["Retry-After"] == "30"
    start(aws, project, "v1")
    assert said(api.handle(rest_event(body=PNG)))[0] == 200


def test_a_deleted_version_is_503(aws: LocalAws) -> None:
    serve(aws)
    live = json.loads(s3(aws).get_object(Bucket=BUCKET, Key=LIVE)["Body"].read())
    live["version_arn"] = live["version_arn"].replace("/v1/", "/v9/")
    s3(aws).put_object(Bucket=BUCKET, Key=LIVE, Body=json.dumps(live).encode())

    assert said(make_api(aws).handle(rest_event(body=PNG)))[0] == 503


@pytest.mark.parametrize(
    ("content", "error"),
    [(None, "nothing_serves"), (b"{}", "nothing_serves"), (b"{", "pointer_unreadable")],
    ids=["missing", "set aside by a teardown", "damaged"],
)
def test_that_nothing_serves_is_remembered_as_long_as_what_serves(
    aws: LocalAws, content: bytes | None, error: str
) -> None:
    s3(aws).create_bucket(Bucket=BUCKET)
    if content is not None:
        s3(aws).put_object(Bucket=BUCKET, Key=LIVE, Body=content)
    api = make_api(aws, pointer_seconds=3600.0)

    answers = [api.handle(rest_event("GET", "/health")), *(api.handle(rest_event(body=PNG)) for _ in range(3))]

    assert [said(each)[1]["error"] for each in answers] == [error] * 4
    assert calls(aws, "s3.GetObject") == 1
    assert calls(aws, DETECT) == 0


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b'{"version_name": ""}',
        b'{"version_name": "v1"}',
        b'{"version_name": "v1", "version_arn": 7}',
        b"\xff\xfe",
    ],
)
def test_a_damaged_pointer_is_503_and_its_reason_is_logged(
    aws: LocalAws, content: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    s3(aws).create_bucket(Bucket=BUCKET)
    s3(aws).put_object(Bucket=BUCKET, Key=LIVE, Body=content)

    status, body = said(make_api(aws).handle(rest_event(body=PNG)))

    assert (status, body["error"]) == (503, "pointer_unreadable")
    line = json.loads(capsys.readouterr().out)
    assert f"s3://{BUCKET}/{LIVE} cannot be read" in line["cause"]
    assert BUCKET not in body["message"]


def test_the_last_version_goes_on_answering_while_the_pointer_is_damaged_or_s3_refuses(aws: LocalAws) -> None:
    serve(aws)
    api = make_api(aws)
    assert said(api.handle(rest_event(body=PNG)))[0] == 200

    aws.control.faults({"operation": "s3.GetObject", "kind": "error"})
    assert said(api.handle(rest_event(body=PNG)))[1]["version"] == "v1"
    aws.control.faults()
    s3(aws).put_object(Bucket=BUCKET, Key=LIVE, Body=b"{")
    assert said(api.handle(rest_event(body=PNG)))[1]["version"] == "v1"


@pytest.mark.parametrize(
    ("kind", "status", "error", "retry_after"),
    [("throttle", 429, "too_many_requests", "1"), ("error", 502, "model_failed", "1")],
)
def test_trouble_at_aws_is_the_callers_to_repeat(
    aws: LocalAws, kind: str, status: int, error: str, retry_after: str, capsys: pytest.CaptureFixture[str]
) -> None:
    serve(aws)
    aws.control.faults({"operation": DETECT, "kind": kind})

    found = make_api(aws).handle(rest_event(body=PNG))

    assert (said(found)[0], said(found)[1]["error"], found["headers"]["Retry-After"]) == (status, error, retry_after)
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["cause"]
    aws.control.faults()
    assert said(make_api(aws).handle(rest_event(body=PNG)))[0] == 200


def test_more_than_the_inference_units_answer_is_429(aws: LocalAws) -> None:
    serve(aws)
    aws.control.quotas(detect_tps_per_unit=1)
    api = make_api(aws)

    with ThreadPoolExecutor(4) as pool:
        statuses = list(pool.map(lambda _: said(api.handle(rest_event(body=PNG)))[0], range(8)))

    assert {200, 429} == set(statuses)


def test_a_server_that_cannot_be_reached_is_502(aws: LocalAws) -> None:
    serve(aws)
    import boto3
    from botocore.config import Config

    gone = boto3.client(
        "rekognition",
        endpoint_url="http://127.0.0.1:9",
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=Config(connect_timeout=1, retries={"total_max_attempts": 1}),
    )
    api = PredictApi(ApiSettings(BUCKET), gone, s3(aws))

    assert said(api.handle(rest_event(body=PNG)))[1]["error"] == "model_failed"


def small_picture() -> bytes:
    from tests.kit.pictures import png

    return png(1, (32, 96))


@pytest.mark.parametrize(
    ("content", "status", "error"),
    [
        (lambda: PNG[:200], 400, "bad_image"),
        (small_picture, 400, "bad_image"),
    ],
    ids=["damaged", "too small"],
)
def test_an_image_that_aws_refuses_is_400_in_our_own_words(
    aws: LocalAws, content: Callable[[], bytes], status: int, error: str
) -> None:
    serve(aws)

    found, body = said(make_api(aws).handle(rest_event(body=content())))

    assert (found, body["error"]) == (status, error)
    assert "arn:" not in body["message"]


def test_an_image_that_is_not_in_s3_is_400(aws: LocalAws) -> None:
    serve(aws)
    body = json.dumps({"s3": f"s3://{BUCKET}/images_for_detection/none.png"}).encode()

    assert said(make_api(aws).handle(rest_event(body=body, content_type="application/json")))[0] == 400


@pytest.mark.parametrize(
    ("method", "path", "status", "allowed"),
    [("GET", "/predict", 405, "POST"), ("POST", "/health", 405, "GET"), ("GET", "/", 404, None)],
)
def test_other_paths_and_methods_are_refused(
    aws: LocalAws, method: str, path: str, status: int, allowed: str | None
) -> None:
    found = make_api(aws).handle(rest_event(method, path))
    assert (found["statusCode"], found["headers"].get("Allow")) == (status, allowed)


@pytest.mark.parametrize(
    ("inbox", "doubt_below", "images"),
    [("none", 100.0, 0), ("doubtful", 0.0, 0), ("doubtful", 100.0, 1), ("all", 0.0, 1)],
)
def test_images_go_to_people_as_they_are_asked_for_and_once(
    aws: LocalAws, inbox: str, doubt_below: float, images: int
) -> None:
    serve(aws)
    api = make_api(aws, inbox=inbox, doubt_below=doubt_below)

    answers = [said(api.handle(rest_event(body=PNG))) for _ in range(2)]

    assert [status for status, _ in answers] == [200, 200]
    found = keys(aws, INBOX)
    assert len(found) == images
    for key in found:
        assert key == inbox_key(SentImage(PNG, ".png"), "", datetime.now(UTC))
        assert s3(aws).get_object(Bucket=BUCKET, Key=key)["Body"].read() == PNG


def test_what_the_caller_does_not_want_to_see_is_seen_by_doubt(aws: LocalAws) -> None:
    serve(aws)
    api = make_api(aws, inbox="doubtful", doubt_below=1.0, noise=0.0)

    status, body = said(api.handle(rest_event(body=PNG, min_confidence="100")))

    assert (status, body["predictions"], keys(aws, INBOX)) == (200, [], [])


def test_a_caller_gets_the_answer_though_the_image_cannot_be_put(
    aws: LocalAws, capsys: pytest.CaptureFixture[str]
) -> None:
    serve(aws)
    aws.control.faults({"operation": "s3.PutObject", "kind": "error"})

    assert said(make_api(aws, inbox="all").handle(rest_event(body=PNG)))[0] == 200
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(each["event"], each.get("inbox")) for each in lines] == [("inbox_failed", None), ("predicted", "failed")]


def test_the_log_has_no_image_in_it(aws: LocalAws, capsys: pytest.CaptureFixture[str]) -> None:
    serve(aws)
    api = make_api(aws)
    api.handle(rest_event(body=json_image(PNG), content_type="application/json"))
    api.handle(rest_event(body=b"{" + json_image(PNG), content_type="application/json"))

    lines = capsys.readouterr().out.splitlines()

    assert [(json.loads(line)["event"], len(line) < 700) for line in lines] == [("predicted", True), ("refused", True)]
