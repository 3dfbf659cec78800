"""What the test on Celery is made of, each piece by itself: it runs without Celery, Postgres and Redis."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from include.demo.interrupts import Interrupts
from include.demo.processes import Processes, session_members
from include.demo.workspace import Workspace
from tests.conftest import ROOT
from tests.distributed import debian
from tests.distributed.debian import programs
from tests.distributed.killing import killing
from tests.distributed.members import WORKERS, Members, distributed_environment
from tests.distributed.names import MEMBER, member_name
from tests.distributed.servers import Place, Servers
from tests.kit.apt import NotInstalledError
from tests.kit.support import wait_until

SERVERS = Servers(Place(5432, "one"), Place(6379, "two"))


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only folder on PATH of a person who may install nothing, and whose Debian has no Postgres."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setattr(debian, "POSTGRES_PROGRAMS", tmp_path / "postgresql")
    return tmp_path


def program(path: Path, text: str = "") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


def test_the_newest_postgres_is_taken_when_none_is_on_the_path(path: Path) -> None:
    redis = program(path / "redis-server")
    for version in ("9.6", "15", "17"):
        for name in ("initdb", "postgres"):
            program(path / "postgresql" / version / "bin" / name)
    newest = path / "postgresql" / "17" / "bin"
    assert programs() == {"initdb": newest / "initdb", "postgres": newest / "postgres", "redis-server": redis}


def test_the_packages_are_named_when_somebody_may_not_install_them(path: Path) -> None:
    with pytest.raises(NotInstalledError, match=r"^No initdb, .* Install the packages: postgresql redis-server\.$"):
        programs()


def test_only_what_is_missing_is_installed_when_the_lists_of_packages_are_old(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    for name in ("initdb", "postgres"):
        program(path / name)
    said = path / "said"
    program(
        path / "apt-get",
        f"""echo "$@" >> {said}
case "$*" in
*update*) : > {path}/updated ;;
*) test -e {path}/updated || {{ echo 'E: Unable to locate package' >&2; exit 100; }}
   echo > {path}/redis-server; /bin/chmod +x {path}/redis-server ;;
esac""",
    )
    assert programs()["redis-server"] == path / "redis-server"
    install = "-qq install -y --no-install-recommends"
    download = f"{install} --download-only redis-server"
    assert said.read_text().splitlines() == [download, "-qq update", download, f"{install} redis-server"]


def test_every_member_has_the_same_database_and_broker_behind_passwords() -> None:
    environment = distributed_environment(SERVERS)
    database = "postgresql+psycopg2://airflow:one@127.0.0.1:5432/postgres"
    assert environment["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"] == database
    assert environment["AIRFLOW__CELERY__RESULT_BACKEND"] == f"db+{database}"
    assert environment["AIRFLOW__CELERY__BROKER_URL"] == "redis://:two@127.0.0.1:6379/0"


def test_a_member_works_under_its_own_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(MEMBER, "worker_1")
    assert member_name() == "worker_1"
    monkeypatch.delenv(MEMBER)
    assert member_name()


@pytest.fixture
def processes(tmp_path: Path) -> Processes:
    with (tmp_path / "lock").open("w") as lock:
        workspace = Workspace(tmp_path / "work", 1, lock)
    workspace.wipe()
    return Processes(workspace, Interrupts())


STUBBORN = "trap '' INT TERM; sleep 100 & wait; sleep 100"


def test_nothing_of_a_member_is_left_when_it_is_killed(processes: Processes) -> None:
    members = Members(SERVERS)
    child = processes.start(WORKERS[0], ["sh", "-c", STUBBORN], os.environ)
    members.children[WORKERS[0]] = child
    session = frozenset([child.process.pid])
    wait_for_children(child.process.pid)
    members.kill(WORKERS[0])
    assert session_members(session) == []
    assert WORKERS[0] not in members.children


@pytest.mark.parametrize(("hurry", "seconds"), [(False, 0.5), (True, 5)], ids=["one Ctrl-C", "two Ctrl-C"])
def test_programs_end_in_order_unless_somebody_is_in_a_hurry(
    processes: Processes, tmp_path: Path, hurry: bool, seconds: float
) -> None:
    ready, farewell = tmp_path / "ready", tmp_path / "farewell"
    orderly = f"trap 'sleep {seconds}; touch {farewell}; exit' INT; touch {ready}; while :; do sleep 0.1; done"
    child = processes.start("Orderly", ["sh", "-c", orderly], os.environ)
    wait_until(ready.exists)
    processes.interrupts.hurry = hurry
    processes.stop()
    assert farewell.exists() is not hurry
    assert session_members(frozenset([child.process.pid])) == []


def test_nothing_is_left_when_the_tests_are_killed_themselves(tmp_path: Path) -> None:
    tests = subprocess.Popen(
        [sys.executable, "-m", "tests.distributed.starter", tmp_path / "work"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert tests.stdout is not None
    session = frozenset([int(tests.stdout.readline())])
    assert session_members(session)
    tests.kill()
    tests.communicate()
    wait_until(lambda: not session_members(session))


def wait_for_children(pid: int) -> None:
    wait_until(lambda: bool(psutil.Process(pid).children()))


def test_a_victim_is_killed_once_while_the_body_runs() -> None:
    asked: list[int] = []
    killed: list[str] = []
    with killing(lambda: "it" if len(asked) > 2 else asked.append(1), killed.append):
        while not killed:
            time.sleep(0.01)
    assert killed == ["it"]


def test_the_body_counts_for_nothing_when_the_moment_did_not_come() -> None:
    with pytest.raises(AssertionError, match="the moment to kill did not come"), killing(lambda: None, print):
        pass
