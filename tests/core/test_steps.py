"""Steps: values with a type between tasks, decisions that skip, and lists that tasks are mapped over."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any, cast

import pytest
from airflow.sdk import DAG, TriggerRule
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException, DownstreamTasksSkipped

from custom_labels.core.context import ProjectContext, RunInfo
from custom_labels.core.listener import NOTE_KEY
from custom_labels.core.settings import load_project
from custom_labels.core.step_operators import Output, StepOperator
from custom_labels.core.steps import (
    decision,
    each_of,
    fan_out,
    follow,
    given,
    mapped_step,
    order,
    step,
)
from custom_labels.errors import ModelError, NothingToDo
from tests.kit.task_contexts import context

if TYPE_CHECKING:
    from collections.abc import Mapping

NOW = datetime(2026, 11, 28, tzinfo=UTC)


class Way(StrEnum):
    LEFT = "to the left"
    RIGHT = "to the right"


@dataclass(frozen=True)
class Found:
    choice: Way
    names: tuple[str, ...]
    best: Name | None = None


@dataclass(frozen=True)
class Name:
    first: str
    at: datetime


@dataclass(frozen=True)
class Shared:
    batches: tuple[Name, ...]
    count: int


@decision
def find(ctx: ProjectContext, limit: int) -> Found:
    """Find names."""
    names = ("a", "b", "c")[:limit]
    return Found(Way.RIGHT if limit > 1 else Way.LEFT, names, Name(names[0], NOW) if names else None)


@fan_out("batches")
def share(ctx: ProjectContext, found: Found) -> Shared:
    """Share them out."""
    return Shared(tuple(Name(each, NOW) for each in found.names), len(found.names))


@mapped_step
def greet(ctx: ProjectContext, name: Name, best: Name | None) -> str:
    """Greet one."""
    return f"{name.first} {name.at:%Y} {best.first if best else 'nobody'}"


@step
def left(ctx: ProjectContext, found: Found) -> None:
    """Have nothing to do."""
    raise NothingToDo(f"{len(found.names)} names are too few.")


@step
def fail(ctx: ProjectContext) -> None:
    """Fail for good, with a note."""
    ctx.note("first")
    ctx.note("last")
    raise ModelError("broken")


@step
def finish(ctx: ProjectContext, found: Found, shared: Shared | None, greetings: Sequence[str] | None) -> str:
    """Say what came of it."""
    return f"{found.choice}: {shared.count if shared else 'none'}, {list(greetings or ())}"


def build() -> DAG:
    project = load_project("digits")
    with DAG("steps", schedule=None) as dag:
        found = find(project, 2)
        to_left = left(project, found)
        shared = share(project, found)
        greetings = greet(project, shared.batches, found.best)
        end = finish.having(trigger_rule=TriggerRule.NONE_FAILED)(project, found, shared, greetings)
        follow(found, {Way.LEFT: to_left, Way.RIGHT: shared})
        order(to_left, end)
    return dag


def run(dag: DAG, task_id: str, inputs: Mapping[str, Any], item: Any = None) -> tuple[Any, dict[str, Any]]:
    """Execute a step with inputs as Airflow renders them; give its result and what else it handed on."""
    task = cast("StepOperator", dag.get_task(task_id))
    if task.is_mapped:
        task = StepOperator(task_id=task_id, step=greet, project="digits", inputs={}, item=item)
    task.inputs, task.item, surrounding = inputs, item, context()
    try:
        return task.execute(surrounding), surrounding["ti"].xcoms
    except DownstreamTasksSkipped as skipped:
        return sorted(map(str, skipped.tasks)), surrounding["ti"].xcoms


FOUND = {"choice": "to the right", "names": ["a", "b"], "best": {"first": "a", "at": "2026-11-28T00:00:00Z"}}


def test_a_value_goes_through_json_and_its_fields_that_are_read_have_xcoms_of_their_own() -> None:
    skipped, xcoms = run(build(), "find", {"limit": 2})

    assert skipped == ["left"]
    assert xcoms["return_value"] == FOUND
    assert xcoms["best"] == FOUND["best"]
    assert xcoms["skipmixin_key"] == {"skipped": ["left"]}


def test_a_decision_skips_what_is_on_other_ways_only() -> None:
    skipped, _ = run(build(), "find", {"limit": 1})

    assert skipped == ["share"], "'finish' is behind both ways"


def test_a_choice_without_a_way_skips_all_of_them() -> None:
    project = load_project("digits")
    with DAG("steps", schedule=None) as dag:
        found = find(project, 2)
        follow(found, {Way.LEFT: left(project, found)})

    assert run(dag, "find", {"limit": 2})[0] == ["left"]
    assert run(dag, "find", {"limit": 1})[0] == {"choice": "to the left", "names": ["a"], "best": FOUND["best"]}


def test_a_step_that_fans_out_returns_the_list_and_keeps_the_whole_beside() -> None:
    result, xcoms = run(build(), "share", {"found": FOUND})

    assert [each["first"] for each in result] == ["a", "b"]
    assert xcoms["value"]["count"] == 2
    assert run(build(), "greet", {"best": None}, result[1])[0] == "b 2026 nobody"


def test_an_input_that_may_be_missing_says_so() -> None:
    dag = build()

    assert run(dag, "finish", {"found": FOUND, "shared": None, "greetings": None})[0] == "to the right: none, []"
    with pytest.raises(AirflowFailException, match="Task 'finish' got nothing for 'found'"):
        run(dag, "finish", {"found": None, "shared": None, "greetings": None})


def test_nothing_to_do_skips_and_a_final_error_fails_with_its_note() -> None:
    project = load_project("digits")
    with DAG("steps", schedule=None) as dag:
        left(project, Found(Way.LEFT, ()))
        fail(project)
    surrounding = context()

    with pytest.raises(AirflowSkipException, match="2 names are too few"):
        run(dag, "left", {"found": FOUND})
    with pytest.raises(AirflowFailException, match="broken"):
        cast("StepOperator", dag.get_task("fail")).execute(surrounding)
    assert surrounding["ti"].xcoms[NOTE_KEY] == "last"


def test_only_fields_of_the_result_can_be_read() -> None:
    project = load_project("digits")
    with DAG("steps", schedule=None):
        found = find(project, 2)

        with pytest.raises(AttributeError, match=r"the result of 'find' has no field 'best\.last'"):
            _ = cast("Any", found).best.last
        with pytest.raises(AttributeError, match=r"has no field 'names\.serialize'"):  # Airflow 3.2 asks for it
            _ = cast("Any", found).names.serialize
        assert cast("Output", given(found.best).first).key == "best.first"
        assert cast("Output", each_of(share(project, found).batches)).key == "return_value"


def test_the_function_of_a_step_needs_no_airflow() -> None:
    ctx = ProjectContext("digits", run=RunInfo("dag", "run", when=NOW, as_of=NOW))

    assert find.function(ctx, 3).names == ("a", "b", "c")
