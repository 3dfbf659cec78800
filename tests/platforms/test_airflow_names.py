"""What the package takes of Airflow and its providers is there in the oldest versions that it is installed with."""

from __future__ import annotations

import ast
import importlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from airflow.providers.amazon.aws.triggers.base import AwsBaseWaiterTrigger

from tests.kit.classes import TRIGGERS

ROOT = Path(__file__).resolve().parents[2]
KNOWN = Path(__file__).parent / "airflow_names.txt"


def imported(path: Path) -> Iterator[str]:
    """Give what a file imports of Airflow, as ``module:name``."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "airflow":
            yield from (f"{node.module}:{alias.name}" for alias in node.names)


def known() -> list[str]:
    return [line for line in KNOWN.read_text().splitlines() if line and not line.startswith("#")]


def test_every_name_is_one_that_was_tried_on_every_platform() -> None:
    files = [*(ROOT / "dags").glob("*.py"), *(ROOT / "plugins").rglob("*.py")]

    assert sorted({name for path in files for name in imported(path)}) == known(), (
        f"Write it into {KNOWN.name}, and run `make test-platforms`, which imports it from each platform's versions."
    )


@pytest.mark.parametrize("name", known())
def test_a_name_is_there(name: str) -> None:
    module, _, attribute = name.partition(":")

    assert hasattr(importlib.import_module(module), attribute)


def test_every_trigger_makes_its_hook_itself() -> None:
    """The Amazon provider's base does so today; in the ones of MWAA it is abstract, and no trigger could be made."""
    assert [
        each for each in TRIGGERS if issubclass(each, AwsBaseWaiterTrigger) and each.hook is AwsBaseWaiterTrigger.hook
    ] == []
