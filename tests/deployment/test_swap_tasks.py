"""The swap, and what is started, stopped or deleted around it, by what is on record: no way to it is taken on trust."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

import pytest
from airflow.sdk.exceptions import AirflowFailException

from custom_labels.core.codec import to_json
from custom_labels.core.gate import Basis, Gate, GateResult, Metric
from custom_labels.core.live_version import Candidate
from custom_labels.deployment.deploy_tasks import swap_live
from custom_labels.deployment.deployment import AfterSwap, DeploymentPlan, SmokeTest, Swap, Units
from custom_labels.deployment.settings import DeploymentSettings
from custom_labels.deployment.version_operator import StartChallengerOperator
from custom_labels.errors import ModelError, NotPermitted
from custom_labels.evaluation.approval import Approval
from tests.kit.dag_runs import record
from tests.kit.deploy_runs import trained
from tests.kit.detect_runs import point_to, start, version_arn
from tests.kit.saved_states import made_once
from tests.kit.task_contexts import context, project_context
from tests.kit.version_records import put_on_record

if TYPE_CHECKING:
    from include.local_aws.process import LocalAws

pytestmark = pytest.mark.xdist_group("swap")

SETTINGS = DeploymentSettings(
    notify_outcomes=(),
    minimum_inference_units=1,
    maximum_inference_units=None,
    smoke_test_images=5,
    smoke_test_share=0.8,
    require_approval=False,
    drain_seconds=0,
    keep_replaced_hours=0,
    when_quota_is_full="fail",
)
HOLDS = GateResult(Gate(at_least=0.8), Metric.F1, None, 0.9, None, 0.8, Basis.EVALUATION, passed=True)
REASON = "F1 0.900 reaches the minimum of 0.8"


@made_once
def one_to_be_replaced(aws: LocalAws) -> str:
    """v1 serves; v2 runs and is to replace it; v3 was trained."""
    project = trained(aws, "v1", "v2", "v3")
    for name in ("v1", "v2"):
        start(aws, project, name)
    point_to(aws, project, "v1")
    return project


class Deploying:
    """Deploys v2, or v3, in the place of v1."""

    def __init__(self, aws: LocalAws) -> None:
        aws.control.quotas(running_models=5)
        self.project = one_to_be_replaced(aws)
        self.arns = {name: version_arn(aws, self.project, name) for name in ("v1", "v2", "v3")}
        self.ctx = project_context()

    def plan(self, name: str, *, needs_approval: bool = False) -> DeploymentPlan:
        """Give what ``plan_deployment`` returns."""
        candidate = Candidate(
            project_arn=self.project,
            version_name=name,
            version_arn=self.arns[name],
            digest="0" * 64,
            f1=0.9,
            labels=("rows", "columns"),
            champion_arn=self.arns["v1"],
        )
        return DeploymentPlan(candidate, (), None, Units(1), needs_approval)

    def decide(self, name: str = "v2", **changes: Any) -> None:
        """Put a decision on record that lets a version serve, but for some changes."""
        gate = {
            "version_arn": self.arns[name],
            "champion_arn": self.arns["v1"],
            "passed": True,
            "gates": [to_json(HOLDS)],
        }
        put_on_record(self.ctx.store, name, gate={**gate, "reason": REASON, **changes})

    def answer(self, *, approved: bool, by: str | None = "ann") -> None:
        """Put a user's answer about v2 on record."""
        given = Approval(approved, by, "2026-11-27T12:00:00+00:00", "", REASON, self.arns["v1"], 24, "digits_train/1")
        put_on_record(self.ctx.store, "v2", approval=given)

    def swap(self, name: str = "v2", *, needs_approval: bool = False) -> Swap:
        """Run the step itself, whatever ran before it."""
        settings = replace(SETTINGS, require_approval=needs_approval)
        return swap_live.function(self.ctx, settings, self.plan(name), SmokeTest(5, 5))

    def start(self, *, needs_approval: bool) -> None:
        """Run the operator that starts v2."""
        candidate = self.plan("v2").candidate
        operator = StartChallengerOperator(
            task_id="start_version",
            project="digits",
            project_arn=candidate.project_arn,
            version_name=candidate.version_name,
            plan=cast("DeploymentPlan", to_json(self.plan("v2", needs_approval=needs_approval))),
            deferrable=False,
        )
        operator.execute(context())


@pytest.fixture
def deploying(aws: LocalAws, airflow_db: None) -> Deploying:
    return Deploying(aws)


@pytest.mark.parametrize(
    ("decision", "approved", "needs_approval", "words"),
    [
        (None, None, False, "was not judged by its gates"),
        ({"passed": False}, None, False, "did not pass its gates"),
        ({"gates": [to_json(replace(HOLDS, passed=False))]}, None, False, "did not pass its gates"),
        ({"champion_arn": None}, None, False, "was judged against no version"),
        ({}, None, True, "was not approved by a user, and 'require_approval' is on"),
        ({}, False, True, "was not approved: rejected by ann"),
        ({}, False, False, "was not approved: rejected by ann"),
    ],
)
def test_the_pointer_stays_where_the_registry_does_not_let_the_version_serve(
    aws: LocalAws,
    deploying: Deploying,
    decision: dict[str, Any] | None,
    approved: bool | None,
    needs_approval: bool,
    words: str,
) -> None:
    if decision is not None:
        deploying.decide(**decision)
    if approved is not None:
        deploying.answer(approved=approved)

    with pytest.raises(NotPermitted, match=words):
        deploying.swap(needs_approval=needs_approval)

    assert record(aws, "live")["version_name"] == "v1"
    with pytest.raises(AirflowFailException, match=words):
        deploying.start(needs_approval=needs_approval)


@pytest.mark.parametrize("needs_approval", [False, True])
def test_the_pointer_moves_where_every_gate_held_and_a_user_approved(
    aws: LocalAws, deploying: Deploying, needs_approval: bool
) -> None:
    deploying.decide()
    if needs_approval:
        deploying.answer(approved=True)

    deploying.swap(needs_approval=needs_approval)
    again = deploying.swap(needs_approval=needs_approval)

    assert record(aws, "live")["version_name"] == "v2"
    assert (again.live.previous_version_name, again.choice) == ("v1", AfterSwap.STOP)
    assert record(aws, "versions/v2")["smoke_test"] == {"asked": 5, "right": 5}


def test_the_pointer_stays_where_the_version_does_not_run(aws: LocalAws, deploying: Deploying) -> None:
    deploying.decide("v3")

    with pytest.raises(ModelError, match=r"Version 'v3' is TRAINING_COMPLETED, not RUNNING"):
        deploying.swap("v3")

    assert record(aws, "live")["version_name"] == "v1"
