"""What must hold of the DAG files without running them."""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from airflow.dag_processing.dagbag import DagBag
from airflow.sdk import DAG, TaskGroup

from tests.conftest import ROOT
from tests.kit.airflow_page import on_airflow_page

FILES = sorted((ROOT / "dags").glob("*.py"))
WITHOUT_DAG = {"project_files"}


ASKS_ITSELF = {"ask_people"}
"""Of projects whose reviews are asked on Airflow's own page."""


@pytest.fixture(scope="module", params=["a2i", "airflow"])
def backend(request: pytest.FixtureRequest) -> str:
    """The review backend of the project."""
    return str(request.param)


@pytest.fixture(scope="module")
def dags(backend: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, DAG]]:
    with pytest.MonkeyPatch.context() as patch:
        if backend == "airflow":
            on_airflow_page(tmp_path_factory.mktemp("projects"), patch)
        bag = DagBag(dag_folder=str(ROOT / "dags"))
        assert bag.import_errors == {}
        yield bag.dags


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_a_dag_file_is_thin_wiring(file: Path) -> None:
    text = file.read_text()
    imported = {
        name.split(".")[0]
        for node in ast.walk(ast.parse(text))
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [getattr(node, "module", "") or ""]
        )
        if isinstance(node, ast.Import | ast.ImportFrom)
    }

    assert len(text.splitlines()) <= 120
    assert not imported & {"boto3", "botocore", "aiobotocore"}


def test_every_project_has_a_dag_of_each_file(dags: dict[str, DAG], backend: str) -> None:
    kinds = {file.stem for file in FILES} - WITHOUT_DAG - (set() if backend == "airflow" else ASKS_ITSELF)

    assert set(dags) == {f"digits_{kind}" for kind in kinds}


def test_every_task_and_dag_is_documented(dags: dict[str, DAG]) -> None:
    from airflow.sdk.definitions._internal.abstractoperator import AbstractOperator

    undocumented = [
        task.task_id
        for dag in dags.values()
        for task in dag.tasks
        if isinstance(task, AbstractOperator) and not (task.doc_md or type(task).__doc__)
    ]

    assert all(dag.doc_md for dag in dags.values())
    assert undocumented == []


def test_every_wait_for_aws_holds_no_worker_slot(dags: dict[str, DAG]) -> None:
    waiting = [task for dag in dags.values() for task in dag.tasks if hasattr(task, "deferrable")]

    assert waiting
    assert all(task.deferrable for task in waiting)


def test_a_bad_param_is_refused_before_the_run(dags: dict[str, DAG]) -> None:
    from airflow.sdk.exceptions import ParamValidationError

    params = copy.deepcopy(dags["digits_train"].params)

    with pytest.raises(ParamValidationError):
        params["minimum_f1_score"] = 2


def test_the_locks_are_given_back_by_a_teardown(dags: dict[str, DAG]) -> None:
    from custom_labels.core.lock_tasks import AcquireProjectLockOperator

    takers = [dag for dag in dags.values() if any(isinstance(task, AcquireProjectLockOperator) for task in dag.tasks)]

    assert {dag.dag_id for dag in takers} >= {"digits_train", "digits_rollback", "digits_scale"}
    for dag in takers:
        release = dag.get_task("release_locks")
        assert release.is_teardown, dag.dag_id
        assert not release.on_failure_fail_dagrun, dag.dag_id


def test_the_cost_guard_depends_on_no_other_dag_and_gives_its_lock_back(dags: dict[str, DAG]) -> None:
    guard = dags["digits_cost_guard"]
    release = guard.get_task("release_locks")

    assert not getattr(guard.timetable, "asset_condition", None)
    assert release.is_teardown
    assert release.upstream_task_ids >= {"stop", "start", "delete"}


