"""airflow_settings.yaml, read and applied as the Astro CLI does."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from custom_labels.core.settings import Settings, load_project, read_settings
from include.demo.airflow_api import AirflowApi
from include.demo.errors import DemoError
from include.demo.settings_file import apply_settings, read_settings_file, with_endpoint

ROOT = Path(__file__).resolve().parents[2]
SHIPPED = ROOT / "airflow_settings.yaml"
NAME_FIELDS = {"pools": "name", "variables": "key", "connections": "connection_id"}


class AirflowServer(ThreadingHTTPServer):
    """Keeps what is posted; a second one of the same name is a conflict, as in Airflow."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.kept: dict[str, dict[str, Any]] = {}
        self.requests: list[str] = []
        self.failures = 0


class Handler(BaseHTTPRequestHandler):
    """The API's paths of pools, Variables and connections."""

    server: AirflowServer

    def do_POST(self) -> None:
        body = self._body()
        kind = self.path.rsplit("/", 1)[1]
        name = f"{kind}/{body[NAME_FIELDS[kind]]}"
        if self.server.failures:
            self.server.failures -= 1
            self._answer(500, {"detail": "database is locked"})
        elif name in self.server.kept:
            self._answer(409, {"detail": "exists"})
        else:
            self.server.kept[name] = body
            self._answer(201, body)

    def do_PATCH(self) -> None:
        path = self.path.split("?")[0].removeprefix("/api/v2/")
        self.server.kept[path] = self._body()
        self._answer(200, self.server.kept[path])

    def log_message(self, *args: Any) -> None:
        """Keep the test's output clean."""

    def _body(self) -> dict[str, Any]:
        self.server.requests.append(f"{self.command} {self.path}")
        return dict(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

    def _answer(self, status: int, body: dict[str, Any]) -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


@pytest.fixture
def airflow() -> Iterator[AirflowServer]:
    with AirflowServer() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def api(airflow: AirflowServer) -> AirflowApi:
    return AirflowApi(f"http://127.0.0.1:{airflow.server_address[1]}")


def test_shipped_file_applies_twice(airflow: AirflowServer, api: AirflowApi) -> None:
    settings = read_settings_file(SHIPPED)
    first = apply_settings(api, settings)
    kept = dict(airflow.kept)
    second = apply_settings(api, settings)
    assert set(first.values()) == {"created"}
    assert set(second.values()) == {"updated"}
    assert airflow.kept == kept
    assert {"pools/custom_labels", "connections/aws_default", "variables/digits__minimum_f1_score"} <= kept.keys()


def test_apply_tries_again_when_the_database_is_locked(airflow: AirflowServer, api: AirflowApi) -> None:
    airflow.failures = 2
    apply_settings(api, read_settings_file(SHIPPED)[:1])
    assert list(airflow.kept) == ["pools/custom_labels"]


def test_shipped_variables_are_settings_of_the_demo_project() -> None:
    project = load_project("digits")
    settings = read_settings_file(SHIPPED)
    variables = {each.name: str(each.body["value"]) for each in settings if each.kind == "variables"}
    assert variables.keys() <= {project.variable(name) for name in Settings.model_fields}
    read = read_settings(project, variables.get)
    assert read.minimum_untrained_images == int(variables["digits__minimum_untrained_images"])
    assert project.pool in {each.name for each in settings if each.kind == "pools"}


def test_endpoint_is_put_into_the_connection_and_the_rest_stays() -> None:
    connection = with_endpoint(read_settings_file(SHIPPED), "aws_default", "http://127.0.0.1:5601")
    assert json.loads(connection.body["extra"]) == {
        "region_name": "us-east-1",
        "endpoint_url": "http://127.0.0.1:5601",
    }
    assert connection.body["login"] == "local"


def test_endpoint_needs_the_projects_connection() -> None:
    with pytest.raises(DemoError, match="has no connection 'other'"):
        with_endpoint(read_settings_file(SHIPPED), "other", "http://127.0.0.1:1")


def test_entries_without_name_slots_or_value_are_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "airflow_settings.yaml"
    path.write_text(
        """
airflow:
  connections: [{conn_id: }, {conn_id: c, conn_type: http, conn_port: 80, conn_extra: '{"a": 1}'}]
  pools: [{pool_name: , pool_slot: 1}, {pool_name: none, pool_slot: 0}, {pool_name: default_pool, pool_slot: 4}]
  variables: [{variable_name: v, variable_value: }, {variable_name: w, variable_value: {a: 1}}]
"""
    )
    settings = read_settings_file(path)
    assert [(each.kind, each.name) for each in settings] == [
        ("pools", "default_pool"),
        ("variables", "w"),
        ("connections", "c"),
    ]
    assert settings[0].update_mask == ("slots", "include_deferred")
    assert settings[1].body["value"] == '{"a": 1}'
    assert settings[2].body == {"connection_id": "c", "conn_type": "http", "port": 80, "extra": '{"a": 1}'}


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        pytest.param(None, "is missing", id="no file"),
        pytest.param("airflow: [", "is no YAML", id="no YAML"),
        pytest.param("", "no section 'airflow'", id="empty"),
        pytest.param("- airflow", "no section 'airflow'", id="a list"),
    ],
)
def test_file_that_cannot_be_used_is_named(tmp_path: Path, content: str | None, complaint: str) -> None:
    path = tmp_path / "airflow_settings.yaml"
    if content is not None:
        path.write_text(content)
    with pytest.raises(DemoError, match=complaint) as raised:
        read_settings_file(path)
    assert str(path) in str(raised.value)
