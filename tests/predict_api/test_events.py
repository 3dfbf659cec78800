"""Events of both kinds of API come to the same request, and what a body holds is found or refused with a sentence."""

from __future__ import annotations

import json
from typing import Any

import pytest

from include.predict_api.function.bodies import LARGEST_IMAGE_BYTES, SentImage, StoredImage, image_of
from include.predict_api.function.errors import SettingError, Trouble
from include.predict_api.function.events import Request, request_of
from include.predict_api.function.predict import Wanted, is_doubtful
from include.predict_api.function.settings import ApiSettings
from include.predict_api.gateway import Shape, to_event
from tests.kit.predict_events import EVENTS, http_event, json_image, rest_event
from tests.kit.support import picture

PNG, JPEG = picture("rows", 7), picture("rows", 7, "JPEG")
SETTINGS = ApiSettings("bucket", "a/project/", images_below="images_for_detection/")


@pytest.mark.parametrize("shape", EVENTS)
@pytest.mark.parametrize("is_base64", [True, False], ids=["base64", "text"])
def test_both_shapes_are_the_same_request(shape: str, *, is_base64: bool) -> None:
    event = EVENTS[shape](
        body=b'{"s3": "x"}', content_type="Application/JSON; v=1", is_base64=is_base64, max_results="3"
    )

    request = request_of(event)

    assert (request.method, request.path, request.body) == ("POST", "/predict", b'{"s3": "x"}')
    assert (request.content_type, dict(request.query)) == ("application/json", {"max_results": "3"})
    assert request.request_id == event["requestContext"]["requestId"]


def changed(event: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {**event, **more}


@pytest.mark.parametrize(
    ("event", "path"),
    [
        (rest_event(), "/predict"),
        (changed(rest_event(), path="/models/predict"), "/predict"),
        (changed(rest_event(), resource="/{proxy+}", path="/predict/"), "/predict"),
        (changed(rest_event(), resource="/{proxy+}", path="/testStage/predict"), "/predict"),
        (changed(rest_event(), resource="/{proxy+}", path="/testStages/predict"), "/testStages/predict"),
        (http_event(), "/predict"),
        (changed(http_event(), rawPath="/my-stage"), "/"),
        (changed(http_event(), rawPath="/models/predict", routeKey="POST /predict"), "/predict"),
        ({}, "/"),
    ],
    ids=["route", "own domain", "proxy", "stage", "like a stage", "http", "http root", "http route", "empty event"],
)
def test_the_path_is_the_route_without_the_stage(event: dict[str, Any], path: str) -> None:
    assert request_of(event).path == path


def test_names_of_headers_count_in_any_case_and_may_be_missing() -> None:
    assert request_of(changed(rest_event(), headers={"CONTENT-TYPE": "image/png"})).content_type == "image/png"
    assert request_of(changed(rest_event(), headers=None)).content_type == ""


@pytest.mark.parametrize("shape", Shape)
def test_the_local_gateway_words_a_repeated_parameter_as_both_kinds_do(shape: Shape) -> None:
    event = to_event(shape, "POST", "/predict?max_results=1&max_results=2", [("Content-Type", "image/png")], PNG)

    request = request_of(event)

    assert (dict(request.query), request.body, request.path) == ({"max_results": "1,2"}, PNG, "/predict")


def test_damaged_base64_of_the_gateway_is_refused() -> None:
    with pytest.raises(Trouble, match="damaged") as refused:
        request_of(changed(rest_event(), body="not base64!"))
    assert refused.value.status == 400


def request(body: bytes, kind: str) -> Request:
    return Request("POST", "/predict", {"content-type": kind}, {}, body, "id")


@pytest.mark.parametrize("kind", ["image/png", "image/jpeg; q=1", "application/octet-stream", "application/json"])
@pytest.mark.parametrize(("content", "ending"), [(PNG, ".png"), (JPEG, ".jpg")], ids=["png", "jpeg"])
def test_an_image_is_found_in_every_kind_of_body(kind: str, content: bytes, ending: str) -> None:
    body = json_image(content) if kind == "application/json" else content

    assert image_of(request(body, kind), SETTINGS) == SentImage(content, ending)


def test_an_image_in_the_projects_folder_is_named() -> None:
    uri = "s3://bucket/a/project/images_for_detection/ä b.png"

    found = image_of(request(json.dumps({"s3": uri}).encode(), "application/json"), SETTINGS)

    assert found == StoredImage("bucket", "a/project/images_for_detection/ä b.png")
    assert found.name == uri


LARGE = b"\x89PNG\r\n\x1a\n" + bytes(LARGEST_IMAGE_BYTES)


@pytest.mark.parametrize(
    ("kind", "body", "status", "words"),
    [
        ("", PNG, 415, "Content-Type is ''"),
        ("image/gif", PNG, 415, "expected image/jpeg"),
        ("image/png", b"", 400, "no image in it"),
        ("image/png", b"GIF89a", 400, "neither JPEG nor PNG"),
        ("image/png", LARGE, 413, "4,194,312 bytes"),
        ("application/json", json_image(LARGE), 413, "4,194,312 bytes"),
        ("application/json", b"", 400, "no JSON"),
        ("application/json", b"\xff\xfe{", 400, "no JSON"),
        ("application/json", b"[" * 100_000, 400, "no JSON"),
        ("application/json", b"[]", 400, "no JSON object"),
        ("application/json", b'{"image": "", "s3": ""}', 400, "one field"),
        ("application/json", b'{"image": 7}', 400, "another value than text"),
        ("application/json", b'{"<script>": "x"}', 400, "the field '<script>'"),
        ("application/json", b'{"image": "a\\nb="}', 400, "not Base64"),
        ("application/json", b'{"image": "\xc3\xa4"}', 400, "not Base64"),
        ("application/json", b'{"image": ""}', 400, "no image in it"),
    ],
)
def test_what_is_no_image_is_refused_with_the_way_out(kind: str, body: bytes, status: int, words: str) -> None:
    with pytest.raises(Trouble) as refused:
        image_of(request(body, kind), SETTINGS)
    assert refused.value.status == status
    assert words in refused.value.message
    assert "Send " in refused.value.message


@pytest.mark.parametrize(
    "uri",
    [
        "",
        "s3://other/a/project/images_for_detection/1.png",
        "s3://bucket/images_for_detection/1.png",
        "s3://bucket/a/project/registry/live.json",
        "s3://bucket/a/project/images_for_detection/",
        "https://bucket.s3.amazonaws.com/a/project/images_for_detection/1.png",
        "s3://bucket/a/project/images_for_detection/" + "x" * 1024,
        "s3://bucket/a/project/../images_for_detection/1.png",
    ],
)
def test_images_of_elsewhere_are_not_read_for_the_caller(uri: str) -> None:
    with pytest.raises(Trouble, match="expected an image below s3://bucket/a/project/images_for_detection/"):
        image_of(request(json.dumps({"s3": uri}).encode(), "application/json"), SETTINGS)


def test_images_in_s3_are_refused_unless_a_folder_is_named() -> None:
    with pytest.raises(Trouble, match="not taken here"):
        image_of(request(b'{"s3": "s3://bucket/1.png"}', "application/json"), ApiSettings("bucket"))


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ({}, Wanted()),
        ({"min_confidence": "0"}, Wanted(0)),
        ({"min_confidence": "99.5", "max_results": "1"}, Wanted(99.5, 1)),
    ],
)
def test_parameters_are_read(query: dict[str, str], wanted: Wanted) -> None:
    assert Wanted.of(query) == wanted


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("min_confidence", value) for value in ("", "high", "-1", "100.1", "nan", "inf", "50,60")),
        *(("max_results", value) for value in ("", "0", "1.5", "-1", "4097", "1e99")),
        ("MinConfidence", "50"),
    ],
)
def test_parameters_out_of_range_are_refused(name: str, value: str) -> None:
    with pytest.raises(Trouble, match=name) as refused:
        Wanted.of({name: value})
    assert refused.value.status == 400


