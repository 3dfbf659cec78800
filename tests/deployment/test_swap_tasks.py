"""The swap, and what is started, stopped or deleted around it, by what is on record: no way to it is taken on trust."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from airflow.sdk.exceptions import AirflowFailException
from airflow.sdk.execution_time.context import set_current_context

from custom_labels.core.codec import to_json
from custom_labels.core.context import ProjectContext
from custom_labels.core.lock_records import DEPLOYMENT_LOCK, LockFile
from custom_labels.deployment import preconditions
from custom_labels.deployment.deploy_tasks import swap_live
from custom_labels.evaluation.approval import Approval
from custom_labels.evaluation.decision_records import Decisions
from tests.kit.dag_runs import record, statuses
from tests.kit.deploy_runs import registry, trained
from tests.kit.detect_runs import point_to, start, version_arn
from tests.kit.support import effects
from tests.kit.task_contexts import context

if TYPE_CHECKING:
    from include.local_aws.process import LocalAws

pytestmark = pytest.mark.xdist_group("swap")

SETTINGS = {"drain_seconds": 0, "lock_lease_minutes": 60, "require_approval": False}
REASON = "F1 0.900 reaches the minimum of 0.8"


class Swap:
    """v1 serves; v2 runs and is to replace it; v3 was trained."""

    def __init__(self, aws: LocalAws) -> None:
        aws.control.quotas(running_models=5)
        self.project = trained(aws, "v1", "v2", "v3")
        for name in ("v1", "v2"):
            start(aws, self.project, name)
        point_to(aws, self.project, "v1")
        self.arns = {name: version_arn(aws, self.project, name) for name in ("v1", "v2", "v3")}
        self.context = context()
        self.context["task"] = SimpleNamespace(
            task_id="swap_live", upstream_list=[], trigger_rule="all_success", version_name="v2"
        )
        self.context["ti"].xcom_pull = lambda task_ids, **_: self.left.get(task_ids)
        self.ctx = ProjectContext("digits", self.context)
        self.left: dict[str, Any] = {"load_settings": SETTINGS, "plan_deployment": self.candidate("v2")}

    def candidate(self, name: str) -> dict[str, Any]:
        """Give what ``plan_deployment`` returns."""
        return {
            "version_name": name,
            "version_arn": self.arns[name],
            "project_arn": self.project,
            "champion_arn": self.arns["v1"],
            "digest": "0" * 64,
            "f1": 0.9,
            "labels": ["rows", "columns"],
        }

    def decide(self, name: str = "v2", **changes: Any) -> None:
        """Put a decision on record that lets a version serve, but for some changes."""
        champion = {"version_name": "v1", "version_arn": self.arns["v1"]}
        gates = [{"passed": True}]
        decision = {"version_arn": self.arns[name], "champion": champion, "passed": True, "gates": gates}
        Decisions(self.ctx.store, name).save({**decision, "reason": REASON, **changes}, "")

    def answer(self, *, approved: bool, by: str | None = "ann") -> None:
        """Put a user's answer about v2 on record."""
        given = Approval(approved, by, "2026-11-27T12:00:00+00:00", "", REASON, self.arns["v1"], 24, "digits_train/1")
        registry().update_version("v2", {"approval": to_json(given)})

    def run(self, name: str = "v2", **settings: Any) -> Any:
        """Run the task itself, whatever ran before it."""
        with set_current_context(self.context):
            return swap_live.function(
                "digits", {**SETTINGS, **settings}, self.candidate(name), {"asked": 5, "right": 5}
            )


@pytest.fixture
def swap(aws: LocalAws, airflow_db: None) -> Swap:
    return Swap(aws)


@pytest.mark.parametrize(
    ("decision", "approved", "needs_approval", "words"),
    [
        (None, None, False, "was not judged by its gates"),
        ({"passed": False}, None, False, "did not pass its gates"),
        ({"gates": [{"passed": False}]}, None, False, "did not pass its gates"),
        ({"champion": None}, None, False, "was judged against no version"),
        ({}, None, True, "was approved by nobody, and 'require_approval' is on"),
        ({}, False, True, "was not approved: rejected by ann"),
        ({}, False, False, "was not approved: rejected by ann"),
    ],
)
def test_the_pointer_stays_where_the_registry_does_not_let_the_version_serve(
    aws: LocalAws, swap: Swap, decision: dict[str, Any] | None, approved: bool | None, needs_approval: bool, words: str
) -> None:
    if decision is not None:
        swap.decide(**decision)
    if approved is not None:
        swap.answer(approved=approved)

    with pytest.raises(AirflowFailException, match=words):
        swap.run(require_approval=needs_approval)

    assert record(aws, "live")["version_name"] == "v1"
    swap.left["load_settings"] = {**SETTINGS, "require_approval": needs_approval}
    with pytest.raises(AirflowFailException, match=words):
        preconditions.before_deployment("digits", "plan_deployment")(swap.context)


