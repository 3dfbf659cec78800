"""HTTP requests and responses as plain values, apart from WSGI."""

from __future__ import annotations

import io
import re
from dataclasses import dataclass, field
from functools import cached_property
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl, unquote

DEFAULT_REGION = "us-east-1"
_AUTHORIZATION = re.compile(r"Credential=([^/\s]+)/\d{8}/([^/]+)/([^/]+)/aws4_request")
_PRESIGNED = re.compile(r"([^/]+)/\d{8}/([^/]+)/([^/]+)/aws4_request")


@dataclass(frozen=True)
class Scope:
    """What a SigV4 credential scope says: who signed, for which region and service."""

    access_key: str
    region: str
    service: str


@dataclass(frozen=True)
class Response:
    """An HTTP answer held in memory."""

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""

    @property
    def status_line(self) -> str:
        """The status as WSGI wants it, such as '200 OK'."""
        try:
            return f"{self.status} {HTTPStatus(self.status).phrase}"
        except ValueError:
            return f"{self.status} Unknown"


class Request:
    """An HTTP request over a WSGI environment, whose body can be read here and again by moto."""

    def __init__(self, environ: dict[str, Any]) -> None:
        self.environ = environ
        self.method: str = environ["REQUEST_METHOD"]
        self.raw_path: str = environ.get("REQUEST_URI", environ.get("PATH_INFO", "/")).partition("?")[0]
        self.path: str = unquote(self.raw_path)
        # moto takes S3 keys from the path as it was sent, under the name that werkzeug's server gives it;
        # without it a key like 'a%2Fb' is unquoted twice.
        environ.setdefault("RAW_URI", environ.get("REQUEST_URI", ""))
        self.query: str = environ.get("QUERY_STRING", "")

    @cached_property
    def headers(self) -> dict[str, str]:
        """The headers under their lower-case names."""
        headers = {
            name[5:].replace("_", "-").lower(): value
            for name, value in self.environ.items()
            if name.startswith("HTTP_")
        }
        headers["content-type"] = self.environ.get("CONTENT_TYPE", "")
        return headers

    @cached_property
    def parameters(self) -> dict[str, str]:
        """The query string's parameters."""
        return dict(parse_qsl(self.query, keep_blank_values=True))

    @cached_property
    def body(self) -> bytes:
        """The whole body; moto finds it in the environment afterwards as if nobody had read it."""
        source = self.environ["wsgi.input"]
        length = self.environ.get("CONTENT_LENGTH")
        if length:
            content = source.read(int(length))
        else:
            content = source.read() if self.environ.get("wsgi.input_terminated") else b""
        self.environ["wsgi.input"] = io.BytesIO(content)
        return bytes(content)

    @cached_property
    def scope(self) -> Scope | None:
        """The credential scope from the Authorization header or a presigned query, None if unsigned."""
        hit = _AUTHORIZATION.search(self.headers.get("authorization", ""))
        if hit is None:
            hit = _PRESIGNED.search(unquote(self.parameters.get("X-Amz-Credential", "")))
        return Scope(*hit.groups()) if hit else None

    @property
    def region(self) -> str:
        """The region that the request is signed for."""
        return self.scope.region if self.scope else DEFAULT_REGION
