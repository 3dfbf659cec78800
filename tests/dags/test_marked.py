"""Tasks that a user marks as success, failed or skipped: nothing serves, stops or is paid that should not.

``make test`` marks where it was once wrong, one case of each sort; ``make test-marked`` marks every task of the DAGs in
every state.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from custom_labels.core.live_version import Candidate, LiveVersion
from custom_labels.deployment.permission import why_not_deployed
from custom_labels.evaluation.judged_record import JudgedRecord
from custom_labels.training.training_records import read_trainings
from tests.conftest import ROOT
from tests.dags.marking import STATES, TASKS, begin, marked, paid
from tests.kit.approvals import person
from tests.kit.dag_runs import Variables, record, run_dag, statuses
from tests.kit.deploy_runs import registry
from tests.kit.guard_runs import guard, let_lock_lapse

if TYPE_CHECKING:
    from include.local_aws.process import LocalAws

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400), pytest.mark.xdist_group("marked")]


@dataclass(frozen=True)
class Case:
    """What a user marks in a run.

    :param words: what the note on the run says of it; ``failed`` are tasks that fail for it.
    :param is_like: whether another case is much like it, so that only ``make test-marked`` tries it.
    """

    beginning: str
    states: Mapping[str, str]
    words: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)
    conf: Mapping[str, Any] = field(default_factory=dict)
    failed: frozenset[str] = frozenset()
    is_like: bool = False

    def __str__(self) -> str:
        return f"{self.beginning}: " + ", ".join(f"{task} {state}" for task, state in self.states.items())


ASKS = {"require_approval": "True"}
REFUSES = {"gates": '[{"metric": "f1", "at_most": 0}]'}
CASES = [
    # Nobody answered: neither deployed nor rejected.
    Case(
        "judged",
        {"approve_version": "success"},
        "was not approved by a user",
        ASKS,
        failed=frozenset({"plan_deployment"}),
    ),
    Case(
        "judged",
        {"approve_version": "success", "acquire_deployment_lock": "success"},
        "",
        ASKS,
        failed=frozenset({"plan_deployment"}),
        is_like=True,
    ),
    Case(
        "judged", {"judge_version": "success"}, "got nothing for 'judged'", ASKS, failed=frozenset({"approve_version"})
    ),
    Case("judged", {"acquire_deployment_lock": "success"}, "", REFUSES, failed=frozenset({"plan_deployment"})),
    Case(
        "judged",
        dict.fromkeys(("judge_version", "approve_version"), "success"),
        "got nothing for 'candidate'",
        REFUSES,
        failed=frozenset({"plan_deployment"}),
        is_like=True,
    ),
    Case("judged", dict.fromkeys(("plan_deployment", "stop_kept"), "success"), "got no", is_like=True),
    Case(
        "judged",
        dict.fromkeys(("start_version", "version_is_running", "smoke_test"), "success"),
        "got nothing for 'tested'",
        is_like=True,
    ),
    Case(
        "new images", {"decide_training": "success"}, "got nothing for 'goes_on'", conf={"dry_run": True}, is_like=True
    ),
    Case(
        "judged",
        {"acquire_lock": "success"},
        "",
        conf={"dry_run": True},
        failed=frozenset({"prepare_images"}),
        is_like=True,
    ),
    Case("new images", {"prepare_images": "success"}, "got nothing for", is_like=True),
    Case(
        "new images",
        dict.fromkeys(("create_train_dataset", "train_dataset_is_ready"), "success"),
        "got nothing for 'datasets'",
        is_like=True,
    ),
    Case("new images", {"claim_training": "success"}, "got nothing for"),
    Case("few images", {"decide_training": "success"}, "got nothing for 'goes_on'", is_like=True),
    Case("few images", {"acquire_lock": "success"}, "", failed=frozenset({"prepare_images"})),
]


@pytest.mark.parametrize(
    "case", [pytest.param(each, id=str(each), marks=[pytest.mark.matrix] * each.is_like) for each in CASES]
)
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
        assert read_trainings(registry().store).open, "the next run goes on with it"


def test_units_that_were_not_changed_are_not_reported(digits: LocalAws, variables: Variables) -> None:
    kind = begin(digits, variables, "scale")

    with marked({"stop_live": "success"}):
        run = run_dag(kind)

    assert (run.state, run.failed) == ("failed", {"finish"})
    assert "Version 'v1' is RUNNING with 1 inference unit, and 2 inference units were asked for" in str(run.note)
    assert statuses(digits) == {"v1": "RUNNING"}


def test_a_version_that_was_not_stopped_is_not_reported_as_stopped(digits: LocalAws, variables: Variables) -> None:
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
        assert may_have_replaced(live, served)
        assert record(digits, f"versions/{live.version_name}")["smoke_test"]["right"] > 0
    if beginning == "guard":
        assert (live.version_name, statuses(digits)["v1"], statuses(digits)["v6"]) == ("v1", "RUNNING", "RUNNING")
        assert set(statuses(digits)) >= {"v1", "v4", "v5", "v6"}
    # At the latest after a look of the cost guard what serves runs, and nothing else does for nothing. A task that is
    # marked as failed lets the lock be given back too early; the run takes it again, and then only its lease ends.
    if statuses(digits)[live.version_name] != "RUNNING" or running(digits) > {live.version_name}:
        let_lock_lapse()
        guard()
    assert running(digits) - {"v6"} == {live.version_name}


def may_have_replaced(live: LiveVersion, served: LiveVersion) -> bool:
    candidate = Candidate(
        project_arn=live.project_arn,
        version_name=live.version_name,
        version_arn=live.version_arn,
        digest=live.digest,
        f1=live.f1,
        labels=live.labels,
        champion_arn=served.version_arn,
        is_rollback=live.is_rollback,
    )
    on_record = registry().version(live.version_name, JudgedRecord) or JudgedRecord()
    return why_not_deployed(candidate, on_record, needs_approval=False) is None


def running(aws: LocalAws) -> set[str]:
    """Give the versions that are billed."""
    return {name for name, status in statuses(aws).items() if status == "RUNNING"}
