"""One AWS service's wire model: its operations, shapes, error statuses and REST routes."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from urllib.parse import unquote

import botocore.session
from botocore.model import OperationModel

_SESSION = botocore.session.get_session()
_DEFAULT_ERROR_STATUS = 400


@dataclass(frozen=True)
class Route:
    """One REST operation's place: method, path expression and how many path parameters it has."""

    method: str
    expression: re.Pattern[str]
    operation: str
    parameters: int


class WireModel:
    """botocore's description of a service, asked from the server's side.

    Parameters: `service` is botocore's service name, such as `rekognition`.
    """

    def __init__(self, service: str) -> None:
        self.service = service
        self._model = _SESSION.get_service_model(service)
        metadata = self._model.metadata
        self.protocol: str = metadata["protocol"]
        self.target_prefix: str | None = metadata.get("targetPrefix")
        self.json_version: str = metadata.get("jsonVersion", "1.1")
        self.signing_name: str = metadata.get("signingName") or metadata["endpointPrefix"]

    @property
    def operation_names(self) -> list[str]:
        """Every operation of the service, implemented here or not."""
        return list(self._model.operation_names)

    def operation(self, name: str) -> OperationModel:
        """Return botocore's model of the operation `name`."""
        return self._model.operation_model(name)

    def error_status(self, code: str) -> int:
        """Return the HTTP status of an error code: the model's own, 500 for a fault, else 400."""
        for shape in self._model.error_shapes:
            error = shape.metadata.get("error", {})
            if code not in (shape.name, error.get("code")):
                continue
            if "httpStatusCode" in error:
                return int(error["httpStatusCode"])
            if is_fault(shape):
                return 500
        return 500 if code.startswith("Internal") else _DEFAULT_ERROR_STATUS

    @cached_property
    def routes(self) -> list[Route]:
        """The REST routes, fixed paths before paths with parameters."""
        if not self.protocol.startswith("rest-"):
            return []
        routes = [self._route(name) for name in self.operation_names]
        return sorted(routes, key=lambda route: route.parameters)

    def match(self, method: str, path: str) -> tuple[str, dict[str, str]] | None:
        """Return the REST operation at `path`, as it came over the wire, and its path parameters, or None."""
        for route in self.routes:
            if route.method == method and (hit := route.expression.fullmatch(path)):
                return route.operation, {name: unquote(value) for name, value in hit.groupdict().items()}
        return None

    def _route(self, name: str) -> Route:
        http = self.operation(name).http
        path = http["requestUri"].split("?")[0]
        expression = re.sub(
            r"\\\{(\w+)(\\\+)?\\\}",
            lambda hit: f"(?P<{hit[1]}>{'.+' if hit[2] else '[^/]*'})",
            re.escape(path),
        )
        return Route(http["method"], re.compile(expression + "/?"), name, path.count("{"))


def raw_trait(shape: Any, trait: str) -> object:
    """Return a trait that botocore keeps in a shape's raw model only, such as `pattern` or `fault`."""
    return shape._shape_model.get(trait)  # noqa: SLF001 - botocore offers no public way to a pattern


def is_fault(shape: Any) -> bool:
    """Say whether an error shape is the service's own fault (HTTP 500), such as ThrottlingException."""
    return bool(raw_trait(shape, "fault"))
