"""moto, which serves all that is not ours, with its failures answered in the called service's own wire form."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from functools import lru_cache, partial
from importlib.metadata import version
from typing import Any, NoReturn
from urllib.parse import quote_plus

from botocore.exceptions import UnknownServiceError
from botocore.model import OperationNotFoundError

from include.local_aws import error_bodies
from include.local_aws.messages import Request, Response
from include.local_aws.operations import Operation
from include.local_aws.queues import improve_queues
from include.local_aws.stacks import improve_stacks
from include.local_aws.wire.model import WireModel

WsgiApp = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]
_SIGNED_AS = {"execute-api": ("apigatewaymanagementapi",), "es": ("es", "opensearch"), "ses": ("ses", "sesv2")}
"""Services whose REST paths are signed with another name than botocore's, where several are asked in turn."""
_JSON = frozenset({"rest", "json"})
log = logging.getLogger("local_aws")


class Moto:
    """moto's server application, made faster, and safe for threads where it is not.

    A call that it does not serve, or fails in, is answered with an error that says so.
    """

    def __init__(self) -> None:
        import moto.backends
        import moto.s3.notifications
        from moto.moto_server.werkzeug_app import DomainDispatcherApplication

        # moto lists its package folder on every request, which is most of what a small one costs.
        modules = frozenset(moto.backends.list_of_moto_modules())
        moto.backends.list_of_moto_modules = lambda: modules
        improve_queues()
        improve_stacks()
        # S3 leaves the slash of a key in an event as it is; moto encodes it.
        moto.s3.notifications.quote_plus = partial(quote_plus, safe="/")  # type: ignore[attr-defined]
        self._app: WsgiApp = DomainDispatcherApplication(_make_app)
        self._name = f"moto {version('moto')}"

    def answer(self, request: Request, operation: Operation) -> Response:
        """Serve one call; whatever becomes of it, the request is read to its end."""
        # What moto leaves unread would be taken for the connection's next request, and a thread would wait for its end.
        _ = request.body
        try:
            response = call_wsgi(self._app, request.environ)
        except _NoSuchServiceError:
            return self._not_served(request, operation, f"neither it nor {self._name} has this service")
        except ModuleNotFoundError as error:
            reason = f"{self._name} needs the Python package {error.name!r} for it, which is not installed"
            return self._not_served(request, operation, reason)
        except (NotImplementedError, OperationNotFoundError):
            return self._not_served(request, operation, f"{self._name} does not implement it")
        except Exception as error:
            # The border to moto: whatever fails in there must reach the client as AWS's own kind of failure.
            log.exception("%s failed inside %s", operation.full_name, self._name)
            return error_bodies.broken(operation, f"{self._name} failed in {operation.full_name}: {error!r}")
        if response.status == 404 and not response.body and request.method != "HEAD" and operation.protocol in _JSON:
            return self._not_served(request, operation, f"{self._name} does not implement it")
        return response

    def _not_served(self, request: Request, operation: Operation, reason: str) -> Response:
        named = _by_name(request, operation)
        text = f"{named.full_name} is not served by local AWS: {reason}. See Operations in include/local_aws/README.md."
        return error_bodies.not_served(named, text)


class _NoSuchServiceError(Exception):
    """moto has nothing for the service that a request is signed for."""


def call_wsgi(app: WsgiApp, environ: dict[str, Any]) -> Response:
    """Run a WSGI application to its end and hold its answer."""
    started: list[tuple[str, list[tuple[str, str]]]] = []

    def start_response(status: str, headers: list[tuple[str, str]], *_: object) -> Callable[[bytes], None]:
        started.append((status, headers))
        return lambda _chunk: None

    chunks = app(environ, start_response)
    try:
        body = b"".join(chunks)
    finally:
        close = getattr(chunks, "close", None)
        if close is not None:
            close()
    status, headers = started[-1]
    return Response(int(status.split()[0]), dict(headers), body)


def _make_app(service: Any) -> Any:
    """Return moto's application for a service, which raises instead of answering paths that it lacks with HTML."""
    from moto.moto_server.werkzeug_app import create_backend_app

    if service is None:
        raise _NoSuchServiceError
    app = create_backend_app(service)
    for status in (404, 405):
        app.register_error_handler(status, _raise_not_implemented)
    return app


def _raise_not_implemented(error: Exception) -> NoReturn:
    raise NotImplementedError(str(error))


def _by_name(request: Request, operation: Operation) -> Operation:
    """Return the operation by its own name, where the request alone only told method and path."""
    if operation.protocol not in ("rest", "rest-xml"):
        return operation
    for service in _SIGNED_AS.get(operation.service, (operation.service,)):
        model = _model(service)
        hit = model.match(request.method, request.path) if model is not None else None
        if hit is not None:
            return Operation(service, hit[0], operation.protocol)
    return operation


@lru_cache(maxsize=8)
def _model(service: str) -> WireModel | None:
    try:
        return WireModel(service)
    except UnknownServiceError:
        return None
