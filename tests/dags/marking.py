"""Runs whose tasks a user marks by hand before they come to it, as ``Mark task as`` in Airflow's UI and API does."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from tests.kit.dag_runs import Variables, train
from tests.kit.deploy_runs import serve_in_turn
from tests.kit.detect_runs import point_to, serve, start, train_versions
from tests.kit.guard_runs import know
from tests.kit.support import effects, put_images

if TYPE_CHECKING:
    from include.local_aws.process import LocalAws

STATES = ("success", "failed", "skipped")
DEPLOYING = (
    *("plan_deployment", "stop_kept", "start_version", "version_is_running", "smoke_test", "swap_live", "drain"),
    *("stop_replaced", "stop_challenger", "restart_live"),
)
ENDING = ("load_settings", "finish", "release_locks")
TASKS = {
    "train": (
        *("decide_training", "acquire_lock", "prepare_images", "create_project", "create_train_dataset"),
        *("create_test_dataset", "train_dataset_is_ready", "test_dataset_is_ready", "claim_training"),
        *("start_training", "training_is_done", "evaluate", "judge_version", "approve_version"),
        *("acquire_deployment_lock", *DEPLOYING, *ENDING),
    ),
    "rollback": ("acquire_deployment_lock", "choose_version", *DEPLOYING, *ENDING),
    "scale": (
        *("acquire_deployment_lock", "inspect_live", "stop_live", "start_live", "smoke_test", "restart_live"),
        *ENDING,
    ),
    "teardown": (
        *("list_what_there_is", "acquire_lock", "find_trainings", "trainings_are_over", "acquire_deployment_lock"),
        *("set_records_aside", "stop_version", "delete_version", "delete_train_dataset", "delete_test_dataset"),
        *("delete_project", "take_away_reviews", "prove_nothing_is_left", "delete_images_and_records", *ENDING),
    ),
    "cost_guard": (*("load_settings", "inspect", "stop", "start", "delete", "release_locks", "account", "finish"),),
}
"""The tasks of the DAGs that pay, start, stop and delete."""


@contextmanager
def marked(states: Mapping[str, str]) -> Iterator[None]:
    """Let the next run with ``dag.test()`` begin with tasks that are marked.

    :param states: by task; of a mapped task, all its instances.
    """
    from airflow.models import dagrun

    make = dagrun.get_or_create_dagrun

    def make_marked(**arguments: Any) -> Any:
        made, session = make(**arguments), arguments["session"]
        tasks = {task.task_id: task for task in made.get_task_instances(session=session)}
        for task_id, state in states.items():
            tasks[task_id].set_state(state, session=session)
        session.commit()
        return made

    with patch.object(dagrun, "get_or_create_dagrun", make_marked):
        yield


# -- where the runs begin --------------------------------------------------------------------------


def a_judged_version(aws: LocalAws, variables: Variables) -> None:
    """v1 serves; a version was trained, passed its gates and could not be started: the next run goes on with it."""
    new_images(aws, variables)
    aws.control.outcomes({"operation": "start", "version": "digits*", "status": "FAILED", "message": "No capacity."})
    assert train().failed == {"version_is_running"}
    aws.control.outcomes()


def new_images(aws: LocalAws, variables: Variables) -> None:
    """v1 serves, and there are enough images to train on."""
    serve(aws, "v1")
    know("v1", status="RUNNING")
    put_images(aws, 10)


def two_versions(aws: LocalAws, variables: Variables) -> None:
    """v2 serves instead of v1."""
    serve_in_turn(aws, "v1", "v2")


def one_version(aws: LocalAws, variables: Variables) -> None:
    """v1 serves with one unit."""
    serve_in_turn(aws, "v1")


def many_versions(aws: LocalAws, variables: Variables) -> None:
    """v1 serves, v5 was left running by a DAG that died, v6 is not the registry's, and v2 to v4 are old."""
    names = ("v1", "v2", "v3", "v4", "v5", "v6")
    project = train_versions(aws, *names)
    aws.control.quotas(running_models=5)
    for name in ("v1", "v5", "v6"):
        start(aws, project, name)
    point_to(aws, project, "v1")
    for name in names[:-1]:
        know(name)


Prepare = Callable[["LocalAws", Variables], None]
BEGINNINGS: Mapping[str, tuple[Prepare, str, Mapping[str, Any]]] = {
    "judged": (a_judged_version, "train", {}),
    "new images": (new_images, "train", {}),
    "few images": (new_images, "train", {"minimum_untrained_images": 1000}),
    "rollback": (two_versions, "rollback", {}),
    "scale": (one_version, "scale", {"minimum_inference_units": 2}),
    "guard": (many_versions, "cost_guard", {"keep_versions": 2}),
}
"""How the state is made in which a run begins, which DAG runs, and with which settings."""


def begin(aws: LocalAws, variables: Variables, name: str) -> str:
    """Bring a beginning about, once a process; give the DAG that is to run."""
    prepare, kind, settings = BEGINNINGS[name]
    saved = f"marked {prepare.__name__}"
    if saved in aws.control.saved():
        aws.control.restore(saved)
    else:
        prepare(aws, variables)
        aws.control.save(saved)
    variables.set(**settings)
    return kind


def paid(aws: LocalAws) -> dict[str, int]:
    """Count what was trained, started, stopped and deleted."""
    names = ("CreateProjectVersion", "StartProjectVersion", "StopProjectVersion", "DeleteProjectVersion")
    return {name: effects(aws, name) for name in names}
