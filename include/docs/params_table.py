"""The Params of each DAG that a person may trigger with some."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

from include.docs.tables import table, written

DAGS = Path(__file__).resolve().parents[2] / "dags"
SHOWN = "digits"
"""The project whose DAGs are read; those of any other are the same."""


def params() -> str:
    """Give a table of Params for each DAG that has some."""
    return "\n\n".join(f"### `<project>_{kind}`\n\n{_rows(found)}" for kind, found in _params_by_kind() if found)


def _params_by_kind() -> Iterator[tuple[str, Mapping[str, Any]]]:
    logging.getLogger("airflow").setLevel(logging.ERROR)
    for path in sorted(DAGS.glob("*.py")):
        dag = vars(import_module(f"dags.{path.stem}")).get(f"{SHOWN}_{path.stem}")
        if dag is not None:
            yield path.stem, {name: dag.params.get_param(name) for name in dag.params}


def _rows(found: Mapping[str, Any]) -> str:
    return table(
        ("Param", "default", "allowed", "meaning"),
        (
            (f"`{name}`", written(param.value), _allowed(param.schema), param.description or "")
            for name, param in found.items()
        ),
    )


def _allowed(schema: Mapping[str, Any]) -> str:
    if "enum" in schema:
        return ", ".join(map(str, schema["enum"]))
    kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    if "boolean" in kinds:
        return "true, false"
    above = schema.get("exclusiveMinimum")
    lowest = schema.get("minimum") if above is None else f"above {above:g}"
    highest = schema.get("maximum")
    words = {"integer": "a whole number", "number": "a number", "string": "text", "object": "JSON"}
    named = next((words[kind] for kind in kinds if kind in words), "")
    if lowest is None:
        return named
    return f"{lowest} to {highest}" if highest is not None else f"{lowest} or more"
