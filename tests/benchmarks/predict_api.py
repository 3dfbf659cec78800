"""The predict API under load, beside bare DetectCustomLabels: what a caller waits, at several requests at a time.

DetectCustomLabels of the embedded AWS takes 50 ms more here than its model needs, as the network to AWS and a larger
model would. Both sides ask the same embedded AWS from the same process: two cores have no room to hide work in.
"""

from __future__ import annotations

import http.client
import json
import os
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from rich.table import Table

if TYPE_CHECKING:
    from include.local_aws.process import LocalAws

REQUESTS = 200
AT_A_TIME = 8
SECONDS_A_CALL = 0.05
SIDES = {
    "bare": "bare DetectCustomLabels",
    "function": "the function, an event each",
    "api": "the API over HTTP",
}


def run(requests: int = REQUESTS, at_a_time: int = AT_A_TIME, seconds_a_call: float = SECONDS_A_CALL) -> dict[str, Any]:
    """Measure each side with the same image."""
    from include.local_aws.process import LocalAws
    from tests.conftest import FAST, connection

    with (
        tempfile.TemporaryDirectory() as home,
        LocalAws(FAST, log=Path(home) / "aws.log") as aws,
        patch.dict(os.environ, {"AIRFLOW_CONN_AWS_DEFAULT": connection(aws.endpoint_url)}),
        (Path(home) / "function.log").open("w") as log,
        redirect_stdout(log),
        _asks(aws, at_a_time) as asks,
    ):
        fault = {"operation": "rekognition.DetectCustomLabels", "kind": "slow", "seconds": seconds_a_call}
        aws.control.faults(*([fault] if seconds_a_call else []))
        sides = {side: _measure(aws, asks[side], requests, at_a_time) for side in SIDES}
    return {"requests": requests, "at_a_time": at_a_time, "seconds_a_call": seconds_a_call, "sides": sides}


@contextmanager
def _asks(aws: LocalAws, at_a_time: int) -> Iterator[dict[str, Callable[[], None]]]:
    """Let a version serve; give what asks it once, by the side."""
    from include.predict_api.function.api import PredictApi
    from include.predict_api.function.settings import ApiSettings
    from include.predict_api.gateway import Shape, to_event
    from include.predict_api.server import PredictServer
    from tests.kit.detect_runs import serve
    from tests.kit.support import BUCKET, client, picture

    serve(aws)
    content = picture("rows", 7)
    rekognition = client(aws, "rekognition", max_pool_connections=at_a_time)
    s3 = client(aws, "s3", max_pool_connections=at_a_time)
    arn = json.loads(s3.get_object(Bucket=BUCKET, Key="registry/live.json")["Body"].read())["version_arn"]
    api = PredictApi(ApiSettings(BUCKET), rekognition, s3)
    headers = {"Content-Type": "image/png"}
    event = to_event(Shape.REST, "POST", "/predict", headers.items(), content)
    connections = threading.local()

    def bare() -> None:
        rekognition.detect_custom_labels(ProjectVersionArn=arn, Image={"Bytes": content})

    def function() -> None:
        assert api.handle(event)["statusCode"] == 200

    with PredictServer(api.handle) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()

        def over_http() -> None:
            if not hasattr(connections, "held"):
                connections.held = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=60)
            connections.held.request("POST", "/predict", content, headers)
            answer = connections.held.getresponse()
            answer.read()
            assert answer.status == 200

        try:
            yield {"bare": bare, "function": function, "api": over_http}
        finally:
            server.shutdown()
            thread.join()


def _measure(aws: LocalAws, ask: Callable[[], None], requests: int, at_a_time: int) -> dict[str, Any]:
    def timed(_: int) -> float:
        begun = time.perf_counter()
        ask()
        return time.perf_counter() - begun

    with ThreadPoolExecutor(at_a_time) as pool:
        list(pool.map(timed, range(at_a_time)))  # connections are made before
        aws.control.clear_calls()
        begun = time.perf_counter()
        waits = sorted(pool.map(timed, range(requests)))
        wall = time.perf_counter() - begun
    calls = {name: int(each["calls"]) for name, each in aws.control.calls().items()}
    return {
        "p50_ms": waits[len(waits) // 2] * 1000,
        "p99_ms": waits[max(0, -(-len(waits) * 99 // 100) - 1)] * 1000,
        "requests_a_second": requests / wall,
        "calls": calls,
    }


def table(result: dict[str, Any]) -> Table:
    """Lay out one run."""
    pause = result["seconds_a_call"] * 1000
    title = f"{result['requests']} requests, {result['at_a_time']} at a time, {pause:g} ms added to DetectCustomLabels"
    made = Table(title=title, title_justify="left")
    made.add_column("")
    for heading in ("p50 ms", "p99 ms", "requests/s", "AWS calls a request", "p50 to bare"):
        made.add_column(heading, justify="right")
    bare = result["sides"]["bare"]
    for side, words in SIDES.items():
        row = result["sides"][side]
        made.add_row(
            f"Predict: {words}",
            f"{row['p50_ms']:.1f}",
            f"{row['p99_ms']:.1f}",
            f"{row['requests_a_second']:.0f}",
            f"{sum(row['calls'].values()) / result['requests']:.2f}",
            f"{row['p50_ms'] / bare['p50_ms']:.2f} x",
        )
    return made
