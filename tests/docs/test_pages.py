"""The README says what is there: every setting with its default, every outcome, every promise with its test."""

from __future__ import annotations

import ast
import re
from typing import Any

import pytest

from custom_labels.core.outcome import Outcome
from custom_labels.core.settings_fields import Settings
from tests.conftest import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")


def section(title: str) -> str:
    """Give the text below a heading, up to the next one of the same rank."""
    return README.split(f"## {title}\n", 1)[1].split("\n## ", 1)[0]


def rows(text: str) -> list[list[str]]:
    """Give the cells of the tables in a text."""
    lines = [line for line in text.splitlines() if line.startswith("|") and not line.startswith("|---")]
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line.strip("|"))] for line in lines]


SETTINGS = {row[0].strip("`"): row[1] for row in rows(section("Settings")) if row[0].startswith("`")}
PROMISES = {row[0]: row[1] for row in rows(section("What is promised, and where it is tested"))[1:]}


def test_the_readme_names_every_setting_and_no_other() -> None:
    assert set(SETTINGS) == set(Settings.model_fields)


@pytest.mark.parametrize("name", [name for name in Settings.model_fields if name != "notify_outcomes"])
def test_the_readme_gives_the_default(name: str) -> None:
    assert SETTINGS[name] == written(Settings.model_fields[name].default)


def written(default: Any) -> str:
    """Write a default as the README does."""
    if default is None:
        return "-"
    if isinstance(default, bool):
        return str(default).lower()
    if isinstance(default, tuple):
        return ", ".join(map(str, default)) or "[]"
    return f"{default:g}" if isinstance(default, float) else str(default)


def test_every_outcome_is_explained() -> None:
    assert [outcome for outcome in Outcome if f"`{outcome}`" not in README] == []


@pytest.mark.parametrize("promise", PROMISES)
def test_a_promise_has_its_test(promise: str) -> None:
    links = re.findall(r"\[[^\]]+\]\(([^)]+)\)", PROMISES[promise])

    assert links or "`make " in PROMISES[promise]
    for link in links:
        path, _, name = link.partition("#")
        assert (ROOT / path).exists(), link
        assert not name or name in functions(path), link


def functions(path: str) -> set[str]:
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.ClassDef)}
