"""What starts, stops and deletes versions looks at the registry first, by itself: no way to it is taken on trust."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from airflow.sdk.exceptions import AirflowFailException

from custom_labels.core.lock_records import DEPLOYMENT_LOCK, LockFile, LockLost
from custom_labels.deployment.preconditions import recorded_by_guard, recorded_by_run
from custom_labels.deployment.service import Cause, StoppedByGuard
from custom_labels.deployment.service_records import change_service
from custom_labels.deployment.version_operator import DeleteVersionOperator, StartLiveOperator, StopVersionOperator
from tests.kit.dag_runs import record, statuses
from tests.kit.deploy_runs import trained
from tests.kit.detect_runs import point_to, start
from tests.kit.guard_runs import store
from tests.kit.saved_states import made_once
from tests.kit.support import effects
from tests.kit.task_contexts import context, run
from tests.kit.version_records import put_on_record

if TYPE_CHECKING:
    from include.local_aws.process import LocalAws

pytestmark = pytest.mark.xdist_group("swap")

KINDS: dict[str, tuple[Any, dict[str, Any]]] = {
    "stop another": (StopVersionOperator, {}),
    "stop by a run": (StopVersionOperator, {"is_recorded": recorded_by_run}),
    "stop by the guard": (StopVersionOperator, {"is_recorded": recorded_by_guard}),
    "start": (StartLiveOperator, {}),
    "delete": (DeleteVersionOperator, {}),
}


@pytest.fixture
def project(aws: LocalAws, airflow_db: None) -> str:
    """v2 serves in the place of v1, and both run; v3 was trained."""
    aws.control.quotas(running_models=5)
    return two_running(aws)


@made_once
def two_running(aws: LocalAws) -> str:
    project = trained(aws, "v1", "v2", "v3")
    for name in ("v1", "v2"):
        start(aws, project, name)
        point_to(aws, project, name)
    return project


def make(kind: str, project: str, name: str) -> Any:
    operator, more = KINDS[kind]
    return operator(
        task_id="a_task",
        project="digits",
        project_arn=project,
        version_name=name,
        waiter_delay=1,
        deferrable=False,
        **more,
    )


def calls(aws: LocalAws) -> list[int]:
    return [effects(aws, f"{each}ProjectVersion") for each in ("Start", "Stop", "Delete")]


@pytest.mark.parametrize(
    ("kind", "name", "words"),
    [
        ("stop another", "v2", "Version 'v2' was not stopped: it serves"),
        ("stop by a run", "v2", "Version 'v2' was not stopped: it serves"),
        ("stop by the guard", "v2", "Version 'v2' was not stopped: it serves"),
        ("start", "v1", "Version 'v1' was not started: 'registry/live.json' names 'v2'"),
        ("delete", "v1", "Version 'v1' was not deleted"),
        ("delete", "v2", "Version 'v2' was not deleted"),
    ],
)
def test_nothing_is_done_that_the_registry_has_no_reason_for(
    aws: LocalAws, project: str, kind: str, name: str, words: str
) -> None:
    before = calls(aws)

    with pytest.raises(AirflowFailException, match=words):
        run(make(kind, project, name))

    assert calls(aws) == before
    assert statuses(aws)["v2"] == "RUNNING"


@pytest.mark.parametrize(
    ("kind", "name", "after"),
    [
        ("stop another", "v1", "STOPPED"),
        ("stop by a run", "v2", "STOPPED"),
        ("stop by the guard", "v2", "STOPPED"),
        ("start", "v2", "RUNNING"),
        ("delete", "v3", None),
    ],
)
def test_what_the_registry_has_a_reason_for_is_done_and_recorded(
    aws: LocalAws, project: str, kind: str, name: str, after: str | None
) -> None:
    stopped = StoppedByGuard("v2", Cause.WINDOW, "2026-11-27")
    if kind == "stop by a run":
        put_on_record(store(), "v2", stopped_for="other inference units")
    if kind == "stop by the guard":
        change_service(store(), lambda memory: replace(memory, stopped=stopped))

    run(make(kind, project, name))

    assert statuses(aws).get(name) == after
    assert kind == "delete" or record(aws, f"versions/{name}")["status"] == after


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_is_begun_while_another_run_holds_the_lock(project: str, kind: str) -> None:
    LockFile(store(), "digits_rollback/another", DEPLOYMENT_LOCK).hold()

    with pytest.raises(LockLost, match="is held by 'digits_rollback/another'"):
        run(make(kind, project, "v3"), context())
