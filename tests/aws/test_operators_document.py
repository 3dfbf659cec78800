"""docs/operators.md names every public class of aws/, and its examples are Python that makes tasks."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Any

import pytest
from airflow.sdk import DAG

from tests.kit.classes import OPERATORS, SENSORS, TRIGGERS
from tests.kit.documents import code_blocks

TEXT = (Path(__file__).parents[2] / "docs" / "operators.md").read_text()
EXAMPLES = code_blocks(TEXT, "python")
ROOM = ("custom_labels.aws.operators.", "custom_labels.aws.sensors.", "custom_labels.aws.triggers.")
PUBLIC = sorted(each.__name__ for each in (*OPERATORS, *SENSORS, *TRIGGERS) if each.__module__.startswith(ROOM))


@pytest.mark.parametrize("name", PUBLIC)
def test_every_public_class_is_named(name: str) -> None:
    assert re.search(rf"\b{name}\b", TEXT)


@pytest.mark.parametrize("number", range(len(EXAMPLES)))
def test_an_example_runs_and_imports_only_the_room(number: int) -> None:
    tree = ast.parse(EXAMPLES[number])
    ours = [each.module or "" for each in ast.walk(tree) if isinstance(each, ast.ImportFrom)]

    with DAG("around_the_example", schedule=None):
        exec(compile(tree, "docs/operators.md", "exec"), {})

    assert [name for name in ours if not name.startswith(("airflow.", *ROOM))] == []


def test_the_complete_dag_has_its_tasks_in_order_and_stops_what_it_starts() -> None:
    names: dict[str, Any] = {}

    exec(compile(EXAMPLES[-1], "docs/operators.md", "exec"), names)

    dag = names["dag"]
    assert {"project", "train_set", "test_set", "images"} <= set(dag.task_ids)
    assert dag.get_task("detect").upstream_task_ids == {"start", "images"}
    assert dag.get_task("stop").is_teardown
