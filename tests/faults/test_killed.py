"""A worker killed while AWS works, a moment that no call marks: the next run, in another Airflow, waits for the same.

All moments that a call marks are in the crash matrix.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.faults.bucket import images
from tests.faults.killed import Airflow
from tests.kit.dag_runs import Variables, record, statuses
from tests.kit.support import effects, put_images

if TYPE_CHECKING:
    from include.local_aws.process import LocalAws

pytestmark = [pytest.mark.slow, pytest.mark.matrix]


def looked_after(aws: LocalAws, operation: str) -> Callable[[], bool]:
    """Something was begun that takes its time, and the run has looked at its status several times since."""
    looks: list[int] = []

    def happened() -> bool:
        if effects(aws, operation):
            looks.append(int(aws.control.calls()["rekognition.DescribeProjectVersions"]["calls"]))
        return bool(looks) and looks[-1] >= looks[0] + 3

    return happened


@pytest.mark.parametrize(
    ("operation", "duration"),
    [("CreateProjectVersion", "training"), ("StartProjectVersion", "version_start")],
    ids=["while the version trains", "while the version starts"],
)
def test_all_is_paid_once_when_a_worker_is_killed(
    digits: LocalAws, variables: Variables, tmp_path: Path, operation: str, duration: str
) -> None:
    variables.set(lock_lease_minutes=0.1)
    put_images(digits, 10)
    before = images(digits)
    digits.control.durations(**{duration: 5})
    with Airflow(tmp_path / "killed", digits.endpoint_url) as airflow:
        airflow.kill_when(looked_after(digits, operation))
    put_images(digits, 5, start=10)

    with Airflow(tmp_path / "next", digits.endpoint_url) as airflow:
        run = airflow.finish()

    assert run.state == "success", run
    assert effects(digits, "CreateProjectVersion") == effects(digits, "StartProjectVersion") == 1
    assert statuses(digits) == {record(digits, "live")["version_name"]: "RUNNING"}
    assert before.items() <= images(digits).items()
