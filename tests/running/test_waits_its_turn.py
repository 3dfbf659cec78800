"""A backfill in a real Airflow: all its intervals at once, and one training after the other.

It comes last in its folder: the images that it puts would be news to the other tests.
"""

from __future__ import annotations

from datetime import datetime
from itertools import pairwise
from typing import Any

import httpx
import pytest

from tests.kit.backfills import day, images_of_days
from tests.kit.dag_runs import record
from tests.kit.support import effects, rekognition
from tests.running.conftest import FINAL, Running, wait_for

pytestmark = [pytest.mark.slow, pytest.mark.matrix, pytest.mark.timeout(900), pytest.mark.xdist_group("running")]

DAYS = 3


def test_a_backfill_trains_one_version_an_interval_one_after_the_other(running: Running) -> None:
    running.set_variable("automatic_training_poll_frequency", 24 * 60)
    running.set_variable("status_poll_seconds", 1)
    # So that the schedule's own run trains nothing; a backfill, which somebody asked for, does.
    running.set_variable("enable_automatic_training", "off")
    images_of_days(running.aws, [6] * DAYS)
    running.aws.control.durations(training=3)
    live = record(running.aws, "live")
    # By the API, as the button of the UI does: beside a scheduler on SQLite Airflow's command finds it locked.
    asked = {
        "dag_id": "digits_train",
        "from_date": day(0).isoformat(),
        "to_date": day(DAYS - 1).isoformat(),
        "max_active_runs": DAYS,
    }

    planned = wait_for(lambda: post(running, "backfills/dry_run", asked), 120)
    dates_planned = [str(run["logical_date"])[:10] for run in planned["backfills"]]
    assert dates_planned == [str(day(number).date()) for number in range(DAYS)]

    wait_for(lambda: post(running, "backfills", asked), 120)
    running.api.unpause("digits_train")
    runs = wait_for(lambda: all_ended(running), 700)

    assert [(run["state"], str(run["note"]).partition(":")[0]) for run in runs] == [
        ("success", "Version trained, not deployed")
    ] * DAYS
    assert [run["data_interval_end"][:10] for run in runs] == [day(n + 1).date().isoformat() for n in range(DAYS)]
    ours = [
        version
        for version in record(running.aws, "learning_curve")["versions"]
        if datetime.fromisoformat(version["as_of"]) <= day(DAYS)
    ]
    assert [version["training_images"] + version["testing_images"] for version in ours] == [12, 24, 36]
    assert not any(version["deployed"] for version in ours)
    assert record(running.aws, "live") == live
    trained = trainings(running, {version["version_name"] for version in ours})
    assert all(ended <= begun for (_, ended), (begun, _) in pairwise(trained))

    # For an interval that has run: nothing is paid a second time.
    first = {**asked, "to_date": day(0).isoformat(), "max_active_runs": 1}
    paid = effects(running.aws, "CreateProjectVersion")
    wait_for(lambda: post(running, "backfills", {**first, "reprocess_behavior": "completed"}), 120)
    again = running.ended("digits_train", lambda run: is_again(run, runs[0]))
    assert (again["state"], effects(running.aws, "CreateProjectVersion")) == ("success", paid)
    assert "was trained and not deployed" in again["note"]


def all_ended(running: Running) -> list[dict[str, Any]] | None:
    """Give the runs of the backfill in the order of their intervals, once all have ended."""
    runs = [run for run in running.runs("digits_train") if run["run_type"] == "backfill"]
    runs.sort(key=lambda run: str(run["data_interval_end"]))
    return runs if len(runs) == DAYS and all(run["state"] in FINAL for run in runs) else None


def is_again(run: dict[str, Any], before: dict[str, Any]) -> bool:
    """Tell whether a run is an earlier one, which ran once more."""
    return bool(run["dag_run_id"] == before["dag_run_id"] and run["end_date"] > before["end_date"])


def trainings(running: Running, names: set[str]) -> list[tuple[datetime, datetime]]:
    """Give when the trainings of some versions began and ended, in the order of their beginnings."""
    client = rekognition(running.aws)
    arn = client.describe_projects()["ProjectDescriptions"][0]["ProjectArn"]
    found = client.describe_project_versions(ProjectArn=arn, VersionNames=sorted(names))["ProjectVersionDescriptions"]
    return sorted((version["CreationTimestamp"], version["TrainingEndTimestamp"]) for version in found)


def post(running: Running, path: str, body: dict[str, Any]) -> dict[str, Any]:
    """Send a request; the answer is empty where SQLite is locked just then, or the last backfill not noted as ended."""
    with httpx.Client(trust_env=False, timeout=60) as client:
        answer = client.post(f"{running.api.base_url}/api/v2/{path}", json=body)
    if answer.status_code in {httpx.codes.SERVICE_UNAVAILABLE, httpx.codes.CONFLICT}:
        return {}
    assert answer.status_code == httpx.codes.OK, answer.text
    return dict(answer.json())
