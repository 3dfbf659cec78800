"""What the demo asks of Airflow, through its public REST API."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import httpx

from include.demo.errors import DemoError
from include.demo.http_calls import send_patiently

Json = dict[str, Any]


class AirflowApi:
    """A client of ``/api/v2``.

    :param base_url: such as ``http://127.0.0.1:8080``.
    """

    def __init__(self, base_url: str) -> None:
        self.base_url = base_url.rstrip("/")
        # Proxies and credentials of the user's environment have no business on this machine.
        self._http = httpx.Client(base_url=f"{self.base_url}/api/v2", timeout=30, trust_env=False)

    def health(self) -> dict[str, str]:
        """Give the status of each component; empty while the API does not answer."""
        try:
            answer = self._http.get("/monitor/health", timeout=5)
        except httpx.TransportError:
            return {}
        if answer.status_code != httpx.codes.OK:
            return {}
        return {name: (state or {}).get("status") or "missing" for name, state in answer.json().items()}

    def import_errors(self) -> list[Json]:
        """List DAG files that Airflow could not read, each with ``filename`` and ``stack_trace``."""
        return list(self._call("GET", "/importErrors")["import_errors"])

    def dag(self, dag_id: str) -> Json | None:
        """Describe a DAG; ``None`` while it is not known."""
        return self._call("GET", f"/dags/{dag_id}", missing_ok=True) or None

    def unpause(self, dag_id: str) -> None:
        """Let a DAG run."""
        self._call("PATCH", f"/dags/{dag_id}", {"is_paused": False}, params={"update_mask": "is_paused"})

    def trigger(self, dag_id: str, run_id: str, note: str, conf: Mapping[str, Any] | None = None) -> None:
        """Start a run under an id of ours, so that a repeated request cannot start two.

        :param conf: Params of the run.
        """
        body = {"dag_run_id": run_id, "logical_date": None, "note": note, "conf": dict(conf or {})}
        self._call("POST", f"/dags/{dag_id}/dagRuns", body, conflict_ok=True)

    def runs(self, dag_id: str) -> list[Json]:
        """List the runs of a DAG."""
        return list(self._call("GET", f"/dags/{dag_id}/dagRuns", params={"limit": 50})["dag_runs"])

    def run(self, dag_id: str, run_id: str) -> Json:
        """Describe a run."""
        return self._call("GET", f"/dags/{dag_id}/dagRuns/{quote(run_id, safe='')}")

    def tasks(self, dag_id: str, run_id: str) -> list[Json]:
        """List the task instances of a run."""
        path = f"/dags/{dag_id}/dagRuns/{quote(run_id, safe='')}/taskInstances"
        return list(self._call("GET", path, params={"limit": 100})["task_instances"])

    def upsert(self, kind: str, name: str, body: Mapping[str, Any], update_mask: tuple[str, ...] = ()) -> str:
        """Create a pool, Variable or connection, or change the one of that name.

        :param kind: ``pools``, ``variables`` or ``connections``.
        :param update_mask: the only fields to change in one that exists; all without it.
        :return: "created" or "updated".
        """
        created = self._call("POST", f"/{kind}", body, conflict_ok=True)
        if created:
            return "created"
        self.update(kind, name, body, update_mask)
        return "updated"

    def update(self, kind: str, name: str, body: Mapping[str, Any], update_mask: tuple[str, ...] = ()) -> None:
        """Change a pool, Variable or connection."""
        self._call("PATCH", f"/{kind}/{quote(name, safe='')}", body, params={"update_mask": list(update_mask)})

    def run_url(self, dag_id: str, run_id: str) -> str:
        """Give the page of a run in Airflow's UI."""
        return f"{self.base_url}/dags/{dag_id}/runs/{quote(run_id, safe='')}"

    def _call(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        *,
        params: Mapping[str, Any] | None = None,
        missing_ok: bool = False,
        conflict_ok: bool = False,
    ) -> Json:
        """Send a request; an empty answer stands for a 404 or 409 that is allowed."""
        answer = self._send(method, path, body, params)
        if (missing_ok and answer.status_code == httpx.codes.NOT_FOUND) or (
            conflict_ok and answer.status_code == httpx.codes.CONFLICT
        ):
            return {}
        if answer.is_error:
            raise DemoError(f"Airflow refused {method} {answer.url}: HTTP {answer.status_code}, {answer.text[:500]}")
        return dict(answer.json())

    def _send(
        self, method: str, path: str, body: Mapping[str, Any] | None, params: Mapping[str, Any] | None
    ) -> httpx.Response:
        return send_patiently(
            lambda: self._http.request(method, path, json=body, params=params),
            f"Airflow did not answer {method} {self.base_url}/api/v2{path}",
        )
