"""A server of the StatsD protocol, and the way to let Airflow's own logger of metrics send to it."""

from __future__ import annotations

import inspect
import socket
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

PREFIX = "airflow."


class StatsdClient:
    """Sends what the StatsD protocol has; made by Airflow with the arguments of the package ``statsd``."""

    def __init__(self, host: str, port: int, prefix: str, _ipv6: bool) -> None:
        self.address = socket.getaddrinfo(host, port, socket.AF_INET, socket.SOCK_DGRAM)[0][4]
        self.prefix = prefix
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)

    def gauge(self, stat: str, value: float, _rate: float, _delta: bool) -> None:
        self._send(f"{stat}:{value}|g")

    def incr(self, stat: str, count: int, _rate: float) -> None:
        self._send(f"{stat}:{count}|c")

    def timing(self, stat: str, time: float | timedelta) -> None:
        self._send(f"{stat}:{time.total_seconds() * 1000 if isinstance(time, timedelta) else time}|ms")

    def _send(self, line: str) -> None:
        self.socket.sendto(f"{self.prefix}.{line}".encode(), self.address)


@dataclass(frozen=True)
class Sent:
    """What came in one datagram.

    :param name: without Airflow's prefix; as InfluxDB has it, with tags behind commas.
    :param kind: ``g`` for a gauge, ``c`` for a counter, ``ms`` for one of Airflow's times.
    """

    name: str
    value: float
    kind: str


class Statsd:
    """A server of the StatsD protocol on a UDP port of this machine."""

    def __init__(self) -> None:
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.socket.settimeout(0.2)

    @property
    def address(self) -> tuple[str, int]:
        host, port = self.socket.getsockname()
        return str(host), int(port)

    def received(self) -> list[Sent]:
        """Give what came since the last time."""
        found: list[Sent] = []
        while True:
            try:
                name, _, rest = self.socket.recv(1_000).decode().partition(":")
            except TimeoutError:
                return found
            assert name.startswith(PREFIX)
            value, _, kind = rest.partition("|")
            found.append(Sent(name.removeprefix(PREFIX), float(value), kind))

    def numbers(self) -> dict[str, float]:
        """Give the numbers that came since the last time by their names; of a counter its sum, of a gauge the last."""
        found: dict[str, float] = {}
        for each in self.received():
            found[each.name] = each.value + (found.get(each.name, 0) if each.kind == "c" else 0)
        return found


def send_to(host: str, port: int, *, influxdb: bool = False) -> None:
    """Let Airflow send what it measures in this process to a StatsD server, with or without InfluxDB's tags."""
    from airflow.sdk._shared.observability.metrics.statsd_logger import get_statsd_logger

    initialize(
        lambda: get_statsd_logger(
            stats_class=StatsdClient,
            host=host,
            port=port,
            prefix=PREFIX.removesuffix("."),
            influxdb_tags_enabled=influxdb,
            statsd_influxdb_enabled=influxdb,
        )
    )


def send_nothing() -> None:
    """Let Airflow send nothing, as where no ``[metrics]`` are set up."""
    from airflow.sdk._shared.observability.metrics.base_stats_logger import NoStatsLogger

    initialize(NoStatsLogger)


def initialize(factory: Any) -> None:
    """Let Airflow make its logger of metrics anew, as it does when a task's process begins."""
    from airflow.sdk.observability.stats import Stats

    legacy = "export_legacy_names"  # not before Airflow 3.3
    more = {legacy: False} if legacy in inspect.signature(Stats.initialize).parameters else {}
    Stats.initialize(factory=factory, **more)
