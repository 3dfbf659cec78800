"""A pool that the project file names and Airflow does not have: no task of it is ever started, and that is said."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.running.conftest import Running, wait_for

pytestmark = [pytest.mark.slow, pytest.mark.matrix, pytest.mark.timeout(900), pytest.mark.xdist_group("running")]

DAG, RUN = "digits_bootstrap", "without_a_pool"


def states(running: Running) -> dict[str, Any]:
    return {task["task_id"]: task["state"] for task in running.api.tasks(DAG, RUN)}


def test_a_missing_pool_is_said_at_once_and_by_bootstrap_and_the_run_goes_on_when_it_is_there(running: Running) -> None:
    httpx.delete(f"{running.api.base_url}/api/v2/pools/custom_labels", trust_env=False).raise_for_status()
    running.api.unpause(DAG)
    running.api.trigger(DAG, RUN, "")

    note = wait_for(lambda: running.api.run(DAG, RUN)["note"], 60)
    wait_for(lambda: states(running)["check_everything"] == "failed", 400)

    assert "there was no pool 'custom_labels', for which use_pool wait" in note
    assert states(running)["use_pool"] == "scheduled"
    assert states(running)["use_detection_pool"] == "success"
    assert states(running)["create_project"] == "success", "what needs no pool of the project is done"
    running.api.upsert("pools", "custom_labels", {"name": "custom_labels", "slots": 2})
    run = running.ended(DAG, lambda each: each["dag_run_id"] == RUN)
    assert states(running)["use_pool"] == "success"
    assert "got no slot of pool 'custom_labels' within 60 s" in run["note"]
