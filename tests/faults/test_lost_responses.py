"""Calls that take effect while their answer never comes: paid once, and the run ends as without the fault."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.kit.dag_runs import record, statuses
from tests.kit.detect_runs import serve
from tests.kit.support import effects, put_images
from tests.kit.train_steps import train_by_steps

if TYPE_CHECKING:
    from include.local_aws.process import LocalAws

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("short_retries")]

A_ROUND = {"CreateDataset": 2, "CreateProjectVersion": 1, "StartProjectVersion": 1}
"""What one training and deployment costs in effects."""


def lose(aws: LocalAws, *operations: str) -> None:
    """Lose the first three answers of each operation."""
    aws.control.faults(*({"operation": name, "kind": "lost_response", "times": 3} for name in operations))


def test_a_first_deployment_costs_the_same_when_answers_are_lost(digits: LocalAws) -> None:
    put_images(digits, 10)
    lose(digits, "rekognition.CreateProject", *(f"rekognition.{name}" for name in A_ROUND), "s3.PutObject")

    run = train_by_steps()

    assert (run.state, run.ends) == ("success", {"deployed"})
    assert {name: effects(digits, name) for name in A_ROUND} == A_ROUND
    assert effects(digits, "CreateProject") == 1
    assert statuses(digits) == {record(digits, "live")["version_name"]: "RUNNING"}


def test_a_swap_costs_the_same_when_answers_are_lost_of_what_it_deletes_and_stops(digits: LocalAws) -> None:
    serve(digits, "champion")
    put_images(digits, 10, start=10)
    digits.control.clear_calls()
    lose(digits, "rekognition.DeleteDataset", "rekognition.StopProjectVersion")

    run = train_by_steps()

    assert (run.state, run.ends) == ("success", {"deployed"})
    costs = {**A_ROUND, "DeleteDataset": 2, "StopProjectVersion": 1}
    assert {name: effects(digits, name) for name in costs} == costs
    assert statuses(digits) == {record(digits, "live")["version_name"]: "RUNNING", "champion": "STOPPED"}
