"""A rollback or a change of units killed while nothing serves: the next run brings a version back."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.faults.killed import Airflow
from tests.kit.dag_runs import Variables, record, run_dag, statuses
from tests.kit.deploy_runs import serve_in_turn, units_of
from tests.kit.support import effects

if TYPE_CHECKING:
    from include.local_aws.process import LocalAws

pytestmark = [pytest.mark.slow, pytest.mark.matrix, pytest.mark.xdist_group("crash")]


@pytest.fixture
def crowded(digits: LocalAws, variables: Variables, impatient: None) -> LocalAws:
    """The project with one place for a model, and locks that pass on soon after their holders died."""
    variables.set(when_quota_is_full="stop_then_start", lock_lease_minutes=0.1)
    digits.control.quotas(running_models=1)
    return digits


def stopped(aws: LocalAws) -> Callable[[], bool]:
    before = effects(aws, "StopProjectVersion")
    return lambda: effects(aws, "StopProjectVersion") > before


def test_the_live_version_serves_again_where_a_killed_rollback_stopped_it(crowded: LocalAws, tmp_path: Path) -> None:
    serve_in_turn(crowded, "v1", "v2")
    crowded.control.durations(version_stop=2)
    with Airflow(tmp_path, crowded.endpoint_url, "rollback") as airflow:
        airflow.kill_when(stopped(crowded), seconds=240)
    crowded.control.outcomes({"operation": "start", "version": "v1", "status": "FAILED", "message": "No capacity."})

    run = run_dag("rollback")

    assert (run.state, run.failed) == ("failed", {"version_is_running"})
    assert "was started again and serves" in str(run.note)
    assert record(crowded, "live")["version_name"] == "v2"
    assert statuses(crowded)["v2"] == "RUNNING"


def test_units_are_changed_by_the_run_after_one_that_was_killed(
    crowded: LocalAws, variables: Variables, tmp_path: Path
) -> None:
    project = serve_in_turn(crowded, "v1")
    variables.set(minimum_inference_units=2)
    crowded.control.durations(version_stop=2)
    with Airflow(tmp_path, crowded.endpoint_url, "scale") as airflow:
        airflow.kill_when(stopped(crowded), seconds=240)

    run = run_dag("scale")

    assert run.ends == {"scaled"}, run.note
    assert units_of(crowded, project, "v1")[0] == 2
