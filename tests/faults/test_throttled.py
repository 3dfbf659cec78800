"""Throttling and server errors on every call of every service: slower, and nothing is done twice."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from custom_labels.core.project_task import ProjectTask
from tests.kit.dag_runs import record, statuses, train
from tests.kit.scenes import SceneProject, digits_of
from tests.kit.support import effects, put_images

if TYPE_CHECKING:
    from include.local_aws.process import LocalAws

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param({"kind": "throttle", "share": 0.5}, id="half of all calls throttled", marks=pytest.mark.matrix),
        pytest.param({"kind": "error", "share": 0.1}, id="a tenth of all calls fail"),
    ],
)
@pytest.mark.parametrize(
    "task", [ProjectTask.IMAGE_CLASSIFICATION, pytest.param(ProjectTask.OBJECT_DETECTION, marks=pytest.mark.matrix)]
)
def test_a_version_is_deployed_and_paid_once_when(
    digits: LocalAws,
    short_retries: None,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    task: ProjectTask,
    fault: dict[str, object],
) -> None:
    digits_of(task, tmp_path, monkeypatch)
    if task is ProjectTask.OBJECT_DETECTION:
        SceneProject(digits, task).put(range(16))
    else:
        put_images(digits, 10)
    digits.control.faults({"operation": "*", **fault})

    run = train()

    digits.control.faults()
    assert (run.state, run.ends) == ("success", {"deployed"})
    assert effects(digits, "CreateProjectVersion") == 1
    assert effects(digits, "StartProjectVersion") == 1
    assert statuses(digits) == {record(digits, "live")["version_name"]: "RUNNING"}
