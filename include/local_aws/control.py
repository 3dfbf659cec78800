"""The control endpoint under /_local_aws/: JSON, unsigned, for local tools only."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from include.local_aws.calls import Calls
from include.local_aws.changes import Changes
from include.local_aws.dates import Dates
from include.local_aws.faults import Denial, Faults
from include.local_aws.faults import Fault as FaultRule
from include.local_aws.human_review.crew import SimulatedWorkforce
from include.local_aws.human_review.workforce import Workforce
from include.local_aws.messages import Request, Response
from include.local_aws.saved import SavedStates
from include.local_aws.settings import Outcome, SettingError, Settings
from include.local_aws.statuses import Statuses, StatusRule
from include.local_aws.strict_json import read_json

_LOCAL_HOSTS = ("127.0.0.1", "localhost", "::1")


def is_local(request: Request) -> bool:
    """Say whether a request comes from a local tool.

    A web page in the user's browser can send requests to 127.0.0.1 too: it carries an Origin header or,
    by DNS rebinding, its own host name.
    """
    return "origin" not in request.headers and has_local_host(request)


def has_local_host(request: Request) -> bool:
    """Say whether a request was sent to this machine under its own name."""
    return urlsplit(f"//{request.headers.get('host', '')}").hostname in _LOCAL_HOSTS


class Control:
    """Reads and changes what the emulator does; see the README for the paths."""

    PREFIX = "/_local_aws/"

    def __init__(
        self,
        settings: Settings,
        faults: Faults,
        statuses: Statuses,
        calls: Calls,
        changes: Changes,
        workforce: SimulatedWorkforce,
        saved: SavedStates,
        health: Callable[[], dict[str, Any]],
        reset: Callable[[], None],
    ) -> None:
        self._settings = settings
        self._faults = faults
        self._calls = calls
        self._reset = reset
        self._saved = saved
        dates = Dates()
        self._readers: dict[str, Callable[[], Any]] = {
            "health": health,
            "faults": lambda: faults.faults,
            "denied": lambda: faults.denials,
            "durations": lambda: settings.durations,
            "quotas": lambda: settings.quotas,
            "outcomes": lambda: settings.outcomes,
            "statuses": statuses.to_json,
            "calls": calls.to_json,
            "changes": changes.to_json,
            "held": faults.held.to_json,
            "dates": dates.to_json,
            "saved": saved.to_json,
            "workforce": workforce.to_json,
        }
        self._writers: dict[str, Callable[[Any], None]] = {
            "faults": lambda value: faults.set_faults([FaultRule.from_json(item) for item in _list(value)]),
            "denied": lambda value: faults.set_denials([Denial.from_json(item) for item in _list(value)]),
            "durations": lambda value: settings.change_durations(_object(value)),
            "quotas": lambda value: settings.change_quotas(_object(value)),
            "outcomes": lambda value: settings.set_outcomes([Outcome.from_json(item) for item in _list(value)]),
            "statuses": lambda value: statuses.set_rules([StatusRule.from_json(item) for item in _list(value)]),
            "saved": lambda value: saved.save(_name(value)),
            "workforce": lambda value: workforce.employ(Workforce.from_json(value)),
            "dates": lambda value: dates.set(_list(value)),
        }
        self._deleters: dict[str, Callable[[], None]] = {
            "faults": lambda: faults.set_faults([]),
            "denied": lambda: faults.set_denials([]),
            "outcomes": lambda: settings.set_outcomes([]),
            "statuses": lambda: statuses.set_rules([]),
            "calls": calls.clear,
            "changes": changes.clear,
            "workforce": workforce.dismiss,
        }

    def handle(self, request: Request) -> Response:
        """Answer one control request."""
        if not is_local(request):
            return _json(403, {"error": "Only local tools may call this: no Origin header, a local Host."})
        name = request.path.removeprefix(self.PREFIX).strip("/")
        try:
            return self._answer(request, name)
        except SettingError as error:
            return _json(400, {"error": str(error)})

    def _answer(self, request: Request, name: str) -> Response:
        if request.method == "POST" and name == "reset":
            self._reset()
            return _json(200, {"reset": True})
        if request.method == "POST" and name == "restore":
            wanted = _name(_body(request))
            self._reset()
            self._saved.restore(wanted)
            return _json(200, {"restored": wanted})
        if request.method == "GET" and name in self._readers:
            return _json(200, self._readers[name]())
        if request.method == "PUT" and name in self._writers:
            self._writers[name](_body(request))
            return _json(200, self._readers[name]())
        if request.method == "DELETE" and name in self._deleters:
            self._deleters[name]()
            return _json(200, self._readers[name]())
        known = sorted({*self._readers, "reset", "restore"})
        return _json(404, {"error": f"No {request.method} {request.path}. Known names: {', '.join(known)}."})


def _body(request: Request) -> object:
    try:
        return read_json(request.body)
    except ValueError as error:
        raise SettingError(f"The request body is not JSON: {error}.") from None


def _list(value: object) -> list[Any]:
    if not isinstance(value, list):
        raise SettingError(f"Expected a JSON list, got {type(value).__name__}.")
    return value


def _object(value: object) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise SettingError(f"Expected a JSON object, got {type(value).__name__}.")
    return value


def _name(value: object) -> str:
    name = _object(value).get("name")
    if not isinstance(name, str):
        raise SettingError(f"'name' of the state is {name!r}: expected a text.")
    return name


def _json(status: int, value: object) -> Response:
    return Response(status, {"Content-Type": "application/json"}, json.dumps(value, indent=1).encode())
