"""Variables that an operator changes while Airflow runs, without touching a DAG: what becomes of the schedule."""

from __future__ import annotations

import time
from typing import Any

import pytest

from tests.running.conftest import Running, wait_for

pytestmark = [pytest.mark.slow, pytest.mark.matrix, pytest.mark.timeout(500), pytest.mark.xdist_group("running")]

CHANGED_WITHIN = 60
SCHEDULES = {
    "digits_train": ("automatic_training_poll_frequency", "enable_automatic_training"),
    "digits_sample_for_audit": ("automatic_human_sampling_frequency", "enable_automatic_human_sampling"),
}


def test_a_changed_frequency_moves_the_next_run_and_a_switch_stops_it(running: Running) -> None:
    for dag_id, (frequency, switch) in SCHEDULES.items():
        running.set_variable(frequency, 720)
        running.set_variable(switch, "True")
        running.api.unpause(dag_id)
    for dag_id in SCHEDULES:
        # What the schedule starts as soon as a DAG is switched on, on a bucket without images.
        assert "nothing to" in running.ended(dag_id, lambda _: True)["note"].lower()
    before = {dag_id: running.next_run(dag_id) for dag_id in SCHEDULES}

    for frequency, switch in SCHEDULES.values():
        running.set_variable(switch, "off")
        running.set_variable(frequency, 1)
    began = time.monotonic()
    for dag_id, next_run in before.items():
        wait_for(lambda d=dag_id, was=next_run: running.next_run(d) != was, CHANGED_WITHIN)  # type: ignore[misc]
    moved = time.monotonic() - began

    assert moved < CHANGED_WITHIN
    for dag_id, (_, switch) in SCHEDULES.items():
        run = running.ended(dag_id, is_off)
        assert (run["run_type"], run["state"]) == ("scheduled", "success")
        assert f"Variable 'digits__{switch}' is off" in run["note"]


def is_off(run: dict[str, Any]) -> bool:
    return "is switched off" in (run["note"] or "")
