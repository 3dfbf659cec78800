"""Steps: values with a type between tasks, through a real run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import pytest
from airflow.sdk import DAG, TriggerRule

from custom_labels.core.context import ProjectContext
from custom_labels.core.settings import load_project
from custom_labels.core.steps import decision, fan_out, follow, mapped_step, order, step


class Way(StrEnum):
    LEFT = "left"
    RIGHT = "right"


@dataclass(frozen=True)
class Found:
    names: tuple[str, ...]
    choice: Way
    total: int = 0


@dataclass(frozen=True)
class Shared:
    batches: tuple[str, ...]
    count: int


SEEN: list[Any] = []


@fan_out("batches")
def share(ctx: ProjectContext, found: Found) -> Shared:
    """Share out."""
    return Shared(tuple(found.names), len(found.names))


@decision
def find(ctx: ProjectContext, limit: int) -> Found:
    """Find."""
    return Found(("a", "b", "c")[:limit], Way.RIGHT if limit > 1 else Way.LEFT, limit)


@step
def left(ctx: ProjectContext, found: Found) -> None:
    """Go left."""
    SEEN.append(("left", found))


@mapped_step
def each_name(ctx: ProjectContext, name: str, found: Found) -> str:
    """Handle one."""
    return name.upper()


@step
def end(ctx: ProjectContext, found: Found, shared: Shared | None, total: int, done: Sequence[str] | None) -> None:
    """End."""
    SEEN.append(("end", found.choice, shared, total, done))


def build(limit: int) -> DAG:
    project = load_project("digits")
    with DAG("steps_dag", schedule=None) as dag:
        found = find(project, limit)
        to_left = left(project, found)
        shared = share(project, found)
        done = each_name(project, shared.batches, found)
        ended = end.having(trigger_rule=TriggerRule.NONE_FAILED)(project, found, shared, found.total, done)
        follow(found, {Way.LEFT: to_left, Way.RIGHT: shared})
        order(to_left, ended)
    return dag


@pytest.mark.parametrize("limit", [1, 2])
def test_it(airflow_db: None, limit: int) -> None:
    SEEN.clear()
    run = build(limit).test()
    print(SEEN, {t.task_id: t.state for t in run.get_task_instances()})
    assert run.state == "success"
