"""Tasks that a user marks as success, failed or skipped: nothing serves, stops or is paid that should not.

``make test`` marks where it was once wrong; ``make test-marked`` marks every task of the DAGs in every state.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from custom_labels.deployment.permission import why_not_deployed
from custom_labels.evaluation.decision_records import Decisions
from custom_labels.training.attempt_records import TrainingRecords
from tests.conftest import ROOT
from tests.dags.marking import STATES, TASKS, begin, marked, paid
from tests.kit.approvals import person
from tests.kit.dag_runs import Variables, record, run_dag, statuses
from tests.kit.deploy_runs import registry
from tests.kit.guard_runs import guard, store

if TYPE_CHECKING:
    from include.local_aws.process import LocalAws

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400), pytest.mark.xdist_group("marked")]


@dataclass(frozen=True)
class Case:
    """What a user marks in a run.

    :param words: what the note on the run says of it; ``failed`` are tasks that fail for it.
    """

    beginning: str
    states: Mapping[str, str]
    words: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)
    conf: Mapping[str, Any] = field(default_factory=dict)
    failed: frozenset[str] = frozenset()

    def __str__(self) -> str:
        return f"{self.beginning}: " + ", ".join(f"{task} {state}" for task, state in self.states.items())


ASKS = {"require_approval": "True"}
REFUSES = {"gates": '[{"metric": "f1", "at_most": 0}]'}
BLIND = "was not chosen by 'approve_version' or 'is_approval_needed', which decides whether it runs"
CASES = [
    # Nobody answered: neither deployed nor rejected.
    Case("judged", {"approve_version": "success"}, BLIND, ASKS),
    Case(
        "judged",
        {"is_approval_needed": "success", "approve_version": "success", "acquire_deployment_lock": "success"},
        "",
        ASKS,
        failed=frozenset({"plan_deployment", "rejected"}),
    ),
    Case(
        "judged",
        dict.fromkeys(("is_version_good_enough", "is_approval_needed", "acquire_deployment_lock"), "success"),
        "",
        REFUSES,
        failed=frozenset({"plan_deployment"}),
    ),
    Case("judged", {"start_version": "success", "smoke_test": "success"}, "got nothing for 'tested'"),
    Case("new images", {"is_training_on": "success"}, "", conf={"dry_run": True}, failed=frozenset({"acquire_lock"})),
    Case(
        "judged",
        {"is_training_on": "success", "acquire_lock": "success"},
        "may not train: it is a dry run",
        conf={"dry_run": True},
    ),
    Case("new images", {"replace_train_dataset": "success"}, "got nothing for 'datasets'"),
    Case("few images", {"is_retraining_due": "success"}, "was not chosen by 'is_retraining_due'"),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_nothing_is_trained_or_deployed_when_what_decides_it_is_marked(
    digits: LocalAws, variables: Variables, case: Case
) -> None:
    kind = begin(digits, variables, case.beginning)
    variables.set(**case.settings)
    before = paid(digits)

    with marked(case.states), person("Reject"):
        run = run_dag(kind, dict(case.conf))

    assert run.state == "failed"
    assert case.words in str(run.note)
    assert case.failed <= run.failed
    assert paid(digits) == before
    assert record(digits, "live")["version_name"] == "v1"
    assert statuses(digits)["v1"] == "RUNNING"
    if case.beginning == "judged":
        assert TrainingRecords(registry()).open_attempt() is not None, "the next run goes on with it"


def test_units_that_were_not_changed_are_not_told_of(digits: LocalAws, variables: Variables) -> None:
    kind = begin(digits, variables, "scale")

    with marked({"stop_live": "success"}):
        run = run_dag(kind)

    assert (run.state, run.failed) == ("failed", {"scaled"})
    assert "Version 'v1' is RUNNING with 1 inference unit, and 2 inference units were asked for" in str(run.note)
    assert statuses(digits) == {"v1": "RUNNING"}


def test_a_version_that_was_not_stopped_is_not_told_of_as_stopped(digits: LocalAws, variables: Variables) -> None:
    kind = begin(digits, variables, "guard")

    with marked({"stop": "success"}):
        run = run_dag(kind)

    assert "version v5 was to be stopped and is RUNNING" in str(run.note)
    assert statuses(digits)["v5"] == "RUNNING"


# -- every task in every state ---------------------------------------------------------------------


def every_mark() -> Iterator[Any]:
    """Give the table: where the run begins, the task, and the state that it is marked with."""
    trains = TASKS["train"].index("evaluate")
    for kind, beginning in (("rollback", "rollback"), ("scale", "scale"), ("cost_guard", "guard")):
        for task in TASKS[kind]:
            yield from ((beginning, task, state) for state in STATES)
    for task in TASKS["train"][:trains]:
        yield from (("new images", task, state) for state in STATES)
    for task in TASKS["train"][trains:]:
        yield from (("judged", task, state) for state in STATES)


def test_the_table_leaves_no_task_out() -> None:
    from airflow.dag_processing.dagbag import DagBag

    found = {
        kind: set(DagBag(dag_folder=str(ROOT / "dags" / f"{kind}.py")).dags[f"digits_{kind}"].task_ids)
        for kind in TASKS
    }

    assert found == {kind: set(tasks) for kind, tasks in TASKS.items()}


@pytest.mark.matrix
@pytest.mark.parametrize(("beginning", "task", "state"), list(every_mark()))
def test_whatever_is_marked_what_serves_may_serve_and_runs(
    digits: LocalAws, variables: Variables, beginning: str, task: str, state: str
) -> None:
    kind = begin(digits, variables, beginning)
    before, served = paid(digits), registry().live()

    with marked({task: state}):
        run_dag(kind)

    after, live = paid(digits), registry().live()
    assert live is not None
    assert served is not None
    assert after["CreateProjectVersion"] - before["CreateProjectVersion"] <= (beginning == "new images")
    if live.version_name != served.version_name:
        assert live.previous_version_name == served.version_name
        assert may_have_replaced(live.version_name, live.version_arn, served.version_arn, rolls_back=live.is_rollback)
        assert record(digits, f"versions/{live.version_name}")["smoke_test"]["right"] > 0
    if beginning == "guard":
        assert (live.version_name, statuses(digits)["v1"], statuses(digits)["v6"]) == ("v1", "RUNNING", "RUNNING")
        assert set(statuses(digits)) >= {"v1", "v4", "v5", "v6"}
    # At the latest after a look of the cost guard what serves runs, and nothing else does for nothing.
    if statuses(digits)[live.version_name] != "RUNNING" or running(digits) > {live.version_name}:
        guard()
    assert running(digits) - {"v6"} == {live.version_name}


def may_have_replaced(name: str, arn: str, champion: str, *, rolls_back: bool) -> bool:
    candidate = {"version_name": name, "version_arn": arn, "champion_arn": champion, "is_rollback": rolls_back}
    decision = Decisions(store(), name).record()
    return why_not_deployed(candidate, registry().version(name), decision, needs_approval=False) is None


def running(aws: LocalAws) -> set[str]:
    """Give the versions that are billed."""
    return {name for name, status in statuses(aws).items() if status == "RUNNING"}