def labels(*confidences: float) -> list[dict[str, float]]:
    return [{"confidence": confidence} for confidence in confidences]


@pytest.mark.parametrize(
    ("task", "confidences", "doubtful"),
    [
        ("IMAGE_CLASSIFICATION", (), True),
        ("IMAGE_CLASSIFICATION", (69.9, 30.1), True),
        ("IMAGE_CLASSIFICATION", (70.0, 30.0), False),
        ("OBJECT_DETECTION", (95.0, 50.0), True),
        ("OBJECT_DETECTION", (95.0, 29.0), False),
        ("OBJECT_DETECTION", (29.0,), True),
        ("MULTI_LABEL_CLASSIFICATION", (95.0, 30.0), True),
    ],
)
def test_doubt_is_about_the_labels_that_count(task: str, confidences: tuple[float, ...], *, doubtful: bool) -> None:
    assert is_doubtful(labels(*confidences), ApiSettings("bucket", task=task)) is doubtful


def test_settings_are_read_from_the_environment() -> None:
    given = {
        "BUCKET": "b",
        "PREFIX": "/a/b",
        "TASK": "object_detection",
        "INBOX": "all",
        "POINTER_SECONDS": "0",
        "NOISE": "",
    }

    read = ApiSettings.of({f"PREDICT_{name}": value for name, value in given.items()})

    assert read == ApiSettings("b", "a/b/", "OBJECT_DETECTION", 0, inbox="all")


@pytest.mark.parametrize(
    ("name", "value"),
    [("BUCKET", ""), ("INBOX", "some"), ("TASK", "faces"), ("DOUBT_BELOW", "101"), ("POINTER_SECONDS", "soon")],
)
def test_a_bad_setting_is_named(name: str, value: str) -> None:
    with pytest.raises(SettingError, match=f"PREDICT_{name} is .*[Ss]et "):
        ApiSettings.of({"PREDICT_BUCKET": "b", f"PREDICT_{name}": value})


def test_the_largest_image_fits_into_an_event_either_way() -> None:
    """Lambda takes 6 MB: an image of 4 MB in Base64, once as the body and once in JSON, which is not encoded again."""
    from include.predict_api.gateway import is_too_large

    content = LARGE[:LARGEST_IMAGE_BYTES]
    for kind, body in (("image/png", content), ("application/json", json_image(content))):
        event = to_event(Shape.REST, "POST", "/predict", [("Content-Type", kind)], body)
        assert not is_too_large(event)
        assert image_of(request_of(event), SETTINGS) == SentImage(content, ".png")
    assert is_too_large(to_event(Shape.REST, "POST", "/", [("Content-Type", "image/png")], bytes(5 * 1024 * 1024)))
