"""REST-JSON services of our own, such as the A2I runtime, are parsed, validated and answered from their model."""

from __future__ import annotations

import io
import json
import threading
from typing import Any

import pytest

from include.local_aws.messages import Request, Response
from include.local_aws.service import Service

FLOW_ARN = "arn:aws:sagemaker:eu-west-1:123456789012:flow-definition/f"


def echo_describe(_region: str, params: dict[str, Any]) -> dict[str, Any]:
    return {
        "CreationTime": 0,
        "HumanLoopStatus": "InProgress",
        "HumanLoopName": params["HumanLoopName"],
        "HumanLoopArn": "arn:aws:sagemaker:eu-west-1:123456789012:human-loop/x",
        "FlowDefinitionArn": FLOW_ARN,
    }


def echo_list(region: str, params: dict[str, Any]) -> dict[str, Any]:
    return {"HumanLoopSummaries": [{"HumanLoopName": f"{region}-{params.get('MaxResults')}"}]}


@pytest.fixture
def service() -> Service:
    operations = {
        "DescribeHumanLoop": echo_describe,
        "ListHumanLoops": echo_list,
        "StopHumanLoop": lambda _region, _params: {},
        "DeleteHumanLoop": lambda _region, _params: {"Nonsense": 1},
    }
    return Service("sagemaker-a2i-runtime", operations, lambda region: region, threading.RLock())


def request(method: str, uri: str, body: bytes = b"", service: str = "sagemaker") -> Request:
    path, _, query = uri.partition("?")
    return Request(
        {
            "REQUEST_METHOD": method,
            "PATH_INFO": path,
            "REQUEST_URI": uri,
            "QUERY_STRING": query,
            "CONTENT_LENGTH": str(len(body)),
            "wsgi.input": io.BytesIO(body),
            "HTTP_AUTHORIZATION": f"AWS4-HMAC-SHA256 Credential=AK/20260101/eu-west-1/{service}/aws4_request, ...",
        }
    )


def call(service: Service, method: str, uri: str, body: bytes = b"") -> Response:
    sent = request(method, uri, body)
    hit = service.match(sent)
    assert hit
    return service.handle(sent, *hit)


def test_parameter_is_taken_from_the_path_and_time_is_written_as_text(service: Service) -> None:
    answer = json.loads(call(service, "GET", "/human-loops/my-loop").body)
    assert (answer["HumanLoopName"], answer["CreationTime"]) == ("my-loop", "1970-01-01T00:00:00Z")


def test_parameters_are_taken_from_the_query(service: Service) -> None:
    answer = json.loads(call(service, "GET", f"/human-loops?FlowDefinitionArn={FLOW_ARN}&MaxResults=7").body)
    assert answer["HumanLoopSummaries"] == [{"HumanLoopName": "eu-west-1-7"}]


def test_fixed_path_comes_before_one_with_a_parameter(service: Service) -> None:
    hit = service.match(request("POST", "/human-loops/stop"))
    assert hit == ("StopHumanLoop", {})
    assert call(service, "POST", "/human-loops/stop", b'{"HumanLoopName": "a"}').status == 200


@pytest.mark.parametrize(
    ("uri", "code"),
    [
        ("/human-loops", "ValidationException"),
        (f"/human-loops?FlowDefinitionArn={FLOW_ARN}&MaxResults=101", "ValidationException"),
        (f"/human-loops?FlowDefinitionArn={FLOW_ARN}&MaxResults=x", "SerializationException"),
        ("/human-loops/Not_A_Name", "ValidationException"),
    ],
    ids=["missing", "too many", "no number", "pattern"],
)
def test_request_is_refused_when_it_breaks_the_model(service: Service, uri: str, code: str) -> None:
    answer = call(service, "GET", uri)
    assert (answer.status, answer.headers["x-amzn-ErrorType"]) == (400, code)


def test_answer_is_an_internal_error_when_it_breaks_the_model(
    service: Service, caplog: pytest.LogCaptureFixture
) -> None:
    answer = call(service, "DELETE", "/human-loops/my-loop")
    assert (answer.status, answer.headers["x-amzn-ErrorType"]) == (500, "InternalServerError")
    assert "has no members ['Nonsense']" in caplog.text


@pytest.mark.parametrize(
    ("method", "uri", "name"),
    [
        ("POST", "/human-loops", "sagemaker"),
        ("GET", "/elsewhere", "sagemaker"),
        ("GET", "/human-loops/a", "s3"),
    ],
    ids=["operation not ours", "path unknown", "another service's signature"],
)
def test_request_is_left_to_others_when_it_is_not_ours(service: Service, method: str, uri: str, name: str) -> None:
    assert service.match(request(method, uri, service=name)) is None
