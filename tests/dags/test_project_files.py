"""A wrong project file in a real Airflow: an import error in the UI, and all other projects have their DAGs."""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from airflow.dag_processing.dagbag import DagBag

from tests.conftest import HOME, ROOT, airflow_environment
from tests.kit.database import copy_database

SHIPPED = (ROOT / "include" / "projects" / "digits.yaml").read_text()
WRONG = {
    "birds.yaml": (b"bucket: birds\nsettings: {minimum_f1_score: 80%}", "'settings.minimum_f1_score' in", "'80%'"),
    "cats.yaml": (SHIPPED.encode(), "'bucket' and 'prefix' of cats.yaml are s3://custom-labels-digits/", "digits.yaml"),
    "dogs.yaml": (b"\xff", "dogs.yaml is not UTF-8", "Save it as UTF-8"),
    "eels.yml": (b"bucket: eels", "eels.yml is not read", "Rename it"),
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The project files as shipped, with wrong ones beside them."""
    (tmp_path / "digits.yaml").write_text(SHIPPED)
    for name, (content, *_) in WRONG.items():
        (tmp_path / name).write_bytes(content)
    monkeypatch.setenv("CUSTOM_LABELS_PROJECTS_DIR", str(tmp_path))
    return tmp_path


def test_a_wrong_file_is_an_import_error_and_the_other_projects_have_their_dags(folder: Path) -> None:
    bag = DagBag(dag_folder=str(ROOT / "dags"))

    assert [Path(file).name for file in bag.import_errors] == ["project_files.py"]
    (error,) = bag.import_errors.values()
    for _, *words in WRONG.values():
        assert all(word in error for word in words)
    kinds = {file.stem for file in (ROOT / "dags").glob("*.py")} - {"project_files", "ask_people"}
    assert {f"digits_{kind}" for kind in kinds} <= set(bag.dags)
    assert not {dag_id for dag_id in bag.dags if dag_id.startswith(("birds", "dogs", "eels"))}


def test_without_a_wrong_file_there_is_no_import_error() -> None:
    bag = DagBag(dag_folder=str(ROOT / "dags" / "project_files.py"))

    assert (bag.import_errors, bag.dags) == ({}, {})


@pytest.mark.matrix
@pytest.mark.slow
def test_airflow_lists_the_import_error(folder: Path, tmp_path: Path, airflow_db: None) -> None:
    home = tmp_path / "airflow"
    home.mkdir()

    def airflow(*arguments: str, ends_with: tuple[int, ...] = (0,)) -> str:
        environment = {**os.environ, **airflow_environment(home)}
        # As an operator's Airflow has it: all of the folder.
        del environment["AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST"]
        command = [sys.executable, "-m", "airflow", *arguments]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=240)
        assert done.returncode in ends_with, done.stderr
        return done.stdout

    copy_database(HOME / "airflow.db", home / "airflow.db")
    airflow("dag-processor", "--num-runs", "1")
    # It ends with 1 where there are any.
    errors = rows(airflow("dags", "list-import-errors", "--output", "json", ends_with=(1,)))

    assert [Path(row["filepath"]).name for row in errors] == ["project_files.py"]
    assert all(words[0] in errors[0]["error"] for _, *words in WRONG.values())
    with contextlib.closing(sqlite3.connect(home / "airflow.db")) as database:
        active = {dag_id for (dag_id,) in database.execute("select dag_id from dag where not has_import_errors")}
    assert {"digits_cost_guard", "digits_rollback", "digits_train"} <= active


def rows(output: str) -> list[dict[str, Any]]:
    """Take the table out of what a command wrote, which may log before it."""
    return list(json.loads(next(line for line in reversed(output.splitlines()) if line.startswith("["))))
