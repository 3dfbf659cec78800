"""A collector of OpenTelemetry's metrics on this machine, which takes OTLP over HTTP as real ones do."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self


@dataclass(frozen=True)
class Point:
    """One number that was exported.

    :param kind: OTLP's word: ``gauge``, or ``sum`` of a counter.
    """

    name: str
    kind: str
    value: float
    tags: tuple[tuple[str, str], ...]


class Collector:
    """Takes what processes export, and remembers their gauges and sums."""

    def __init__(self) -> None:
        self._points: list[Point] = []
        points = self._points

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                points.extend(read_points(self.rfile.read(int(self.headers["Content-Length"]))))
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)

    @property
    def environment(self) -> dict[str, str]:
        """What lets every process of an Airflow export to it."""
        return {
            "AIRFLOW__METRICS__OTEL_ON": "True",
            "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT": f"http://127.0.0.1:{self._server.server_port}/v1/metrics",
        }

    def points(self, prefix: str) -> list[Point]:
        """Give what came until now under names that begin so."""
        return [each for each in [*self._points] if each.name.startswith(prefix)]

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


def read_points(body: bytes) -> Iterator[Point]:
    """Give the numbers of an export request; of histograms, which are Airflow's own times, none."""
    from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest

    for resource in ExportMetricsServiceRequest.FromString(body).resource_metrics:
        for metric in (each for scope in resource.scope_metrics for each in scope.metrics):
            kind = metric.WhichOneof("data")
            if kind in {"gauge", "sum"}:
                for point in getattr(metric, kind).data_points:
                    value = getattr(point, point.WhichOneof("value"))
                    tags = tuple((tag.key, tag.value.string_value) for tag in point.attributes)
                    yield Point(metric.name, kind, float(value), tags)
