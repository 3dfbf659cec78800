"""Throttling and server errors on every call of every service: slower, and nothing is done twice."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.kit.dag_runs import record, statuses, train
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
def test_a_version_is_deployed_and_paid_once_when(
    digits: LocalAws, short_retries: None, fault: dict[str, object]
) -> None:
    put_images(digits, 10)
    digits.control.faults({"operation": "*", **fault})

    run = train()

    digits.control.faults()
    assert (run.state, run.ends) == ("success", {"deployed"})
    assert effects(digits, "CreateProjectVersion") == 1
    assert effects(digits, "StartProjectVersion") == 1
    assert statuses(digits) == {record(digits, "live")["version_name"]: "RUNNING"}
