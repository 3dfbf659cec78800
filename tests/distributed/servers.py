"""Postgres and Redis for one test: on ports of their own, on this machine only, behind passwords made for it."""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from include.demo.ports import free_port
from include.demo.processes import Child, Processes, log_tail
from tests.distributed.debian import programs

USER = "airflow"
UNPRIVILEGED = "nobody"
"""Who Postgres runs as where the tests run as root, which it refuses; every Debian has it."""
READY_SECONDS = 60.0
CONNECTIONS = 200


@dataclass(frozen=True)
class Place:
    """Where a server is to be found.

    :param password: made for this test.
    """

    port: int
    password: str

    @property
    def postgres(self) -> str:
        """Its address, if it is Postgres, without the part before ``://``."""
        return f"{USER}:{self.password}@127.0.0.1:{self.port}/postgres"

    @property
    def redis(self) -> str:
        """Its address, if it is Redis."""
        return f"redis://:{self.password}@127.0.0.1:{self.port}/0"


@dataclass(frozen=True)
class Servers:
    """Both, ready for connections."""

    postgres: Place
    redis: Place


def start_servers(processes: Processes) -> Servers:
    """Start both in the folder of ``processes``, which everybody may enter, and wait for them.

    :raises AssertionError: one is not ready in time.
    """
    paths = programs()
    near = processes.workspace.near
    postgres = Place(free_port(near(5432)), secrets.token_hex(16))
    redis = Place(free_port(near(6379)), secrets.token_hex(16))
    started = [
        (start_redis(processes, paths["redis-server"], redis), lambda: redis_answers(redis)),
        (start_postgres(processes, paths, postgres), lambda: postgres_answers(postgres)),
    ]
    for child, answers in started:
        _wait(child, answers)
    return Servers(postgres, redis)


def start_postgres(processes: Processes, paths: dict[str, Path], place: Place) -> Child:
    """Make an empty database and start its server."""
    data = processes.workspace.folder / "postgres"
    data.mkdir(mode=0o700)
    words = data / "password"
    words.touch(mode=0o600)
    words.write_text(place.password)
    user = as_unprivileged()
    if user:
        for path in (data, words):
            shutil.chown(path, UNPRIVILEGED)
    making: list[str | Path] = [
        *(paths["initdb"], "--no-sync", "--encoding=UTF8", "--locale=C", f"--username={USER}"),
        *("--auth=scram-sha-256", f"--pwfile={words}", data / "database"),
    ]
    subprocess.run([*user, *making], cwd=processes.workspace.folder, check=True, stdout=subprocess.DEVNULL)
    settings = {
        "listen_addresses": "127.0.0.1",
        "unix_socket_directories": "",
        "max_connections": str(CONNECTIONS),
        # Nothing has to outlive this machine.
        "fsync": "off",
        "synchronous_commit": "off",
    }
    options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
    serving: list[str | Path] = [*user, paths["postgres"], "-D", data / "database", "-p", str(place.port), *options]
    return processes.start("Postgres", serving, os.environ)


def start_redis(processes: Processes, program: Path, place: Place) -> Child:
    """Start Redis, which keeps everything in memory."""
    file = processes.workspace.folder / "redis.conf"
    file.touch(mode=0o600)
    file.write_text(
        f'bind 127.0.0.1\nport {place.port}\nrequirepass {place.password}\nsave ""\nappendonly no\n', encoding="utf-8"
    )
    return processes.start("Redis", [program, file], os.environ)


def as_unprivileged() -> list[str]:
    """Begin a command line that root may not run itself; empty for everybody else."""
    if os.geteuid() != 0:
        return []
    user = pwd.getpwnam(UNPRIVILEGED)
    return ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]


def postgres_answers(place: Place) -> bool:
    """Tell whether one can log in."""
    import psycopg2

    try:
        psycopg2.connect(f"postgresql://{place.postgres}").close()
    except psycopg2.OperationalError:
        return False
    return True


def redis_answers(place: Place) -> bool:
    """Tell whether one can log in."""
    import redis

    try:
        with redis.Redis.from_url(place.redis) as client:
            return bool(client.ping())
    except redis.ConnectionError:
        return False


def _wait(child: Child, answers: Callable[[], bool]) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while not answers():
        child.check_alive()
        assert time.monotonic() < deadline, f"{child.name} is not ready. {log_tail(child.log)}"
        time.sleep(0.1)
