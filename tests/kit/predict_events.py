"""Events of API Gateway as its developer guide shows them, for both kinds of API, with a request of a test in them."""

from __future__ import annotations

import base64
import json
from typing import Any

REST, HTTP = "rest", "http"


def rest_event(
    method: str = "POST",
    path: str = "/predict",
    body: bytes = b"",
    content_type: str | None = "image/png",
    *,
    is_base64: bool = True,
    **query: str,
) -> dict[str, Any]:
    """Word an event of a REST API ("Input format of a Lambda function for proxy integration")."""
    headers = {"Accept": "*/*", "Host": "gy415nuibc.execute-api.us-east-1.amazonaws.com", "X-Forwarded-Port": "443"}
    if content_type is not None:
        headers["Content-Type"] = content_type
    return {
        "resource": path,
        "path": path,
        "httpMethod": method,
        "headers": headers,
        "multiValueHeaders": {name: [value] for name, value in headers.items()},
        "queryStringParameters": query or None,
        "multiValueQueryStringParameters": {name: [value] for name, value in query.items()} or None,
        "pathParameters": None,
        "stageVariables": None,
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "gy415nuibc",
            "httpMethod": method,
            "identity": {"sourceIp": "203.0.113.1", "userAgent": "PostmanRuntime/2.4.5", "apiKey": None},
            "path": f"/testStage{path}",
            "protocol": "HTTP/1.1",
            "requestId": "c6af9ac6-7b61-11e6-9a41-93e8deadbeef",
            "resourceId": "123456",
            "resourcePath": path,
            "stage": "testStage",
        },
        "body": _body(body, is_base64=is_base64),
        "isBase64Encoded": is_base64,
    }


def http_event(
    method: str = "POST",
    path: str = "/predict",
    body: bytes = b"",
    content_type: str | None = "image/png",
    *,
    is_base64: bool = True,
    **query: str,
) -> dict[str, Any]:
    """Word an event of an HTTP API ("AWS Lambda integrations for HTTP APIs", payload format 2.0)."""
    headers = {"accept": "*/*", "host": "id.execute-api.us-east-1.amazonaws.com", "x-forwarded-port": "443"}
    if content_type is not None:
        headers["content-type"] = content_type
    event: dict[str, Any] = {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": f"/my-stage{path}",
        "rawQueryString": "&".join(f"{name}={value}" for name, value in query.items()),
        "headers": headers,
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "api-id",
            "domainName": "id.execute-api.us-east-1.amazonaws.com",
            "http": {
                "method": method,
                "path": f"/my-stage{path}",
                "protocol": "HTTP/1.1",
                "sourceIp": "192.0.2.1",
                "userAgent": "agent",
            },
            "requestId": "JKJaXmPLvHcESHA=",
            "routeKey": "$default",
            "stage": "my-stage",
            "time": "12/Mar/2020:19:03:58 +0000",
            "timeEpoch": 1583348638390,
        },
        "isBase64Encoded": is_base64,
    }
    if query:
        event["queryStringParameters"] = query
    if body:
        event["body"] = _body(body, is_base64=is_base64)
    return event


EVENTS = {REST: rest_event, HTTP: http_event}


def _body(body: bytes, *, is_base64: bool) -> str | None:
    if not body:
        return None
    return base64.b64encode(body).decode() if is_base64 else body.decode()


def json_image(content: bytes) -> bytes:
    """Give a body with an image in JSON."""
    return json.dumps({"image": base64.b64encode(content).decode()}).encode()


def said(answer: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    """Give the status and the body of an answer."""
    return answer["statusCode"], json.loads(answer["body"])
