"""The Astro image: what can be checked of it without Docker."""

from __future__ import annotations

import fnmatch
import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
PINNED = re.compile(r"^(?P<name>[A-Za-z0-9._-]+)(\[[^]]*\])?==(?P<version>[^ ;\\]+)")


def _lines(name: str) -> list[str]:
    lines = (line.split("#")[0].strip() for line in (ROOT / name).read_text().splitlines())
    return [line for line in lines if line]


@pytest.fixture(scope="module")
def locked() -> dict[str, list[str]]:
    versions: dict[str, list[str]] = {}
    for line in _lines("requirements.lock"):
        if pin := PINNED.match(line):
            versions.setdefault(canonicalize_name(pin["name"]), []).append(pin["version"])
    return versions


RUNTIME = re.compile(r"FROM astrocrpublic\.azurecr\.io/runtime:3\.3-\d+-python-(?P<python>3\.\d+)")
MWAA_PYTHON = "3.12"


def test_image_is_one_pinned_runtime_of_airflow_3_3() -> None:
    assert len(_lines("Dockerfile")) == 1
    assert RUNTIME.fullmatch(_lines("Dockerfile")[0])


def test_the_package_allows_the_python_of_every_platform() -> None:
    runtime = RUNTIME.fullmatch(_lines("Dockerfile")[0])
    allowed = SpecifierSet(tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["requires-python"])
    assert runtime
    assert [python for python in (runtime["python"], MWAA_PYTHON) if python not in allowed] == []


def test_make_refuses_the_pythons_that_the_package_does_not_allow() -> None:
    allowed = SpecifierSet(tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["requires-python"])
    bounds = re.search(r"\((\d+), (\d+)\) <= v < \((\d+), (\d+)\)", (ROOT / "Makefile").read_text())
    assert bounds
    assert allowed == SpecifierSet(f">={bounds[1]}.{bounds[2]},<{bounds[3]}.{bounds[4]}")


def test_image_requirements_do_not_name_airflow_itself() -> None:
    assert "apache-airflow" not in {canonicalize_name(Requirement(line).name) for line in _lines("requirements.txt")}


@pytest.mark.parametrize("line", _lines("requirements.txt"))
def test_lock_satisfies_what_the_image_asks_for(line: str, locked: dict[str, list[str]]) -> None:
    requirement = Requirement(line)
    versions = locked[canonicalize_name(requirement.name)]
    assert versions
    assert all(requirement.specifier.contains(version) for version in versions)


@pytest.mark.parametrize(
    ("path", "gets"),
    [
        *((path, True) for path in ("dags/train.py", "plugins/custom_labels/core/settings.py")),
        *((path, True) for path in ("include/projects/digits.yaml", "requirements.txt", "packages.txt")),
        *((path, False) for path in (".env", "airflow_settings.yaml", ".git/config", ".venv/bin/python")),
        *((path, False) for path in (".demo/report.json", "airflow.db-wal", "dags/__pycache__/train.pyc")),
    ],
)
def test_image_gets_what_runs_and_nothing_of_the_machine(path: str, gets: bool) -> None:
    parts = [path, *map(str, Path(path).parents)]
    # In Docker's patterns two asterisks are any folders, or none.
    patterns = [fnmatch.translate(line.replace("**/", "*")) for line in _lines(".dockerignore")]

    assert gets is not any(re.match(pattern, part) for pattern in patterns for part in parts)
