"""The front door: control requests, our own services, and moto for all else, on one port."""

from __future__ import annotations

import errno
import logging
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from include.local_aws import error_bodies
from include.local_aws.calls import Calls
from include.local_aws.changes import Change, Changes, is_change, subject_of
from include.local_aws.control import Control, is_local
from include.local_aws.copies import is_other_source, source_of
from include.local_aws.fallback import Moto
from include.local_aws.faults import Faults, Trouble
from include.local_aws.human_review.portal import Portal
from include.local_aws.listings import with_restore_status
from include.local_aws.messages import Request, Response
from include.local_aws.notifications import with_event_bridge
from include.local_aws.objects import Objects
from include.local_aws.operations import Operation, identify
from include.local_aws.service import Service

CLIENT_IS_GONE = "local_aws.is_client_gone"
"""Name in the WSGI environment of what says whether anybody still waits for the answer."""
log = logging.getLogger("local_aws")


@dataclass(frozen=True)
class OwnCall:
    """A call of an operation of ours: the service, the operation's name and what its path says."""

    service: Service
    name: str
    path_parameters: dict[str, str]

    @property
    def operation(self) -> Operation:
        """The operation as faults, counts and the log know it."""
        return Operation(self.service.name, self.name, "json" if self.service.wire.protocol == "json" else "rest")


class Router:
    """A WSGI application in front of moto's.

    Parameters: `services` are tried in order, `fallback` gets what none of them serves.
    """

    def __init__(
        self,
        services: Sequence[Service],
        fallback: Moto,
        control: Control,
        portal: Portal,
        faults: Faults,
        calls: Calls,
        changes: Changes,
        objects: Objects,
    ) -> None:
        self._services = services
        self._objects = objects
        self._fallback = fallback
        self._control = control
        self._portal = portal
        self._faults = faults
        self._calls = calls
        self._changes = changes
        self._conditional_writes = threading.Lock()

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Serve one request."""
        request = Request(environ)
        try:
            response = self._route(request)
        except ConnectionError:
            raise  # a client that is gone, or is to think that the server is
        except Exception as error:
            # The border of the process: who calls gets an answer that says where to look, not an empty one.
            log.exception("%s %s failed inside the emulator", request.method, request.path)
            text = f"Bug in local AWS: {error!r}; see its log.\n"
            response = Response(500, {"Content-Type": "text/plain; charset=utf-8"}, text.encode())
        _ = request.body  # read it, or its bytes would be taken for the connection's next request
        headers = {name.lower(): value for name, value in response.headers.items()}
        # The answer to HEAD has no body, and the length of what GET would send.
        if request.method != "HEAD" or "content-length" not in headers:
            headers["content-length"] = str(len(response.body))
        start_response(response.status_line, list(headers.items()))
        return [] if request.method == "HEAD" else [response.body]

    def _route(self, request: Request) -> Response:
        if request.path.startswith(Portal.PREFIX):
            return self._portal.handle(request)
        if request.path.startswith(Control.PREFIX):
            return self._control.handle(request)
        if request.path.startswith("/moto-api") and not is_local(request):
            return Response(403, {"Content-Type": "text/plain"}, b"Only local tools may call this.")
        return self._aws(request)

    def _aws(self, request: Request) -> Response:
        started = time.monotonic()
        call = self._find(request)
        operation = identify(request) if call is None else call.operation
        changes, subject = is_change(operation), subject_of(request, operation)
        trouble = self._faults.strike(operation.full_name, subject, changes=changes)
        if trouble.delay:
            time.sleep(trouble.delay)
        if trouble.kind == "hold_before":
            self._hold(request, operation, subject)
        response, effect = self._answer(request, operation, trouble, call)
        lost = trouble.kind == "lost_response"
        error = "lost response" if lost else error_bodies.error_code(response)
        self._calls.record(operation.full_name, error, effect=effect)
        if changes:
            self._changes.record(Change(operation.full_name, subject, effect))
        if trouble.kind == "hold_after":
            self._hold(request, operation, subject)
        milliseconds = (time.monotonic() - started) * 1000
        log.info("%s %s %.0f ms", operation.full_name, error or response.status, milliseconds)
        if lost:
            # cheroot closes the connection without a word when the application meets a reset one.
            raise ConnectionResetError(errno.ECONNRESET, "injected: the response is lost")
        return response

    def _hold(self, request: Request, operation: Operation, subject: str) -> None:
        """Keep a call waiting; one whose client is gone ends here, with no effect if it had none yet."""
        _ = request.body  # what is not read yet would hide the end of the connection
        call = {"operation": operation.full_name, "subject": subject}
        if not self._faults.held.wait(call, request.environ[CLIENT_IS_GONE]):
            log.info("%s %s given up: its client is gone", operation.full_name, subject)
            raise ConnectionResetError(errno.ECONNRESET, "the client is gone")

    def _answer(
        self, request: Request, operation: Operation, trouble: Trouble, call: OwnCall | None
    ) -> tuple[Response, bool]:
        """Return the answer and whether the call had its effect."""
        refusal = self._refusal(request, operation, trouble)
        if refusal is None and is_other_source(request, self._objects):
            refusal = error_bodies.precondition_failed(operation)
        if refusal is not None:
            return refusal, False
        response = self._serve(request, operation, call)
        return response, response.status < 400

    def _refusal(self, request: Request, operation: Operation, trouble: Trouble) -> Response | None:
        if trouble.kind == "throttle":
            return error_bodies.throttled(operation)
        if trouble.kind == "error":
            return error_bodies.broken(operation)
        denial = self._faults.denial(operation.bucket, operation.full_name, subject_of(request, operation))
        source = source_of(request)
        if denial is None and source is not None:  # who copies must be allowed to read
            denial = self._faults.denial(source[0], "s3.GetObject", source[1])
        return error_bodies.denied(operation, denial.code) if denial else None

    def _find(self, request: Request) -> OwnCall | None:
        for service in self._services:
            hit = service.match(request)
            if hit is not None:
                return OwnCall(service, *hit)
        return None

    def _serve(self, request: Request, operation: Operation, call: OwnCall | None) -> Response:
        if call is not None:
            return call.service.handle(request, call.name, call.path_parameters)
        if not _is_conditional_write(request):
            response = self._fallback.answer(request, operation)
            return with_event_bridge(request, with_restore_status(request, response, self._objects), self._objects)
        _ = request.body  # read it before, so that a slow sender does not hold the lock
        with self._conditional_writes:
            return self._fallback.answer(request, operation)


def _is_conditional_write(request: Request) -> bool:
    """Say whether moto would check a condition and then write, which must happen in one step."""
    conditional = "if-match" in request.headers or "if-none-match" in request.headers
    return conditional and request.method in ("PUT", "POST", "DELETE")
