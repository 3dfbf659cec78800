"""The versions of Airflow that the package is tried on, each in a virtual environment of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
LONGEST_START = 20
"""Seconds after which an interpreter that does not answer counts as none."""

LOOP = (
    "tests/platforms",
    "tests/contract",
    "tests/core/test_listener.py",
    "tests/dags/test_structure.py",
    "tests/dags/test_two_rounds.py",
    "tests/web/test_plugin.py",
)
"""All DAGs parsed, the contracts, the notes that versions write differently, and two rounds of the loop."""
QUESTIONS = ("tests/dags/test_approval.py", "tests/dags/test_ask_people.py")
"""A person is asked under ``dag.test()``, which cannot wait for an answer before Airflow 3.3."""
REAL_QUESTIONS = ("tests/running/test_waiting_for_a_person.py", "tests/running/test_answers_on_airflows_page.py")
"""The same in a real Airflow."""
REAL_AIRFLOW = "tests/running/test_events_trigger_dags.py"


@dataclass(frozen=True)
class Row:
    """One set of versions.

    :param pins: file of versions that hold for whatever is installed, or none.
    :param airflow: file that names Airflow's version where it is not the one of ``pyproject.toml``, or none.
    :param python: the Python that the platform runs; where this machine has none, the machine's own is taken.
    :param tests: files and folders that pytest runs.
    """

    name: str
    what: str
    pins: str | None = None
    airflow: str | None = None
    python: str | None = None
    tests: tuple[str, ...] = (*LOOP, *QUESTIONS)

    def inputs(self) -> Iterator[Path]:
        """Give the files that decide what is installed."""
        yield from (ROOT / "requirements.txt", ROOT / "pyproject.toml")
        yield from (HERE / name for name in (self.pins, self.airflow) if name)

    def options(self) -> list[str]:
        """Give what uv is told beside requirements and group."""
        told = [("--constraints", self.pins), ("--overrides", self.airflow)]
        return [word for option, name in told if name for word in (option, str(HERE / name))]


ROWS = (
    Row(
        "mwaa-3.2.1",
        "Amazon MWAA 3.2.1",
        pins="mwaa-3.2.1.txt",
        airflow="airflow-3.2.1.txt",
        python="3.12",
        tests=(*LOOP, *REAL_QUESTIONS),
    ),
    Row(
        "mwaa-3.3.1",
        "Amazon MWAA 3.3.1",
        pins="mwaa-3.3.1.txt",
        python="3.12",
        tests=(*LOOP, *QUESTIONS, REAL_AIRFLOW),
    ),
    Row("newest-3.3", "the newest Airflow 3.3", python="3.12"),
    Row("newest-3.4", "the newest Airflow 3.4, betas included", airflow="newest-3.4.txt", python="3.12"),
)


def interpreter(version: str | None) -> str:
    """Find a Python of a version on this machine; without one, give the one that runs this.

    :param version: such as ``3.12``.
    """
    if version is None:
        return sys.executable
    for each in _candidates(version):
        asked = [each, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"]
        try:
            done = subprocess.run(asked, capture_output=True, text=True, timeout=LONGEST_START, check=False)
        except (OSError, subprocess.TimeoutExpired):
            continue
        if done.stdout.strip() == version:
            return each
    return sys.executable


def _candidates(version: str) -> Iterator[str]:
    """Give what may be such a Python; a shim of pyenv's may stand for one that is not switched on."""
    if found := shutil.which(f"python{version}"):
        yield found
    pyenv = Path(os.environ.get("PYENV_ROOT", "~/.pyenv")).expanduser()
    yield from (str(path) for path in sorted(pyenv.glob(f"versions/{version}.*/bin/python"), reverse=True))
