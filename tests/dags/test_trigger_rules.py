"""No task runs in vain: every run that a DAG's branches allow is played through, by Airflow's trigger rules alone.

The trap: ``task(settings)`` makes ``load_settings`` an upstream. It succeeds in every run, so "none failed, and at
least one succeeded" holds for a task behind a branch also where the branch went the other way.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from airflow.sdk import DAG, TriggerRule, task

from custom_labels.core.step_operators import DecisionOperator
from tests.conftest import ROOT
from tests.kit.airflow_page import on_airflow_page

RUN, SKIPPED = "run", "skipped"
AFTER_FAILURES = {TriggerRule.ONE_FAILED, TriggerRule.ALL_FAILED}
JOINS = {TriggerRule.NONE_FAILED, TriggerRule.NONE_FAILED_MIN_ONE_SUCCESS, TriggerRule.ONE_SUCCESS}
MOST_RUNS = 20_000


@dataclass
class Played:
    """A run in which every task that runs succeeds.

    :param states: of the tasks that were decided; ``chosen`` are the tasks on the way that each decision took, and
        ``passed_over`` those that it skipped.
    """

    states: dict[str, str] = field(default_factory=dict)
    chosen: dict[str, frozenset[str]] = field(default_factory=dict)
    passed_over: frozenset[str] = frozenset()

    def decide(self, each: Any) -> str:
        """Say what becomes of a task whose upstreams are decided."""
        if each.task_id in self.passed_over:
            return SKIPPED
        upstream = [self.states[task_id] for task_id in each.upstream_task_ids]
        rule = TriggerRule(each.trigger_rule)
        if rule in AFTER_FAILURES:
            return SKIPPED
        if not upstream or rule in {TriggerRule.NONE_FAILED, TriggerRule.ALL_DONE}:
            return RUN
        needed = any if rule in JOINS else all
        return RUN if needed(state == RUN for state in upstream) else SKIPPED


def every_run(dag: DAG) -> Iterator[Played]:
    """Play the runs that a DAG's branches allow."""
    order = [each for each in dag.topological_sort() if not each.is_teardown]

    def play(number: int, played: Played) -> Iterator[Played]:
        if number == len(order):
            yield played
            return
        each = order[number]
        state = played.decide(each)
        states = {**played.states, each.task_id: state}
        for way in ways_on(each) if state == RUN else [None]:
            chosen, passed_over = played.chosen, played.passed_over
            if way is not None:
                chosen, passed_over = {**chosen, each.task_id: way[0]}, passed_over | way[1]
            yield from play(number + 1, Played(states, chosen, passed_over))

    yield from play(0, Played())


def ways_on(each: Any) -> list[tuple[frozenset[str], frozenset[str]] | None]:
    """Give what each choice of a decision leads to and what it skips; of another task that it leads on."""
    if isinstance(each, DecisionOperator):
        return [
            (frozenset(task.task_id for task in tasks), frozenset(task.task_id for task in each.passed_over(choice)))
            for choice, tasks in [*each.ways.items(), ("no way", [])]
        ]
    if callable(getattr(each, "do_branch", None)):
        downstream = {t.task_id: t for t in each.downstream_list if TriggerRule(t.trigger_rule) not in AFTER_FAILURES}
        return [
            (frozenset({chosen}), frozenset(downstream) - {chosen} - task.get_flat_relative_ids(upstream=False))
            for chosen, task in sorted(downstream.items())
        ]
    return [None]


def run_in_vain(dag: DAG) -> Mapping[str, set[str]]:
    """Give the tasks that run with nothing but such upstreams as run in any case, with those upstreams."""
    found: dict[str, set[str]] = {}
    joins = [each for each in dag.tasks if TriggerRule(each.trigger_rule) in JOINS and not runs_always(each)]
    leads = {each.task_id: leading(each) for each in joins}
    for number, played in enumerate(every_run(dag)):
        assert number < MOST_RUNS, f"{dag.dag_id} has too many branches to play every run"
        for each in joins:
            if played.states[each.task_id] != RUN:
                continue
            is_chosen = any(each.task_id in played.chosen.get(task_id, ()) for task_id in each.upstream_task_ids)
            if not is_chosen and not any(played.states[task_id] == RUN for task_id in leads[each.task_id]):
                found.setdefault(each.task_id, set()).update(each.upstream_task_ids - leads[each.task_id])
    return found


def runs_always(each: Any) -> bool:
    """Whether a task is meant to run in every run: the step that says how it ended, and what gives locks back."""
    return bool(each.is_teardown) or each.task_id == "finish"


def leading(each: Any) -> set[str]:
    """Give the upstreams of a task that say something: those that are behind no other of them."""
    before = [each.dag.get_task(task_id).get_flat_relative_ids(upstream=True) for task_id in each.upstream_task_ids]
    upstream: set[str] = each.upstream_task_ids
    return upstream - set().union(*before)


@pytest.mark.parametrize("file", sorted((ROOT / "dags").glob("*.py")), ids=lambda file: file.stem)
def test_no_task_runs_in_vain_whatever_the_branches_choose(file: Path) -> None:
    from airflow.dag_processing.dagbag import DagBag

    bag = DagBag(dag_folder=str(file))
    assert bag.import_errors == {}

    assert {dag_id: run_in_vain(dag) for dag_id, dag in bag.dags.items()} == {dag_id: {} for dag_id in bag.dags}


def test_no_task_of_the_dag_that_asks_runs_in_vain(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    on_airflow_page(tmp_path, monkeypatch)

    test_no_task_runs_in_vain_whatever_the_branches_choose(ROOT / "dags" / "ask_people.py")


def with_a_join(rule: TriggerRule, *, hands_settings: bool) -> DAG:
    """Make a DAG with a branch, of which one side is drawn by a task that joins."""
    with DAG("example", schedule=None) as dag:

        @task
        def load_settings() -> str:
            return "settings"

        @task.branch
        def is_due(settings: Any) -> str:
            return "work"

        @task
        def work() -> None: ...

        @task
        def nothing_to_do() -> None: ...

        @task(trigger_rule=rule)
        def draw(settings: Any = None) -> None: ...

        settings = load_settings()
        done, drawn = work(), draw(settings) if hands_settings else draw()
        is_due(settings) >> [done, nothing_to_do()]
        done >> drawn
    return dag


@pytest.mark.parametrize(
    ("rule", "hands_settings", "found"),
    [
        (TriggerRule.NONE_FAILED_MIN_ONE_SUCCESS, True, {"draw": {"load_settings"}}),
        (TriggerRule.ONE_SUCCESS, True, {"draw": {"load_settings"}}),
        (TriggerRule.NONE_FAILED, False, {"draw": set()}),
        (TriggerRule.NONE_FAILED_MIN_ONE_SUCCESS, False, {}),
        (TriggerRule.ALL_SUCCESS, True, {}),
    ],
)
def test_a_task_that_runs_in_vain_is_found(rule: TriggerRule, hands_settings: bool, found: dict[str, set[str]]) -> None:
    assert run_in_vain(with_a_join(rule, hands_settings=hands_settings)) == found
