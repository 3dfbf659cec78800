"""The API over HTTP on this machine: both kinds of events, limits of the gateway, and the command that serves it."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any

import pytest

from custom_labels.core.settings import PROJECTS_DIR_VARIABLE
from include.predict_api.__main__ import READY, main
from include.predict_api.gateway import LARGEST_BODY_BYTES, Shape
from include.predict_api.server import Handle, PredictServer
from tests.conftest import ROOT, airflow_environment
from tests.kit.detect_runs import point_to, serve, start
from tests.kit.predict_events import json_image
from tests.kit.support import BUCKET, picture

if TYPE_CHECKING:
    from include.local_aws.process import LocalAws

PNG = picture("rows", 7)
Answered = tuple[int, dict[str, str], dict[str, Any]]


@contextmanager
def served(handle: Handle, shape: Shape = Shape.REST) -> Iterator[int]:
    """Serve in a thread; give the port."""
    with PredictServer(handle, shape=shape) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()


def ask(port: int, method: str, path: str, body: bytes | None = None, **headers: str) -> Answered:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
        answer = connection.getresponse()
        return answer.status, dict(answer.headers), json.loads(answer.read() or b"{}")
    finally:
        connection.close()


def echo(event: dict[str, Any]) -> dict[str, Any]:
    """Answer with the event."""
    return {"statusCode": 200, "headers": {"X-Own": "1"}, "body": json.dumps(event), "isBase64Encoded": False}


@pytest.mark.parametrize("shape", Shape)
def test_a_request_comes_as_an_event_and_the_answer_goes_back(shape: Shape) -> None:
    with served(echo, shape) as port:
        status, headers, event = ask(port, "POST", "/predict?a=1", PNG, Content_Type="image/png")
        _, _, text = ask(port, "POST", "/predict", b"{}", Content_Type="application/json")

    assert (status, headers["X-Own"], event["isBase64Encoded"]) == (200, "1", True)
    assert event["queryStringParameters"] == {"a": "1"}
    assert (text["isBase64Encoded"], text["body"]) == (False, "{}")


def test_what_api_gateway_and_lambda_do_not_take_is_413() -> None:
    with served(echo) as port:
        for size in (LARGEST_BODY_BYTES, 5 * 1024 * 1024):
            status, _, body = ask(port, "POST", "/predict", bytes(size), Content_Type="image/png")
            assert (status, body) == (413, {"message": "Request Too Long"})
        headers = {"Content-Length": str(LARGEST_BODY_BYTES + 1)}
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        connection.request("POST", "/predict", headers=headers)  # none of the body is needed to refuse it
        assert connection.getresponse().status == 413
        connection.close()
        assert ask(port, "POST", "/predict", b"x", Transfer_Encoding="chunked")[0] == 411


def test_a_function_that_fails_is_502_and_the_server_goes_on(capfd: pytest.CaptureFixture[str]) -> None:
    def fail(event: dict[str, Any]) -> dict[str, Any]:
        if event["path"] == "/fail":
            raise RuntimeError("s3://secret")
        return echo(event)

    with served(fail) as port:
        assert ask(port, "GET", "/fail")[::2] == (502, {"message": "Internal server error"})
        assert ask(port, "GET", "/works")[0] == 200


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A project's file."""
    (tmp_path / "digits.yaml").write_text(json.dumps({"bucket": BUCKET, "task": "image_classification"}))
    monkeypatch.setenv(PROJECTS_DIR_VARIABLE, str(tmp_path))
    return "digits"


def test_the_command_serves_the_live_version_and_follows_a_swap(
    aws: LocalAws, airflow_db: None, project: str, tmp_path: Path
) -> None:
    at_aws = serve(aws, "v1", "v2")
    environment = {**os.environ, **airflow_environment(Path(os.environ["AIRFLOW_HOME"]), aws.endpoint_url)}
    command = [sys.executable, "-m", "include.predict_api", project, "--port", "0", "--pointer-seconds", "0"]
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            line = next(each for each in process.stdout if each.startswith(READY))
            port = int(re.findall(r":(\d+)", line)[-1])
            raw = ask(port, "POST", "/predict", PNG, Content_Type="image/png")
            start(aws, at_aws, "v2")
            point_to(aws, at_aws, "v2")
            in_json = ask(port, "POST", "/predict", json_image(PNG), Content_Type="application/json")
            refused = ask(port, "POST", "/predict", PNG, Content_Type="image/gif")
        finally:
            process.send_signal(signal.SIGINT)
            code = process.wait(30)

    assert (raw[0], raw[2]["version"], raw[2]["predictions"][0]["label"]) == (200, "v1", "rows")
    assert (in_json[0], in_json[2]["version"]) == (200, "v2")
    assert (refused[0], refused[2]["error"]) == (415, "unsupported_type")
    assert code == 130


@pytest.mark.parametrize(
    "arguments",
    [[], ["digits", "--build", "x"], ["digits", "--port", "70000"], ["digits", "--pointer-seconds", "-1"]],
)
def test_wrong_options_are_refused(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2


def test_a_project_that_is_not_there_is_an_error(project: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["nowhere"]) == 1
    assert "nowhere" in capsys.readouterr().err


def test_a_port_that_is_taken_is_an_error(aws: LocalAws, project: str, capsys: pytest.CaptureFixture[str]) -> None:
    serve(aws)
    with served(echo) as port:
        assert main([project, "--port", str(port)]) == 1
    assert f"--port is {port}" in capsys.readouterr().err
