"""A program that asks the predict API of this machine, which runs on while the version that serves is replaced."""

from __future__ import annotations

import base64
import json
import os
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from custom_labels.core.settings import Project
from include.demo.errors import DemoError
from include.demo.http_calls import send_patiently
from include.demo.ports import free_port
from include.demo.processes import Child, Processes, log_tail
from include.predict_api.__main__ import READY

START_SECONDS = 120.0


@dataclass(frozen=True)
class Posted:
    """An answer of the API.

    :param body: its JSON.
    """

    status: int
    body: dict[str, Any] = field(default_factory=dict)

    @property
    def version(self) -> str:
        """Name of the version that predicted; empty where none did."""
        return str(self.body.get("version", ""))


@dataclass(frozen=True)
class Calls:
    """What the API answered to the calls after a swap.

    :param raw: to the bytes of an image, and ``in_json`` to the same image in JSON.
    :param wrong_type: to a body of a kind that it does not take, and ``no_image`` to one that is no image.
    """

    raw: Posted
    in_json: Posted
    wrong_type: Posted
    no_image: Posted


class PredictCaller:
    """Starts the API and calls it.

    :param endpoint_url: of the embedded AWS.
    """

    def __init__(self, processes: Processes, project: Project, endpoint_url: str) -> None:
        self._processes = processes
        self._project = project
        self._endpoint_url = endpoint_url
        self._child: Child | None = None
        self._port = 0

    def start(self) -> None:
        """Start the API; returns at once."""
        workspace = self._processes.workspace
        self._port = free_port(workspace.near(8090))
        extra = {"endpoint_url": self._endpoint_url, "region_name": self._project.region_name or "us-east-1"}
        connection = {"conn_type": "aws", "login": "local", "password": "local", "extra": extra}
        environment = {
            **os.environ,
            "AIRFLOW_HOME": str(workspace.folder / "predict_api"),
            f"AIRFLOW_CONN_{self._project.aws_conn_id.upper()}": json.dumps(connection),
            "AIRFLOW__LOGGING__LOGGING_LEVEL": "ERROR",
        }
        command = [sys.executable, "-m", "include.predict_api", self._project.name, "--port", str(self._port)]
        self._child = self._processes.start("Predict API", [*command, "--pointer-seconds", "1"], environment)

    def post(self, image: Path) -> Posted:
        """Post the bytes of an image, as soon as the API serves."""
        return self._post(image.read_bytes(), "application/octet-stream")

    def call(self, image: Path) -> Calls:
        """Post an image both ways, and two bodies that are none."""
        content = image.read_bytes()
        in_json = json.dumps({"image": base64.b64encode(content).decode()}).encode()
        return Calls(
            self.post(image),
            self._post(in_json, "application/json"),
            self._post(content, "text/plain"),
            self._post(b"no image", "image/png"),
        )

    def _post(self, body: bytes, kind: str) -> Posted:
        self._wait()
        url = f"http://127.0.0.1:{self._port}/predict"
        answer = send_patiently(
            lambda: httpx.post(url, content=body, headers={"Content-Type": kind}, timeout=30, trust_env=False),
            f"The predict API did not answer at {url}",
        )
        return Posted(answer.status_code, answer.json())

    def _wait(self) -> None:
        """Wait until the API serves.

        :raises DemoError: it was not started, it ended, or it is not ready in time.
        """
        if self._child is None:
            raise DemoError("The predict API was not started before it was called.")
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            self._child.check_alive()
            if READY in self._child.log.read_text(errors="replace"):
                return
            time.sleep(0.1)
        raise DemoError(
            f"The predict API was not ready within {START_SECONDS:.0f} seconds. {log_tail(self._child.log)}"
        )
