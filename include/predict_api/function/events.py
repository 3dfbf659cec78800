"""The events of API Gateway: REST APIs (payload 1.0) and HTTP APIs (payload 2.0), and the answer that both take.

Shapes: "Working with AWS Lambda proxy integrations for HTTP APIs" and "Set up Lambda proxy integrations in API Gateway"
in the API Gateway developer guide.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .errors import Trouble

Event = Mapping[str, Any]
Answer = dict[str, Any]
"""Both are JSON of API Gateway's own."""


@dataclass(frozen=True)
class Request:
    """A request, whichever kind of API it came through.

    :param path: as the API's routes have it: without the stage.
    :param headers: by their names in lower case.
    :param query: parameters; one that is repeated has its values joined by commas, as HTTP APIs hand it over.
    :param body: bytes as they were sent.
    """

    method: str
    path: str
    headers: Mapping[str, str]
    query: Mapping[str, str]
    body: bytes
    request_id: str

    @property
    def content_type(self) -> str:
        """The media type of the body in lower case, without parameters; empty where there is none."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()


def request_of(event: Event) -> Request:
    """Read an event of either kind of API.

    :raises Trouble: its body is not the Base64 that it says it is.
    """
    context = event.get("requestContext") or {}
    http = context.get("http") or {}
    several = event.get("multiValueQueryStringParameters")
    query = {name: ",".join(values) for name, values in several.items()} if several else {}
    return Request(
        method=str(http.get("method") or event.get("httpMethod") or "").upper(),
        path=_path(event, str(context.get("stage") or "")),
        headers={name.lower(): str(value) for name, value in (event.get("headers") or {}).items()},
        query=query or dict(event.get("queryStringParameters") or {}),
        body=_body(event),
        request_id=request_id(event),
    )


def request_id(event: Event) -> str:
    """Give the id by which a request is found in the gateway's log, too."""
    return str((event.get("requestContext") or {}).get("requestId") or "")


def _path(event: Event, stage: str) -> str:
    """Give the route that API Gateway chose, or else the path without its stage.

    Behind a domain name of one's own the path has more before it, and the route has not.
    """
    route = str(event.get("routeKey") or event.get("resource") or "").rpartition(" ")[2]
    if route.startswith("/") and "{" not in route:
        return route
    path = str(event.get("rawPath") or event.get("path") or "/")
    if stage and (path == f"/{stage}" or path.startswith(f"/{stage}/")):
        path = path.removeprefix(f"/{stage}")
    return path.rstrip("/") or "/"


def _body(event: Event) -> bytes:
    body = event.get("body") or ""
    if not event.get("isBase64Encoded"):
        return str(body).encode()
    try:
        return base64.b64decode(body, validate=True)
    except (binascii.Error, ValueError) as error:
        raise Trouble(400, "bad_body", "The body arrived damaged. Send it again.", cause=str(error)) from error


def answer(status: int, body: Mapping[str, Any], **headers: str) -> Answer:
    """Give an answer in the shape that both kinds of API take.

    :param headers: more of them, with ``_`` for the dash.
    """
    return {
        "statusCode": status,
        "headers": {
            "Content-Type": "application/json",
            "Cache-Control": "no-store",
            **{name.replace("_", "-"): value for name, value in headers.items()},
        },
        "isBase64Encoded": False,
        "body": json.dumps(body),
    }


def answer_of(trouble: Trouble, request: str) -> Answer:
    """Give the answer for a trouble.

    :param request: its id, by which the log has more.
    """
    headers: dict[str, str] = {}
    if trouble.retry_after is not None:
        headers["Retry_After"] = str(trouble.retry_after)
    if trouble.allow:
        headers["Allow"] = trouble.allow
    body = {"error": trouble.code, "message": trouble.message, "request_id": request}
    return answer(trouble.status, body, **headers)
