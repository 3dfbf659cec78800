"""The train DAG with a person's approval before a version serves: yes, no, and nobody there."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from custom_labels.core.lock_records import DEPLOYMENT_LOCK
from custom_labels.training.training_records import read_trainings
from tests.dags.test_train import received, subscribe
from tests.kit.approvals import nobody, person
from tests.kit.dag_runs import Variables, record, statuses, train
from tests.kit.deploy_runs import registry
from tests.kit.support import effects, put_images
from tests.kit.train_steps import train_by_steps

if TYPE_CHECKING:
    from include.local_aws.process import LocalAws

# A run whose question nobody answers would wait for ever.
pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]


@pytest.fixture
def careful(digits: LocalAws, variables: Variables) -> LocalAws:
    """The project with approval, and images to train on."""
    variables.set(require_approval="True")
    put_images(digits, 10)
    return digits


def test_an_approved_version_serves_and_who_approved_is_on_record(careful: LocalAws) -> None:
    queue = subscribe(careful)
    before: list[int] = []

    def look() -> None:
        before.append(effects(careful, "StartProjectVersion"))
        # A rollback could have it, and no other training may begin for as long as people may take.
        assert record(careful, DEPLOYMENT_LOCK.removeprefix("registry/").removesuffix(".json")) is None
        held_until = datetime.fromisoformat(record(careful, "lock")["expires_at"])
        assert held_until > datetime.now(UTC) + timedelta(hours=24)

    with person("Approve", "as agreed", before=look) as asked:
        run = train()

    assert (run.state, run.ends) == ("success", {"deployed"}), run.note
    name = record(careful, "live")["version_name"]
    assert before == [0]
    assert asked.subjects == [f"digits: may version {name} serve?"]
    assert f"/custom-labels/digits/decisions/{name}" in asked.bodies[0]
    given = record(careful, f"versions/{name}")["approval"]
    assert (given["approved"], given["by"], given["comment"]) == (True, "ann", "as agreed")
    subjects = [message["Subject"] for message in received(careful, queue)]
    assert ["approval wanted" in subject for subject in subjects].count(True) == 1


def test_a_rejected_version_does_not_serve_and_is_not_trained_again(careful: LocalAws) -> None:
    with person("Reject", "too many 7s"):
        run = train()
    again = train_by_steps()

    assert (run.state, run.ends) == ("success", {"rejected"}), run.note
    assert "rejected by ann: too many 7s" in str(run.note)
    assert again.ends == {"nothing_to_do"}
    assert "was rejected" in str(again.note)
    assert record(careful, "live") is None
    assert set(statuses(careful).values()) == {"TRAINING_COMPLETED"}


@pytest.mark.matrix
def test_no_answer_in_time_is_a_rejection(careful: LocalAws, variables: Variables) -> None:
    variables.set(approval_timeout_hours=0.0002)

    with nobody():
        run = train()

    assert (run.state, run.ends) == ("success", {"rejected"}), run.note
    assert "no answer came within 0.0002 hours" in str(run.note)
    (name,) = statuses(careful)
    assert record(careful, f"versions/{name}")["approval"]["by"] is None
    assert read_trainings(registry().store).open == []


@pytest.mark.matrix
def test_an_answer_of_a_run_that_died_counts(careful: LocalAws) -> None:
    careful.control.outcomes({"operation": "start", "version": "*", "status": "FAILED", "message": "No capacity."})
    with person("Approve") as asked:
        failed = train()
    assert failed.failed == {"version_is_running"}
    careful.control.outcomes()

    run = train_by_steps()

    assert run.ends == {"deployed"}, run.note
    assert len(asked.subjects) == 1
