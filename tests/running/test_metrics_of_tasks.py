"""Numbers leave the short-lived processes of tasks, of an Airflow whose metrics go to an OpenTelemetry collector."""

from __future__ import annotations

import pytest

from tests.kit.otel import Point
from tests.running.conftest import Running, wait_for

pytestmark = [pytest.mark.slow, pytest.mark.matrix, pytest.mark.timeout(900), pytest.mark.xdist_group("running")]

OURS = "airflow.custom_labels."
PROJECT = ("project", "digits")


def test_a_run_s_numbers_arrive_with_their_tags(running: Running) -> None:
    running.api.unpause("digits_cost_guard")
    running.api.trigger("digits_cost_guard", "measured", "")
    running.ended("digits_cost_guard", lambda run: run["dag_run_id"] == "measured")

    ended = ("dag", "cost_guard"), ("outcome", "nothing_to_guard")
    points = wait_for(lambda: running.metrics.points(OURS), 30)

    assert Point(f"{OURS}runs", "sum", 1, (PROJECT, *ended)) in points
    for name in ("running.versions", "running.inference_units", "spent.month_usd", "live.idle_seconds"):
        assert Point(f"{OURS}{name}", "gauge", 0, (PROJECT,)) in points, name