@pytest.mark.parametrize("needs_approval", [False, True])
def test_the_pointer_moves_where_every_gate_held_and_a_user_approved(
    aws: LocalAws, swap: Swap, needs_approval: bool
) -> None:
    swap.decide()
    if needs_approval:
        swap.answer(approved=True)

    swap.run(require_approval=needs_approval)
    again = swap.run(require_approval=needs_approval)

    assert record(aws, "live")["version_name"] == "v2"
    assert again["previous_version_name"] == "v1"
    assert record(aws, "versions/v2")["smoke_test"] == {"asked": 5, "right": 5}


def test_the_pointer_stays_where_the_version_does_not_run(aws: LocalAws, swap: Swap) -> None:
    swap.decide("v3")

    with pytest.raises(AirflowFailException, match=r"Version 'v3' is TRAINING_COMPLETED, not RUNNING"):
        swap.run("v3")

    assert record(aws, "live")["version_name"] == "v1"


def test_a_task_alone_says_which_input_it_lacks(aws: LocalAws, swap: Swap) -> None:
    with (
        set_current_context(swap.context),
        pytest.raises(AirflowFailException, match="got nothing for 'plan', 'tested'"),
    ):
        swap_live.function("digits", SETTINGS, None, None)
    del swap.left["plan_deployment"]
    with pytest.raises(AirflowFailException, match="got nothing for 'plan_deployment'"):
        preconditions.before_deployment("digits", "plan_deployment")(swap.context)


BEFORE = {
    "stop of another": preconditions.before_stop("digits"),
    "stop by a run": preconditions.before_stop("digits", preconditions.recorded_by_run),
    "stop by the guard": preconditions.before_stop("digits", preconditions.recorded_by_guard),
    "start of the live": preconditions.before_start_of_live("digits"),
    "deletion": preconditions.before_deletion("digits"),
}


@pytest.mark.parametrize(
    ("what", "name", "recorded", "words"),
    [
        ("stop of another", "v1", "", "Version 'v1' was not stopped: it serves"),
        ("stop of another", "v1", "by a run", "Version 'v1' was not stopped: it serves"),
        ("stop of another", "v2", "", None),
        ("stop by a run", "v1", "", "Version 'v1' was not stopped: it serves"),
        ("stop by a run", "v1", "by a run", None),
        ("stop by the guard", "v1", "", "Version 'v1' was not stopped: it serves"),
        ("stop by the guard", "v1", "by the guard", None),
        ("stop by the guard", "v2", "", None),
        ("start of the live", "v1", "", None),
        ("start of the live", "v2", "", "Version 'v2' was not started: 'registry/live.json' names 'v1'"),
        ("deletion", "v1", "", "Version 'v1' was not deleted"),
        ("deletion", "v3", "", None),
    ],
)
def test_a_task_that_runs_alone_looks_at_the_registry_first(
    aws: LocalAws, swap: Swap, what: str, name: str, recorded: str, words: str | None
) -> None:
    swap.context["task"].version_name = name
    if recorded == "by a run":
        registry().update_version("v1", {"stopped_for": "other inference units"})
    if recorded == "by the guard":
        registry().update_service({"stopped": {"version_name": "v1", "cause": "window", "at": "2026-11-27"}})
    before = {each: effects(aws, each) for each in ("StartProjectVersion", "StopProjectVersion")}

    if words is None:
        BEFORE[what](swap.context)
    else:
        with pytest.raises(AirflowFailException, match=words):
            BEFORE[what](swap.context)

    assert {each: effects(aws, each) for each in before} == before
    assert statuses(aws)["v1"] == "RUNNING"


@pytest.mark.parametrize("what", BEFORE)
def test_nothing_is_begun_while_another_run_holds_the_lock(aws: LocalAws, swap: Swap, what: str) -> None:
    from custom_labels.core.lock_records import LockLost

    LockFile(swap.ctx.store, "digits_rollback/another", DEPLOYMENT_LOCK).renew()

    with pytest.raises(LockLost, match="is held by 'digits_rollback/another'"):
        BEFORE[what](swap.context)
