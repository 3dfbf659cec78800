"""Two Airflows that know nothing of each other run the DAG of one project at the same moment."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.faults.killed import Airflow
from tests.kit.dag_runs import record, statuses
from tests.kit.support import effects, put_images

if TYPE_CHECKING:
    from include.local_aws.process import LocalAws

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("crash")]


@pytest.mark.matrix
def test_one_trains_and_the_other_waits_when_two_run_at_once(digits: LocalAws, tmp_path: Path) -> None:
    put_images(digits, 10)
    digits.control.durations(training=3)

    with Airflow(tmp_path / "one", digits.endpoint_url) as one, Airflow(tmp_path / "two", digits.endpoint_url) as two:
        runs = [one.finish(), two.finish()]

    assert [(run.state, run.failed, run.note) for run in runs if run.state != "success"] == []
    assert sorted(next(iter(run.ends)) for run in runs) == ["deployed", "nothing_to_do"]
    idle = next(run for run in runs if run.ends == {"nothing_to_do"})
    assert "exactly these images were tried before" in str(idle.note)
    assert effects(digits, "CreateProjectVersion") == 1
    assert statuses(digits) == {record(digits, "live")["version_name"]: "RUNNING"}
