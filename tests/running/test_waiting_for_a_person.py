"""A person's approval in a real Airflow: the run waits without a worker, and the answer comes by its API."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import httpx
import pytest

from tests.kit.dag_runs import record
from tests.kit.support import effects, put_images
from tests.running.conftest import WAIT_FOR_A_PERSON, Running, wait_for

pytestmark = [pytest.mark.slow, pytest.mark.matrix, pytest.mark.timeout(900), pytest.mark.xdist_group("running")]

RUN = "asked-for-by-a-test"


def test_a_version_serves_after_a_person_approved_it(running: Running) -> None:
    for name, value in {"require_approval": "True", "minimum_f1_score": 0.5}.items():
        running.set_variable(name, value)
    put_images(running.aws, 30)
    running.api.unpause("digits_train")
    running.api.trigger("digits_train", RUN, "", {"even_if_training_is_off": True})

    wait_for(lambda: state(running, "approve_version") in WAIT_FOR_A_PERSON, 900)
    asked = ask(running, "GET")
    assert effects(running.aws, "StartProjectVersion") == 0
    assert "| f1 | all labels |" in asked["body"]
    answered = ask(running, "PATCH", {"chosen_options": ["Approve"], "params_input": {"comment": "as agreed"}})

    run = running.ended("digits_train", lambda run: run["dag_run_id"] == RUN, 900)
    assert run["state"] == "success"
    live = record(running.aws, "live")["version_name"]
    approval = record(running.aws, f"versions/{live}")["approval"]
    assert (approval["approved"], approval["comment"]) == (True, "as agreed")
    assert approval["by"] == answered["responded_by"]["name"]


def state(running: Running, task_id: str) -> str | None:
    return next((t["state"] for t in running.api.tasks("digits_train", RUN) if t["task_id"] == task_id), None)


def ask(running: Running, method: str, body: dict[str, object] | None = None) -> dict[str, Any]:
    path = f"dags/digits_train/dagRuns/{quote(RUN, safe='')}/taskInstances/approve_version/-1/hitlDetails"
    with httpx.Client(trust_env=False, timeout=30) as client:
        answer = client.request(method, f"{running.api.base_url}/api/v2/{path}", json=body)
    assert answer.status_code == httpx.codes.OK, answer.text
    return dict(answer.json())
