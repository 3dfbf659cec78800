"""One AWS service of our own: wire model, operation table and lock."""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Callable, Mapping
from typing import Any

from include.local_aws.messages import Request, Response
from include.local_aws.wire.errors import AwsError
from include.local_aws.wire.model import WireModel
from include.local_aws.wire.parse import Params, parse_json, parse_rest
from include.local_aws.wire.serialize import serialize_answer, serialize_error
from include.local_aws.wire.validate import validate

Handler = Callable[[Any, Params], Params]
_REGION = re.compile(r"[a-z0-9-]{1,40}")
log = logging.getLogger("local_aws")


class Service:
    """A service whose operations are plain functions `(region state, parameters) -> answer`.

    Parameters: `name` is botocore's service name; `operations` maps operation names to handlers; `region`
    returns the state that handlers work on for a region's name; `lock` is held while they do;
    `violation_code` is the error code of a request that breaks the service model; operations in
    `lock_free` take the lock themselves; `revise` may change the answer of 'service.Operation'.
    An operation that is not in the table is not ours: the router hands it to moto.
    """

    def __init__(
        self,
        name: str,
        operations: Mapping[str, Handler],
        region: Callable[[str], Any],
        lock: threading.RLock,
        violation_code: str = "ValidationException",
        lock_free: frozenset[str] = frozenset(),
        revise: Callable[[str, Params, Params], Params] = lambda _operation, _params, answer: answer,
    ) -> None:
        self.name = name
        self.wire = WireModel(name)
        self._operations = operations
        self._region = region
        self._violation_code = violation_code
        self._lock_free = lock_free
        self._lock = lock
        self._revise = revise

    def match(self, request: Request) -> tuple[str, dict[str, str]] | None:
        """Return the operation of ours that `request` calls and its path parameters, or None."""
        if self.wire.protocol == "json":
            prefix, _, name = request.headers.get("x-amz-target", "").partition(".")
            return (name, {}) if prefix == self.wire.target_prefix and name in self._operations else None
        if request.scope is None or request.scope.service != self.wire.signing_name:
            return None
        hit = self.wire.match(request.method, request.raw_path)
        return hit if hit and hit[0] in self._operations else None

    def handle(self, request: Request, operation: str, path_parameters: Mapping[str, str]) -> Response:
        """Parse, validate, run and serialize one call; every failure becomes an error answer."""
        try:
            _check_region(request.region)
            params = self._parse(request, operation, path_parameters)
            validate(self.wire, operation, params, self._violation_code)
            answer = self._revise(f"{self.name}.{operation}", params, self._run(operation, request.region, params))
            return serialize_answer(self.wire, operation, answer)
        except AwsError as error:
            return serialize_error(self.wire, error)
        except Exception as error:
            # The border of the process: a bug here must reach the client as AWS's own kind of failure.
            log.exception("%s.%s failed inside the emulator", self.name, operation)
            internal = AwsError("InternalServerError", f"Bug in local AWS: {error!r}; see its log", 500)
            return serialize_error(self.wire, internal)

    def _parse(self, request: Request, operation: str, path_parameters: Mapping[str, str]) -> Params:
        if self.wire.protocol == "json":
            return parse_json(self.wire, operation, request.body)
        return parse_rest(self.wire, operation, path_parameters, request.query, request.headers, request.body)

    def _run(self, operation: str, region_name: str, params: Params) -> Params:
        handler = self._operations[operation]
        if operation in self._lock_free:
            return handler(self._region(region_name), params)
        with self._lock:
            return handler(self._region(region_name), params)


def _check_region(name: str) -> None:
    """Raise the error of a signature whose scope names no region: every ARN would hold the name."""
    if not _REGION.fullmatch(name):
        raise AwsError("InvalidSignatureException", f"Credential should be scoped to a valid region, not {name!r}.")
