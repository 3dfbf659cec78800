"""The cost guard, killed in the middle or throttled: the next look finishes what was begun, nothing is done twice."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from custom_labels.deployment.serving_records import ServingLog
from tests.faults.crash import let_leases_run_out
from tests.faults.killed import Airflow
from tests.kit.dag_runs import Variables, record, statuses
from tests.kit.detect_runs import keys, make_queues, serve, start
from tests.kit.guard_runs import CLOSED, end_of, guard, know, lock_holder, store
from tests.kit.support import BUCKET, effects, rekognition, s3

if TYPE_CHECKING:
    from include.local_aws.process import LocalAws

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("crash")]

Happened = Callable[["LocalAws"], bool]


@pytest.fixture
def costly(digits: LocalAws, variables: Variables) -> LocalAws:
    """Out of service hours v2 serves; v1 was left running, and v0 is old."""
    variables.set(keep_versions=2, service_window=CLOSED)
    make_queues(digits)
    project = serve(digits, "v0", "v1", "v2")
    start(digits, project, "v1")
    move_live_to_v2(digits, project)
    for name in ("v0", "v1", "v2"):
        know(name)
        s3(digits).put_object(Bucket=BUCKET, Key=f"manifests/{name}/train.manifest", Body=b"x")
    return digits


def move_live_to_v2(aws: LocalAws, project: str) -> None:
    """Let v2 serve, in the place of v0, which is then its predecessor's predecessor and no more than old."""
    from tests.kit.detect_runs import point_to, version_arn, wait_for_status

    rekognition(aws).stop_project_version(ProjectVersionArn=version_arn(aws, project, "v0"))
    wait_for_status(aws, project, "v0", "STOPPED")
    start(aws, project, "v2")
    point_to(aws, project, "v1")
    point_to(aws, project, "v2")


def stopping(aws: LocalAws) -> bool:
    """One of the versions was told to stop."""
    return effects(aws, "StopProjectVersion") > 1  # the first is of the fixture


def deleting(aws: LocalAws) -> bool:
    """The old version was told to go."""
    return effects(aws, "DeleteProjectVersion") > 0


def check(aws: LocalAws) -> None:
    """What must hold after all, however often it was begun."""
    assert statuses(aws) == {"v1": "STOPPED", "v2": "STOPPED"}
    assert (effects(aws, "StopProjectVersion"), effects(aws, "DeleteProjectVersion")) == (3, 1)
    assert record(aws, "service")["stopped"]["version_name"] == "v2"
    assert record(aws, "versions/v0")["deleted_at"]
    assert keys(aws, "manifests/") == ["manifests/v1/train.manifest", "manifests/v2/train.manifest"]
    assert [len(ServingLog(store()).read(name).intervals) for name in ("v1", "v2")] == [1, 1]
    assert not any(ServingLog(store()).read(name).open for name in ("v0", "v1", "v2"))
    assert lock_holder() is None


@pytest.mark.parametrize(
    "happened", [stopping, pytest.param(deleting, marks=pytest.mark.matrix)], ids=lambda one: one.__name__
)
def test_the_next_run_finishes_what_a_killed_one_began(costly: LocalAws, tmp_path: Path, happened: Happened) -> None:
    with Airflow(tmp_path, costly.endpoint_url, "cost_guard") as airflow:
        airflow.kill_when(lambda: happened(costly), seconds=120)
    # A look does not wait for a lock: until the dead one's lease is over it changes nothing.
    let_leases_run_out(costly)

    assert guard().state == "success"

    check(costly)


@pytest.mark.matrix
def test_throttling_costs_time_only(costly: LocalAws, short_retries: None) -> None:
    costly.control.faults({"operation": "*", "kind": "throttle", "share": 0.3})

    run = guard()

    costly.control.faults()
    assert end_of(run) == ("success", "guarded")
    check(costly)
