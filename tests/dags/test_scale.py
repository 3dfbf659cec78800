"""The scale DAG on the embedded AWS: units that the live version runs with, and what serves after a failure."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import pytest

from tests.kit.dag_runs import Variables, record, run_dag, statuses
from tests.kit.deploy_runs import serve_in_turn, units_of

if TYPE_CHECKING:
    from include.local_aws.process import LocalAws

pytestmark = pytest.mark.slow

scale = partial(run_dag, "scale")


def test_the_live_version_runs_with_other_units_and_then_nothing_is_to_do(
    digits: LocalAws, variables: Variables
) -> None:
    variables.set(minimum_inference_units=2, maximum_inference_units=3)
    project = serve_in_turn(digits, "v1")

    first, second = scale(), scale()

    assert (first.state, first.ends) == ("success", {"scaled"}), first.note
    assert units_of(digits, project, "v1") == (2, 3)
    assert "version v1 runs with 2 to 3 inference units; nothing served for at most" in str(first.note)
    on_record = record(digits, "versions/v1")
    assert (on_record["status"], on_record["minimum_inference_units"]) == ("RUNNING", 2)
    assert (second.state, second.ends) == ("success", {"nothing_to_scale"})


def test_the_version_serves_with_its_old_units_where_the_new_ones_are_refused(digits: LocalAws) -> None:
    project = serve_in_turn(digits, "v1")

    run = scale({"minimum_inference_units": 900})

    assert (run.state, run.failed) == ("failed", {"start_live"})
    assert "was started again and serves" in str(run.note)
    assert statuses(digits) == {"v1": "RUNNING"}
    assert units_of(digits, project, "v1")[0] == 1
