"""Runs that were cleared and go another way the second time: what the tasks left the first time counts no more."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import pytest

from tests.kit.dag_runs import record, train
from tests.kit.detect_runs import serve
from tests.kit.support import effects, put_images

if TYPE_CHECKING:
    from include.local_aws.process import LocalAws

pytestmark = pytest.mark.slow


@contextmanager
def cleared(left: Mapping[str, Mapping[str, Any]]) -> Iterator[None]:
    """Let ``dag.test()`` make a run as one is that was cleared; by itself it makes such as never ran.

    :param left: what tasks left in the run before, by task and XCom key.
    """
    from airflow.models import dagrun
    from airflow.models.xcom import XComModel

    make = dagrun.get_or_create_dagrun

    def make_cleared(**arguments: Any) -> Any:
        made, session = make(**arguments), arguments["session"]
        for task in made.get_task_instances(session=session):
            task.try_number = 1
        for task_id, values in left.items():
            for key, value in values.items():
                owner: dict[str, Any] = {"dag_id": made.dag_id, "task_id": task_id, "run_id": made.run_id}
                XComModel.set(key, value, **owner, serialize=False, session=session)
        session.commit()
        return made

    with patch.object(dagrun, "get_or_create_dagrun", make_cleared):
        yield


TRAINED: dict[str, dict[str, Any]] = {
    "prepare_images": {"return_value": {"choice": "train", "reason": "60 untrained images", "digest": "0" * 64}},
    "judge_version": {"skipmixin_key": {"skipped": ["finish"]}},
    "claim_training": {"return_value": {"digest": "0" * 64, "version_name": "another"}},
}
"""What a run leaves that trained."""


def test_a_run_that_trained_and_has_nothing_to_do_says_so(digits: LocalAws) -> None:
    put_images(digits, 4)

    with cleared(TRAINED):
        run = train()

    assert (run.state, run.ends) == ("success", {"nothing_to_do"})
    assert "8 untrained images of 8, a training needs 10" in str(run.note)
    assert "60 untrained" not in str(run.note)


@pytest.mark.matrix
def test_a_run_whose_training_was_begun_goes_on_with_it(digits: LocalAws) -> None:
    """As after a training that took longer than its run waited."""
    serve(digits, "champion")
    put_images(digits, 10)
    digits.control.outcomes({"operation": "start", "version": "*", "status": "FAILED", "message": "No capacity."})
    assert train().failed == {"version_is_running"}
    digits.control.outcomes()

    with cleared(TRAINED):
        run = train()

    assert (run.state, run.ends, run.tasks["create_project"]) == ("success", {"deployed"}, "skipped")
    assert record(digits, "live")["version_name"] != "champion"
    assert effects(digits, "CreateProjectVersion") == 2
