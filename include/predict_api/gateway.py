"""What API Gateway does around the function, as far as this machine needs it: HTTP to its events, and back."""

from __future__ import annotations

import base64
import json
import uuid
from collections.abc import Iterable
from enum import StrEnum
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from include.predict_api.function.bodies import BINARY_TYPES

LARGEST_BODY_BYTES = 10 * 1024 * 1024
"""What API Gateway takes (API Gateway developer guide, quotas), for both kinds of API."""
LARGEST_EVENT_BYTES = 6 * 1024 * 1024
"""What Lambda takes (Lambda developer guide, quotas); a body in Base64 is a third longer there."""
STAGE = "live"
_TEXT_TYPES = ("application/json", "application/javascript", "application/xml")


class Shape(StrEnum):
    """The kind of API whose events are made."""

    REST = "rest"
    HTTP = "http"


def to_event(shape: Shape, method: str, target: str, headers: Iterable[tuple[str, str]], body: bytes) -> dict[str, Any]:
    """Word a request as API Gateway hands it to a function.

    :param target: path and query, as the request's first line has them.
    :param headers: in their order; one may come more than once.
    """
    parts = urlsplit(target)
    query = parse_qsl(parts.query, keep_blank_values=True)
    return (_rest if shape is Shape.REST else _http)(method, parts.path, query, list(headers), body)


def is_too_large(event: dict[str, Any]) -> bool:
    """Whether Lambda would not take an event."""
    return len(json.dumps(event)) > LARGEST_EVENT_BYTES


def _rest(
    method: str, path: str, query: list[tuple[str, str]], headers: list[tuple[str, str]], body: bytes
) -> dict[str, Any]:
    is_binary = _media_type(headers) in BINARY_TYPES
    return {
        "resource": "/{proxy+}",
        "path": path,
        "httpMethod": method,
        "headers": dict(headers) or None,
        "multiValueHeaders": _several(headers),
        "queryStringParameters": dict(query) or None,
        "multiValueQueryStringParameters": _several(query),
        "pathParameters": None,
        "stageVariables": None,
        "requestContext": {"stage": STAGE, "httpMethod": method, "requestId": str(uuid.uuid4())},
        "body": _encoded(body, is_binary=is_binary),
        "isBase64Encoded": is_binary,
    }


def _http(
    method: str, path: str, query: list[tuple[str, str]], headers: list[tuple[str, str]], body: bytes
) -> dict[str, Any]:
    kind = _media_type(headers)
    is_binary = bool(body) and not (kind.startswith("text/") or kind in _TEXT_TYPES)
    lower = [(name.lower(), value) for name, value in headers]
    event = {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": f"/{STAGE}{path}",
        "rawQueryString": "",
        "headers": _joined(lower),
        "requestContext": {
            "stage": STAGE,
            "http": {"method": method, "path": f"/{STAGE}{path}"},
            "requestId": str(uuid.uuid4()),
        },
        "isBase64Encoded": is_binary,
    }
    if query:
        event["queryStringParameters"] = _joined(query)
    if body:
        event["body"] = _encoded(body, is_binary=is_binary)
    return event


def _encoded(body: bytes, *, is_binary: bool) -> str | None:
    """Give a body as an event has it: what is no text, and is not said to be binary, arrives damaged."""
    if is_binary:
        return base64.b64encode(body).decode()
    return body.decode("utf-8", "replace") if body else None


def _media_type(headers: list[tuple[str, str]]) -> str:
    given = next((value for name, value in headers if name.lower() == "content-type"), "")
    return given.partition(";")[0].strip().lower()


def _several(pairs: list[tuple[str, str]]) -> dict[str, list[str]] | None:
    found: dict[str, list[str]] = {}
    for name, value in pairs:
        found.setdefault(name, []).append(value)
    return found or None


def _joined(pairs: list[tuple[str, str]]) -> dict[str, str]:
    return {name: ",".join(values) for name, values in (_several(pairs) or {}).items()}
