"""Tasks of the teardown that a user marks by hand: a dry run changes nothing, and what was begun can be finished."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.dags.marking import STATES, TASKS, marked
from tests.kit.dag_runs import record, run_dag
from tests.kit.deploy_runs import serve_in_turn
from tests.kit.guard_runs import let_lock_lapse
from tests.kit.support import BUCKET, s3
from tests.kit.teardown_runs import models, objects, tear_down

if TYPE_CHECKING:
    from include.local_aws.process import LocalAws

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("marked")]

WRONG_ONCE = {("list_what_there_is", "success"), ("set_records_aside", "success"), ("prove_nothing_is_left", "success")}


def every_mark() -> list[object]:
    """Give every task in every state; ``make test`` marks what decides."""
    return [
        pytest.param(task, state, marks=[] if (task, state) in WRONG_ONCE else [pytest.mark.matrix])
        for task in TASKS["teardown"]
        for state in STATES
    ]


@pytest.mark.parametrize(("task", "state"), every_mark())
def test_a_dry_run_changes_nothing_whatever_is_marked(digits: LocalAws, task: str, state: str) -> None:
    serve_in_turn(digits, "v1", "v2")
    before, live = models(digits), record(digits, "live")
    kept = objects(digits, BUCKET).keys() - {"registry/project.json"}

    with marked({task: state}):
        run_dag("teardown")

    locks = {"registry/lock.json", "registry/deployment_lock.json"}
    assert (models(digits), record(digits, "live")) == (before, live)
    ended = {"registry/project.json", "registry/last_run/digits_teardown.json"}
    assert objects(digits, BUCKET).keys() - locks - ended == kept


@pytest.mark.parametrize(("task", "state"), every_mark())
def test_the_next_run_takes_the_rest_away_whatever_is_marked(digits: LocalAws, task: str, state: str) -> None:
    serve_in_turn(digits, "v1", "v2")
    images = objects(digits, BUCKET, "images_labeled_by_folder/")

    with marked({task: state}):
        first = tear_down()
    if first.ends != {"torn_down"}:
        let_locks_lapse(digits)
        assert tear_down().ends <= {"torn_down", "nothing_to_tear_down"}

    assert models(digits) == []
    assert record(digits, "live") == {}
    assert objects(digits, BUCKET, "images_labeled_by_folder/") == images


def let_locks_lapse(aws: LocalAws) -> None:
    """Let whoever holds the project, and does nothing any more, count as dead."""
    let_lock_lapse()
    s3(aws).delete_object(Bucket=BUCKET, Key="registry/lock.json")
