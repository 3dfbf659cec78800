"""What `make airflow-settings` writes is taken by Airflow's own CLI and REST API, and is all that projects name."""

from __future__ import annotations

import json
import os
import shlex
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import yaml
from fastapi.testclient import TestClient

from custom_labels.core.settings import PROJECTS_DIR_VARIABLE, load_project, load_projects
from custom_labels.errors import SettingError
from include.demo.settings_file import read_settings_file
from include.deployments.__main__ import main
from include.deployments.airflow_settings import SETTINGS_FILE, airflow_settings, rest_body
from tests.conftest import ROOT, airflow_environment
from tests.kit.database import provide_database

DIGITS_POOLS = {"custom_labels": 2, "custom_labels_detection": 2}
KINDS = ("pools", "connections", "variables")


@pytest.fixture
def printed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> list[str]:
    """The commands that are printed for digits."""
    assert main(["airflow-settings", "--to", str(tmp_path / "airflow")]) == 0
    return [line for line in capsys.readouterr().out.splitlines() if line.startswith("airflow ")]


def run_airflow(home: Path, *arguments: str) -> None:
    """Run Airflow's CLI with a home of its own, without any Variable of the environment."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW")}
    command = [sys.executable, "-m", "airflow", *arguments]
    environment = {**kept, **airflow_environment(home)}
    environment.pop("AIRFLOW_VAR_DIGITS__INSPECT_IMAGES")
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=200, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_airflows_cli_imports_the_files(
    printed: list[str], airflow_db: None, shared_folder: Path, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    home.mkdir()
    provide_database(shared_folder, home)

    for command in printed:
        run_airflow(home, *shlex.split(command)[1:])

    with closing(sqlite3.connect(home / "airflow.db")) as database:
        pools = dict(database.execute("SELECT pool, slots FROM slot_pool"))
        connections = dict(database.execute("SELECT conn_id, conn_type FROM connection"))
    assert DIGITS_POOLS.items() <= pools.items()
    assert connections["aws_default"] == "aws"
    variables = {
        each.name: each.body["value"] for each in read_settings_file(SETTINGS_FILE) if each.kind == "variables"
    }
    exported = tmp_path / "exported.json"
    run_airflow(home, "variables", "export", str(exported))
    assert {name: str(value) for name, value in json.loads(exported.read_text()).items()} == variables


@pytest.mark.xdist_group("ui")
def test_airflows_api_takes_the_bodies_twice(airflow_db: None) -> None:
    from airflow.api_fastapi.app import create_app, get_auth_manager, purge_cached_app
    from airflow.api_fastapi.auth.managers.simple.user import SimpleAuthManagerUser

    settings = airflow_settings(load_projects())
    purge_cached_app()
    with TestClient(create_app()) as client:
        user: Any = SimpleAuthManagerUser(username="anna", role="ADMIN")
        headers = {"Authorization": f"Bearer {get_auth_manager().generate_jwt(user)}"}
        try:
            for _ in range(2):
                for kind in KINDS:
                    answer = client.patch(f"/api/v2/{kind}", json=rest_body(kind, settings), headers=headers)
                    assert (answer.status_code, answer.json()["create"]["errors"]) == (200, []), answer.text
            found = client.get("/api/v2/pools", headers=headers).json()["pools"]
            assert DIGITS_POOLS.items() <= {each["name"]: each["slots"] for each in found}.items()
            kept = client.get("/api/v2/variables/digits__minimum_f1_score", headers=headers).json()
            assert kept["value"] == settings.variables["digits__minimum_f1_score"]
        finally:
            for name in settings.pools:
                client.delete(f"/api/v2/pools/{name}", headers=headers)
            for name in settings.connections:
                client.delete(f"/api/v2/connections/{name}", headers=headers)
            for name in settings.variables:
                client.delete(f"/api/v2/variables/{name}", headers=headers)
    purge_cached_app()


def test_astros_file_has_the_pools_that_the_project_file_needs() -> None:
    pools = airflow_settings([load_project("digits")]).pools

    assert [each.body for each in read_settings_file(SETTINGS_FILE) if each.kind == "pools"] == [
        {"name": name, **fields} for name, fields in pools.items()
    ]


def test_nothing_of_the_demos_connection_is_taken_along() -> None:
    assert airflow_settings([load_project("digits")]).connections == {"aws_default": {"conn_type": "aws"}}


def write(folder: Path, monkeypatch: pytest.MonkeyPatch, **files: str) -> None:
    folder.mkdir()
    for name, content in files.items():
        (folder / f"{name}.yaml").write_text(content)
    monkeypatch.setenv(PROJECTS_DIR_VARIABLE, str(folder))


def test_a_kind_of_which_nothing_is_needed_has_no_file_and_no_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "airflow"
    main(["airflow-settings", "--to", str(folder)])
    label_studio = "review: {backend: label_studio, title: 'Which shoe?', label_studio: {storage_conn_id: reader}}\n"
    write(tmp_path / "projects", monkeypatch, shoes=f"bucket: my-shoes\n{label_studio}")
    capsys.readouterr()

    assert main(["airflow-settings", "--to", str(folder)]) == 0

    printed = capsys.readouterr().out
    assert sorted(path.name for path in folder.rglob("*.json")) == ["connections.json", "connections.json"]
    assert "airflow pools import" not in printed
    assert "By hand, since they hold a secret: the connections label_studio_default, reader." in printed


def test_on_mwaa_each_kind_is_a_call_of_its_rest_api(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["airflow-settings", "--to", str(tmp_path / "a folder"), "--environment", "my-airflow"])

    calls = [shlex.split(line) for line in capsys.readouterr().out.splitlines() if line.startswith("aws mwaa")]
    assert [call[call.index("--path") + 1] for call in calls] == [f"/{kind}" for kind in KINDS]
    for call in calls:
        body = Path(call[call.index("--body") + 1].removeprefix("file://"))
        assert json.loads(body.read_text())["actions"][0]["action"] == "create"


@pytest.mark.parametrize(
    ("name", "value", "complaint"),
    [
        ("digits__minimum_f1", "0.6", "Variable 'digits__minimum_f1' in {file} names no setting"),
        ("digits__minimum_f1_score", "high", "Variable 'digits__minimum_f1_score' is 'high': expected a number"),
    ],
    ids=["no setting", "no value of it"],
)
def test_a_variable_that_a_run_would_refuse_is_refused(name: str, value: str, complaint: str, tmp_path: Path) -> None:
    file = tmp_path / "airflow_settings.yaml"
    file.write_text(yaml.safe_dump({"airflow": {"variables": [{"variable_name": name, "variable_value": value}]}}))

    with pytest.raises(SettingError) as raised:
        airflow_settings([load_project("digits")], file)

    assert complaint.format(file=file) in str(raised.value)


def test_without_astros_file_there_are_no_variables(tmp_path: Path) -> None:
    assert airflow_settings([load_project("digits")], tmp_path / "missing.yaml").variables == {}


def test_make_has_a_target_for_each_kind() -> None:
    makefile = (ROOT / "Makefile").read_text()

    for kind in ("mwaa", "airflow-settings"):
        assert f"\n{kind}: $(STAMP)" in makefile
        assert f"-m include.deployments {kind} $(ARGS)" in makefile
