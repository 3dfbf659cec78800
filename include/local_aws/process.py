"""Run the embedded AWS as a child process, and talk to its control endpoint; for tests and the demo."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from queue import Empty, Queue
from types import TracebackType
from typing import IO, Any, Self
from urllib.error import HTTPError
from urllib.request import ProxyHandler, Request, build_opener

_ROOT = Path(__file__).resolve().parents[2]
_READY = "local AWS ready at "
_READY_SECONDS = 300.0
_STOP_SECONDS = 5.0


class LocalAwsError(RuntimeError):
    """The embedded AWS did not start, or refused a control request."""


class Control:
    """The control endpoint of a running embedded AWS; values are what the README's table says."""

    def __init__(self, endpoint_url: str) -> None:
        self._base = f"{endpoint_url}/_local_aws/"
        # A proxy of the environment must not stand between us and our own machine.
        self._opener = build_opener(ProxyHandler({}))

    def health(self) -> dict[str, Any]:
        """Return the state of the server."""
        return dict(self._call("GET", "health"))

    def faults(self, *faults: Mapping[str, Any]) -> None:
        """Replace the injected faults; without arguments there are none."""
        self._call("PUT", "faults", list(faults))

    def denied(self, *denials: Mapping[str, Any]) -> None:
        """Replace the denied S3 buckets; without arguments there are none."""
        self._call("PUT", "denied", list(denials))

    def durations(self, **seconds: float) -> dict[str, float]:
        """Change the named durations, return all."""
        return dict(self._call("PUT", "durations", seconds))

    def quotas(self, **limits: int) -> dict[str, int]:
        """Change the named quotas, return all."""
        return dict(self._call("PUT", "quotas", limits))

    def outcomes(self, *outcomes: Mapping[str, Any]) -> None:
        """Replace the scripted failures; without arguments there are none."""
        self._call("PUT", "outcomes", list(outcomes))

    def statuses(self, *rules: Mapping[str, Any]) -> None:
        """Replace the statuses that descriptions are made to tell; without arguments they tell the truth."""
        self._call("PUT", "statuses", list(rules))

    def workforce(self, **rules: Any) -> dict[str, Any]:
        """Let a simulated workforce answer reviews by these rules from now on, defaults for the rest."""
        return dict(self._call("PUT", "workforce", rules))

    def workforce_state(self) -> dict[str, Any]:
        """Return the workforce's rules and what it did so far; `employed` says whether there is one."""
        return dict(self._call("GET", "workforce"))

    def dismiss_workforce(self) -> None:
        """Let no simulated worker answer any more."""
        self._call("DELETE", "workforce")

    def date_objects(self, bucket: str, key: str, last_modified: str) -> int:
        """Set the LastModified of the objects that are there, by globs; say how many they are."""
        rule = {"bucket": bucket, "key": key, "last_modified": last_modified}
        return int(self._call("PUT", "dates", [rule])["changed"])

    def calls(self) -> dict[str, dict[str, Any]]:
        """Return the counts a 'service.Operation'."""
        return dict(self._call("GET", "calls"))

    def clear_calls(self) -> None:
        """Start counting calls anew."""
        self._call("DELETE", "calls")

    def changes(self) -> list[dict[str, Any]]:
        """Return the calls that change something, in order: operation, subject, effect."""
        return list(self._call("GET", "changes"))

    def clear_changes(self) -> None:
        """Forget the calls that changed something."""
        self._call("DELETE", "changes")

    def held(self) -> list[dict[str, str]]:
        """Return the calls that a fault of kind 'hold_...' keeps waiting."""
        return list(self._call("GET", "held"))

    def saved(self) -> list[str]:
        """Return the names of the states that are kept."""
        return list(self._call("GET", "saved"))

    def save(self, name: str) -> None:
        """Keep the state of all services but human review under a name; raises LocalAwsError while things change."""
        self._call("PUT", "saved", {"name": name})

    def restore(self, name: str) -> None:
        """Reset, and bring the state of that name back."""
        self._call("POST", "restore", {"name": name})

    def reset(self) -> None:
        """Forget all state of all services and go back to the settings of the start."""
        self._call("POST", "reset")

    def _call(self, method: str, name: str, body: object = None) -> Any:
        content = None if body is None else json.dumps(body).encode()
        request = Request(f"{self._base}{name}", data=content, method=method)  # noqa: S310 - always http
        try:
            with self._opener.open(request, timeout=30) as answer:
                return json.load(answer)
        except HTTPError as error:
            detail = error.read().decode("utf-8", "replace")
            raise LocalAwsError(f"{method} {name} answered {error.code}: {detail}") from None


class LocalAws:
    """An embedded AWS in a child process, which ends with this one whatever happens.

    Parameters: `options` are those of `python -m include.local_aws`; without a --port a free one is used.
    `log` receives the log, a path or an open file; None leaves it on this process's stderr.
    """

    def __init__(self, options: Sequence[str] = (), log: Path | IO[Any] | None = None) -> None:
        self._options = list(options)
        self._log = log
        self._process: subprocess.Popen[str] | None = None
        self._endpoint_url = ""

    def start(self) -> str:
        """Start and return the endpoint URL; raises LocalAwsError if it is not ready within a minute."""
        command = [sys.executable, "-m", "include.local_aws", "--watch-stdin", *self._options]
        if not any(option.startswith("--port") for option in self._options):
            command += ["--port", "0"]
        log = self._log.open("w") if isinstance(self._log, Path) else self._log
        self._process = subprocess.Popen(  # noqa: S603 - our own module
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            cwd=_ROOT,
            env={**os.environ, "PYTHONPATH": str(_ROOT)},
            # Ctrl-C in the terminal is for the starter, which stops this server when it is done with it.
            start_new_session=True,
        )
        if isinstance(self._log, Path) and log is not None:
            log.close()
        self._endpoint_url = self._wait_until_ready(self._process)
        return self._endpoint_url

    @property
    def endpoint_url(self) -> str:
        """The URL for `endpoint_url` of every service; raises LocalAwsError before the start."""
        if not self._endpoint_url:
            raise LocalAwsError("The embedded AWS has not been started: call start() first.")
        return self._endpoint_url

    @property
    def control(self) -> Control:
        """The control endpoint."""
        return Control(self.endpoint_url)

    @property
    def process_id(self) -> int:
        """The server's process id."""
        if self._process is None:
            raise LocalAwsError("The embedded AWS has not been started: call start() first.")
        return self._process.pid

    def stop(self) -> int | None:
        """Stop and return the exit code; does nothing if it does not run."""
        process, self._process, self._endpoint_url = self._process, None, ""
        if process is None:
            return None
        if process.stdin is not None and process.stdout is not None:
            process.stdin.close()
        try:
            code = process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            code = process.wait()
        if process.stdout is not None:
            process.stdout.close()
        return code

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _wait_until_ready(self, process: subprocess.Popen[str]) -> str:
        lines: Queue[str] = Queue()

        def read() -> None:
            if process.stdout is not None:
                lines.put(process.stdout.readline())

        threading.Thread(target=read, daemon=True).start()
        try:
            line = lines.get(timeout=_READY_SECONDS)
        except Empty:
            line = ""
        if not line.startswith(_READY):
            self.stop()
            raise LocalAwsError(
                f"The embedded AWS did not start with {self._options}: it said {line!r}. Its log has the reason."
            )
        return line.removeprefix(_READY).strip()
