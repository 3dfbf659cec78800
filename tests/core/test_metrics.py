"""Metrics reach what Airflow sends its own to, under a name or with tags that tell projects apart, and fail nothing."""

from __future__ import annotations

import re
import sys

import pytest

from custom_labels.core.metrics import EventCounter, Gauge, address, count, count_run, send_gauges
from tests.conftest import ROOT
from tests.kit.statsd import Sent, Statsd, initialize, send_nothing, send_to
from tests.kit.task_contexts import project_context

METRICS = (*Gauge, *EventCounter)
TAGGED = ("custom_labels.runs", {"project": "digits", "dag": "train", "outcome": "deployed"})
NAMED = ("custom_labels.digits.runs.train.deployed", {"project": "digits", "dag": "train", "outcome": "deployed"})


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        pytest.param({}, TAGGED, id="nothing"),
        pytest.param({"OTEL_ON": "True"}, TAGGED, id="OpenTelemetry"),
        pytest.param({"STATSD_ON": "True"}, NAMED, id="StatsD"),
        pytest.param({"STATSD_ON": "True", "OTEL_ON": "True"}, NAMED, id="both-of-which-Airflow-takes-StatsD"),
        pytest.param({"STATSD_ON": "True", "STATSD_INFLUXDB_ENABLED": "True"}, TAGGED, id="InfluxDB"),
        pytest.param({"STATSD_ON": "True", "STATSD_DATADOG_ENABLED": "True"}, TAGGED, id="Datadog"),
        pytest.param(
            {"STATSD_DATADOG_ENABLED": "True", "STATSD_DATADOG_METRICS_TAGS": "False"}, NAMED, id="Datadog-without-tags"
        ),
    ],
)
def test_the_values_of_tags_are_in_the_name_where_tags_are_not_sent(
    monkeypatch: pytest.MonkeyPatch, options: dict[str, str], expected: tuple[str, dict[str, str]]
) -> None:
    for name, value in options.items():
        monkeypatch.setenv(f"AIRFLOW__METRICS__{name}", value)

    assert address("digits", EventCounter.RUNS.value, "train", "deployed") == expected


def test_numbers_arrive_over_udp(statsd: Statsd) -> None:
    ctx = project_context("digits_cost_guard")

    send_gauges(ctx, {Gauge.SPENT_MONTH: 12.5, Gauge.SPENT_BUDGET: None, Gauge.RUNNING_UNITS: 0})
    count(ctx, EventCounter.IMAGES_HARVESTED, 3)
    count(ctx, EventCounter.IMAGES_HARVESTED, 0)
    count_run(ctx, "guarded")

    assert statsd.received() == [
        Sent("custom_labels.digits.spent.month_usd", 12.5, "g"),
        Sent("custom_labels.digits.running.inference_units", 0, "g"),
        Sent("custom_labels.digits.images.harvested", 3, "c"),
        Sent("custom_labels.digits.runs.cost_guard.guarded", 1, "c"),
    ]


def test_tags_arrive_as_influxdb_has_them(statsd: Statsd, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW__METRICS__STATSD_INFLUXDB_ENABLED", "True")
    send_to(*statsd.address, influxdb=True)

    count_run(project_context("digits_cost_guard"), "guarded")

    assert statsd.received() == [Sent("custom_labels.runs,project=digits,dag=cost_guard,outcome=guarded", 1, "c")]


def test_a_backfill_sends_no_gauge_but_counts(statsd: Statsd) -> None:
    ctx = project_context(run_type="backfill")

    send_gauges(ctx, {Gauge.IMAGES_UNTRAINED: 7})
    count_run(ctx, "trained")

    assert [each.kind for each in statsd.received()] == ["c"]


def test_a_host_that_is_not_found_fails_nothing(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    send_to("no-such-host.invalid", 8125)
    try:
        send_gauges(project_context(), {Gauge.IMAGES_LABELED: 7})
    finally:
        send_nothing()

    assert "Could not configure StatsClient" in caplog.text


def test_a_missing_statsd_package_fails_nothing(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The extra ``apache-airflow[statsd]`` is not among the requirements of the package."""
    from airflow.sdk.observability.metrics.statsd_logger import get_statsd_logger

    monkeypatch.setitem(sys.modules, "statsd", None)
    initialize(get_statsd_logger)
    try:
        count_run(project_context(), "deployed")
    finally:
        send_nothing()

    assert "Could not configure StatsClient" in caplog.text


def test_every_metric_is_sent_by_some_task() -> None:
    texts = [path.read_text() for path in (ROOT / "plugins").rglob("*.py")]
    sent = {name for text in texts for name in re.findall(r"\b(?:Gauge|EventCounter)\.([A-Z_0-9]+)\b", text)}

    assert sent == {metric.name for metric in METRICS}


def test_names_are_those_of_the_statsd_protocol_and_of_prometheus() -> None:
    names = [metric.value.name for metric in METRICS]

    assert len({*names}) == len(names)
    assert all(re.fullmatch(r"[a-z0-9_]+(\.[a-z0-9_]+)?", name) for name in names)


def test_nothing_else_sends_to_airflows_metrics() -> None:
    users = [path.name for path in (ROOT / "plugins").rglob("*.py") if "observability.stats" in path.read_text()]

    assert users == ["metrics.py"]
