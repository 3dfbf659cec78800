"""The wait until a moment: in the triggerer, for what is left of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from airflow.sdk.exceptions import TaskDeferred

from custom_labels.aws.operators.waiting import WaitUntilOperator
from tests.kit.task_contexts import context, run


def wait(seconds: float) -> WaitUntilOperator:
    moment = datetime.now(UTC) + timedelta(seconds=seconds)
    return WaitUntilOperator(task_id="a_task", moment=moment.isoformat())


@pytest.mark.parametrize("seconds", [0, -60], ids=["now", "over, for a task that is run again"])
def test_a_moment_that_is_over_is_not_waited_for(seconds: float) -> None:
    wait(seconds).execute(context())


def test_a_moment_to_come_is_waited_for_without_a_worker() -> None:
    task = wait(2)
    with pytest.raises(TaskDeferred):
        task.execute(context())

    run(task)

    assert datetime.now(UTC) >= datetime.fromisoformat(task.moment)
