"""``make test-platforms``: install each row's versions, run its tests there, and say how long it took."""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from xml.etree import ElementTree

from rich.console import Console
from rich.table import Table

from tests.platforms.rows import ROOT, ROWS, Row, interpreter

FOLDER = ROOT / ".venv-platforms"
UV = Path(sys.executable).parent / "uv"
SHOWN = ("apache-airflow", "apache-airflow-providers-amazon", "apache-airflow-providers-standard")
CONSOLE = Console(highlight=False, width=None if sys.stdout.isatty() else 130)
COLUMNS = ("passed", "skipped", "failed", "install s", "tests s")
COUNTED = ("tests", "skipped", "failures", "errors")
VERSIONS = (
    "import json, platform, importlib.metadata as m; "
    f"print(json.dumps([platform.python_version(), *(m.version(name) for name in {SHOWN!r})]))"
)


@dataclass(frozen=True)
class Result:
    """What became of one row: its versions, its tests, and how many seconds each step took."""

    row: str
    versions: tuple[str, ...]
    passed: int
    skipped: int
    failed: int
    installed_seconds: float
    tested_seconds: float
    exit_code: int


def main(arguments: list[str] | None = None) -> int:
    """Run the rows that are named, or all; give 0 where every one of them passed, else 1."""
    parser = argparse.ArgumentParser(prog="python -m tests.platforms", description=__doc__)
    parser.add_argument("rows", nargs="*", metavar="ROW", help=f"which of {', '.join(r.name for r in ROWS)}; else all")
    parser.add_argument("--fresh", action="store_true", help="install anew, with what the package index has today")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the table to a file, too")
    given = parser.parse_args(arguments)
    known = {row.name: row for row in ROWS}
    if unknown := [name for name in given.rows if name not in known]:
        parser.error(f"there is no row {', '.join(unknown)}: name some of {', '.join(known)}")
    results = [run(known[name], fresh=given.fresh) for name in given.rows or known]
    show(results)
    if given.json:
        given.json.write_text(json.dumps([asdict(each) for each in results], indent=2) + "\n")
    return int(any(each.exit_code for each in results))


def run(row: Row, *, fresh: bool) -> Result:
    """Install a row's versions where they are not there yet, and run its tests with them."""
    CONSOLE.print(f"\n[bold]{row.name}[/bold]: {row.what}")
    start = time.monotonic()
    python = install(row, fresh=fresh)
    installed = time.monotonic()
    report = FOLDER / f"{row.name}.xml"
    report.unlink(missing_ok=True)
    command = [str(python), "-m", "pytest", "-m", "not celery", "-n", "2", "--dist", "loadgroup", "--durations=5"]
    done = subprocess.run([*command, f"--junit-xml={report}", *row.tests], cwd=ROOT, env=environment(), check=False)
    tested = time.monotonic()
    counts = counted(report)
    failed = counts["failures"] + counts["errors"]
    return Result(
        row=row.name,
        versions=versions(python),
        passed=counts["tests"] - counts["skipped"] - failed,
        skipped=counts["skipped"],
        failed=failed,
        installed_seconds=round(installed - start, 1),
        tested_seconds=round(tested - installed, 1),
        exit_code=done.returncode,
    )


def install(row: Row, *, fresh: bool) -> Path:
    """Make the row's environment, unless it is there with the same inputs; give its Python."""
    folder = FOLDER / row.name
    base = interpreter(row.python)
    told = [base, *row.options(), *(path.read_text() for path in row.inputs())]
    digest, stamp = hashlib.sha256("\0".join(told).encode()).hexdigest(), folder / ".installed"
    python = folder / "bin" / "python"
    if not fresh and stamp.exists() and stamp.read_text() == digest:
        return python
    shutil.rmtree(folder, ignore_errors=True)
    subprocess.run([UV, "venv", "--quiet", "--python", base, folder], cwd=ROOT, check=True)
    command: list[str | Path] = [
        UV,
        "pip",
        "install",
        "--quiet",
        "--python",
        python,
        "--compile-bytecode",
        "--group",
        "dev",
    ]
    subprocess.run([*command, "-r", "requirements.txt", *row.options()], cwd=ROOT, check=True)
    stamp.write_text(digest)
    return python


def environment() -> dict[str, str]:
    """Give the tests an environment that names no other installation."""
    left_out = {"VIRTUAL_ENV", "AIRFLOW_HOME", "PYTHONHOME"}
    kept = {name: value for name, value in os.environ.items() if name not in left_out}
    return {**kept, "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'plugins'}"}


def versions(python: Path) -> tuple[str, ...]:
    """Ask an environment for its versions of Python and of what is shown."""
    done = subprocess.run([python, "-c", VERSIONS], capture_output=True, text=True, check=True)
    return tuple(json.loads(done.stdout))


def counted(report: Path) -> dict[str, int]:
    """Read pytest's own report; all zero where it wrote none, which its exit code says as well."""
    if not report.exists():
        return dict.fromkeys(COUNTED, 0)
    suites = list(ElementTree.parse(report).getroot().iter("testsuite"))
    return {name: sum(int(suite.get(name, 0)) for suite in suites) for name in COUNTED}


def show(results: list[Result]) -> None:
    """Print the table."""
    table = Table("row", "Python", "Airflow", "amazon", "standard", *COLUMNS)
    for each in results:
        numbers = (each.passed, each.skipped, each.failed, each.installed_seconds, each.tested_seconds)
        table.add_row(each.row, *each.versions, *map(str, numbers), style="red" if each.exit_code else "")
    CONSOLE.print(table)


if __name__ == "__main__":
    sys.exit(main())
