"""The Dockerfile's image has an Airflow and a Python that the package runs on."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from packaging.specifiers import SpecifierSet

from tests.platforms.rows import HERE, ROOT, ROWS

FROM = re.compile(r"^FROM astrocrpublic\.azurecr\.io/runtime:(\S+)$")
PYTHONS = SpecifierSet(
    tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["requires-python"]
)
MINORS = ("3.10", "3.11", "3.12", "3.13", "3.14", "3.15")


def lines(path: Path) -> list[str]:
    return [line for line in path.read_text(encoding="utf-8").splitlines() if line and not line.startswith("#")]


def known() -> dict[str, tuple[str, str]]:
    """Give Airflow and Python by the tag of the Runtime."""
    cells = (line.split() for line in lines(HERE / "astro-runtime.txt"))
    return {tag: (airflow, python) for tag, airflow, python in cells}


def test_the_image_is_one_that_exists_with_versions_that_the_package_takes() -> None:
    """The image does everything else by itself, so that any other line would be done twice."""
    [line] = lines(ROOT / "Dockerfile")

    found = FROM.match(line)

    assert found, line
    airflow, python = known()[found[1]]
    assert python in PYTHONS
    assert airflow in {row.name.rpartition("-")[2][:3] for row in ROWS}


def test_make_refuses_the_pythons_that_the_project_refuses() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    low, high = (tuple(map(int, pair.split(","))) for pair in re.findall(r"\((3, \d+)\)", makefile)[:2])

    taken = [minor for minor in MINORS if low <= tuple(map(int, minor.split("."))) < high]

    assert taken == [minor for minor in MINORS if minor in PYTHONS]


def test_the_pins_are_for_a_python_that_the_project_takes() -> None:
    assert [row.name for row in ROWS if row.python and row.python not in PYTHONS] == []
