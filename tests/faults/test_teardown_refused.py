"""A teardown that AWS refuses, throttles or answers too late: the next run goes on with what is left."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.faults.crash import let_leases_run_out
from tests.faults.killed import Airflow
from tests.kit.dag_runs import Run, record, statuses
from tests.kit.deploy_runs import serve_in_turn
from tests.kit.support import BUCKET, effects
from tests.kit.teardown_runs import models, objects, tear_down

if TYPE_CHECKING:
    from include.local_aws.process import LocalAws

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("crash")]


def in_trouble(aws: LocalAws, home: Path) -> Run:
    """Run a teardown whose retries hardly pause."""
    with Airflow(home, aws.endpoint_url, "teardown", short_retries=True, dry_run=False) as airflow:
        return airflow.finish(seconds=200)


@pytest.mark.parametrize(
    ("operation", "task", "left"),
    [
        ("StopProjectVersion", "stop_version", {"v1": "TRAINING_COMPLETED", "v2": "RUNNING"}),
        ("DeleteProjectVersion", "delete_version", {"v1": "TRAINING_COMPLETED", "v2": "STOPPED"}),
        ("DeleteDataset", "delete_(train|test)_dataset", {}),
        ("DeleteProject", "delete_project", {}),
    ],
)
def test_the_next_run_goes_on_where_aws_refused(
    digits: LocalAws, tmp_path: Path, operation: str, task: str, left: dict[str, str]
) -> None:
    serve_in_turn(digits, "v1", "v2")
    images = objects(digits, BUCKET, "images_labeled_by_folder/")
    digits.control.faults({"operation": f"rekognition.{operation}", "kind": "error"})

    failed = in_trouble(digits, tmp_path)

    assert (failed.state, failed.tasks["prove_nothing_is_left"]) == ("failed", "upstream_failed")
    assert re.search(f"task {task}: ", str(failed.note)), "both datasets are deleted at the same time"
    assert operation in str(failed.note)
    assert statuses(digits) == left
    assert record(digits, "live") == {}, "nothing serves by the records, whatever AWS did"
    digits.control.faults()
    let_leases_run_out(digits)

    assert tear_down().ends == {"torn_down"}
    assert models(digits) == []
    assert effects(digits, "DeleteProject") == 1
    assert objects(digits, BUCKET, "images_labeled_by_folder/") == images


@pytest.mark.parametrize("kind", ["throttle", "lost_response"])
def test_trouble_that_passes_costs_time_only(digits: LocalAws, tmp_path: Path, kind: str) -> None:
    serve_in_turn(digits, "v1", "v2")
    digits.control.faults({"operation": "rekognition.*", "kind": kind, "share": 0.3})

    run = in_trouble(digits, tmp_path)

    digits.control.faults()
    assert run.ends == {"torn_down"}, run
    assert models(digits) == []
