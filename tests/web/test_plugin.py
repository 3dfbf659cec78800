"""The plugin: loads in every Airflow process, alone, and without dragging heavy modules in."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from custom_labels.core.listener import join_notes
from tests.conftest import ROOT, airflow_environment


def run(code: str, home: Path) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, **airflow_environment(home)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_airflow_loads_only_the_plugin_file_and_registers_everything(tmp_path: Path) -> None:
    code = """
import sys
from airflow import plugins_manager
plugins, errors = plugins_manager._get_plugins()
ours = next(p for p in plugins if p.name == "custom_labels")
print(errors, [t.__name__ for t in ours.timetables], len(ours.listeners))
stems = {"store", "lock", "names", "registry", "settings", "statuses", "errors", "base"}
print(sorted(m for m in sys.modules if m in stems))
print([app["url_prefix"] for app in ours.fastapi_apps], "custom_labels.web.app" in sys.modules)
"""
    assert run(code, tmp_path).splitlines()[-3:] == ["{} ['PollTimetable'] 1", "[]", "['/custom-labels'] False"]


def test_every_library_file_is_kept_from_being_imported_as_a_plugin() -> None:
    ignored = (ROOT / "plugins" / ".airflowignore").read_text().split()
    plugin_files = {path.name for path in (ROOT / "plugins").glob("*.py")}

    assert "custom_labels/**" in ignored
    assert plugin_files == {"custom_labels_plugin.py"}


def test_dag_files_parse_without_heavy_modules(tmp_path: Path) -> None:
    code = """
import sys
from airflow.dag_processing.dagbag import DagBag
bag = DagBag()
print(bag.import_errors, sorted(bag.dags))
print(sorted(m for m in ("PIL", "sklearn", "numpy", "pandas", "aiobotocore", "moto") if m in sys.modules))
"""
    # Those that every project has, whatever its review backend.
    kinds = {file.stem for file in (ROOT / "dags").glob("*.py")} - {"project_files", "ask_people"}
    expected = sorted(f"digits_{kind}" for kind in kinds)
    assert run(code, tmp_path).splitlines()[-2:] == [f"{{}} {expected}", "[]"]


@pytest.mark.parametrize(
    ("present", "outcome", "note"),
    [
        (None, "It serves.", "It serves."),
        ("My run", "It serves.", "My run\n\nIt serves."),
        ("My run\n\nIt serves.", "It serves.", "My run\n\nIt serves."),
        (None, "x" * 2000, "x" * 1000),
        ("y" * 2000, "x" * 2000, "y" * 500 + "\n\n" + "x" * 498),
    ],
    ids=["alone", "below a person's note", "not twice", "too long", "both too long"],
)
def test_the_outcome_joins_the_runs_note(present: str | None, outcome: str, note: str) -> None:
    assert join_notes(present, outcome) == note
