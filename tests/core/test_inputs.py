"""What a task checks of the tasks before it: it was chosen, and nothing that it needs is missing."""

from __future__ import annotations

from typing import Any

import pytest
from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import DAG, TriggerRule, task

from custom_labels.aws.inputs import require_inputs
from custom_labels.core.inputs import require_decision
from custom_labels.errors import NotDecided


class Left:
    """A task instance that sees what branches left: for each the tasks right behind it that were not skipped."""

    def __init__(self, **followed: list[str]) -> None:
        self.followed = followed

    def xcom_pull(self, *, task_ids: str, key: str) -> Any:
        assert key == "skipmixin_key"
        return {"followed": self.followed[task_ids]} if task_ids in self.followed else None


@pytest.fixture(scope="module")
def dag() -> DAG:
    """As in the train DAG: ``need`` asks a user or not; ``deploy`` and ``reject`` are behind both branches."""
    with DAG("example", schedule=None) as made:

        @task.branch
        def need() -> str:
            return "ask"

        @task.branch
        def ask() -> str:
            return "deploy"

        any_way = TriggerRule.NONE_FAILED_MIN_ONE_SUCCESS
        deploy, reject = (EmptyOperator(task_id=name, trigger_rule=any_way) for name in ("deploy", "reject"))
        stop = EmptyOperator(task_id="stop")
        record = EmptyOperator(task_id="record", trigger_rule=any_way)
        undo = EmptyOperator(task_id="undo", trigger_rule=TriggerRule.ONE_FAILED)
        needed, asked = need(), ask()
        needed >> asked
        [needed, asked] >> deploy
        [needed, asked] >> reject
        needed >> stop >> record
        needed >> [record, undo]
    return made


ASKED = ["ask", "deploy", "reject"]
"""What Airflow keeps of ``need`` where it chose ``ask``: also what that leads to."""


@pytest.mark.parametrize(
    ("task_id", "left", "is_refused"),
    [
        ("ask", {"need": ASKED}, False),
        ("ask", {}, True),
        ("deploy", {"need": ["deploy"]}, False),
        ("deploy", {"need": ASKED, "ask": ["deploy"]}, False),
        ("deploy", {"need": ASKED}, True),
        ("deploy", {"need": ASKED, "ask": ["reject"]}, True),
        ("deploy", {}, True),
        ("reject", {"need": ASKED, "ask": ["deploy"]}, True),
        ("stop", {"need": ["stop", "record"]}, False),
        ("stop", {"need": ["record"]}, True),
        ("record", {"need": ["stop", "record"]}, False),
        ("undo", {}, False),
        ("need", {}, False),
    ],
)
def test_a_task_runs_only_where_a_branch_chose_it(
    dag: DAG, task_id: str, left: dict[str, list[str]], is_refused: bool
) -> None:
    context: Any = {"task": dag.get_task(task_id), "ti": Left(**left)}

    if is_refused:
        with pytest.raises(NotDecided, match=f"Task '{task_id}' was not chosen by .* Nothing was changed. Clear '"):
            require_decision(context)
    else:
        require_decision(context)


@pytest.mark.parametrize(
    ("inputs", "words"),
    [
        ({"plan": {}, "arns": ["a"], "count": 0}, None),
        ({"plan": None, "arns": ["a"]}, "Task 'swap' got nothing for 'plan': "),
        ({"plan": {}, "arns": ["a", None]}, "Task 'swap' got nothing for 'arns': "),
        ({"plan": None, "arns": None}, "Task 'swap' got nothing for 'plan', 'arns': "),
    ],
)
def test_a_task_says_what_it_lacks(inputs: dict[str, Any], words: str | None) -> None:
    if words is None:
        require_inputs("swap", inputs)
    else:
        with pytest.raises(NotDecided, match=words):
            require_inputs("swap", inputs)