def test_whatever_pays_starts_stops_or_deletes_reads_the_registry_first(dags: dict[str, DAG]) -> None:
    """The operators of ``aws/`` know no registry: those of the rooms above look at it, then do what they do."""
    from custom_labels.aws.operators import versions

    kinds = (
        versions.CustomLabelsTrainVersionOperator,
        versions.CustomLabelsStartVersionOperator,
        versions.CustomLabelsStopVersionOperator,
        versions.CustomLabelsDeleteVersionOperator,
    )
    for kind in kinds:
        tasks = [task for dag in dags.values() for task in dag.tasks if issubclass(class_of(task), kind)]
        bare = [f"{task.dag_id}.{task.task_id}" for task in tasks if class_of(task) is kind]
        assert (bool(tasks), bare) == (True, []), kind.__name__


def test_a_dag_opens_as_at_most_ten_boxes(dags: dict[str, DAG]) -> None:
    boxes = {dag.dag_id: list(dag.task_group.children) for dag in dags.values()}
    groups = [child for child in dags["digits_train"].task_group.children.values() if isinstance(child, TaskGroup)]

    assert {dag_id: found for dag_id, found in boxes.items() if len(found) > 10} == {}
    assert len(dags["digits_train"].tasks) <= 28
    assert len(groups) <= 7


FIRST = {
    "digits_detect": "collect",
    "digits_harvest_reviews": "collect",
    "digits_import_dataset": "plan_import",
    "digits_label_assist": "plan_round",
}


def test_the_settings_are_read_before_anything_else(dags: dict[str, DAG]) -> None:
    for dag in dags.values():
        first = FIRST.get(dag.dag_id, "load_settings")
        behind = dag.get_task(first).get_flat_relative_ids(upstream=False)
        assert {first, *behind} == set(dag.task_ids), dag.dag_id


def class_of(task: Any) -> type:
    """Give a task's operator, of a mapped one that of its instances."""
    return getattr(task, "operator_class", type(task))


def test_every_failure_is_reported_by_the_task_or_by_the_run(dags: dict[str, DAG]) -> None:
    from custom_labels.core.notifications import FailureNotifier, RunFailureNotifier

    for dag in dags.values():
        assert isinstance(dag.on_failure_callback, RunFailureNotifier), dag.dag_id
        silent = [task.task_id for task in dag.tasks if not told_by(task, FailureNotifier)]
        assert silent == [], dag.dag_id


def told_by(task: Any, kind: type) -> bool:
    """Whether a task's failure is notified; of a mapped task, each of its instances'."""
    callbacks = getattr(task, "on_failure_callback", None) or task.partial_kwargs["on_failure_callback"]
    return any(isinstance(each, kind) for each in (callbacks if isinstance(callbacks, list | tuple) else [callbacks]))


def test_the_dags_wake_each_other(dags: dict[str, DAG], backend: str) -> None:
    woken_by = {
        dag_id: set(names_in(dag.timetable.asset_condition))
        for dag_id, dag in dags.items()
        if getattr(dag.timetable, "asset_condition", None)
    }
    triggers: dict[str, set[str]] = {}
    for dag in dags.values():
        for task in dag.tasks:
            for outlet in (each for each in task.outlets or [] if not each.uri.startswith("s3://")):
                triggers.setdefault(outlet.name, set()).add(task.dag_id)

    assert woken_by == {
        "digits_train": {"digits_labeled_images"},
        "digits_detect": {"digits_new_images", "digits_live_version"},
        "digits_harvest_reviews": {"digits_finished_reviews"},
    }
    assert triggers == {
        "digits_labeled_images": {"digits_harvest_reviews", "digits_import_dataset"},
        "digits_live_version": {"digits_train", "digits_rollback"},
        "digits_trained_version": {"digits_train"},
        "digits_new_images": {"digits_detect"},
        **({"digits_finished_reviews": {"digits_ask_people"}} if backend == "airflow" else {}),
    }


def names_in(condition: Any) -> Iterator[str]:
    """Give the names of the assets in a condition, however it is nested."""
    for each in getattr(condition, "objects", [condition]):
        yield from [each.name] if hasattr(each, "name") else names_in(each)
