"""Finds the servers that Airflow needs beside itself, and installs Debian's where that is possible."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from tests.kit import apt
from tests.kit.apt import NotInstalledError

PACKAGES = {"initdb": "postgresql", "postgres": "postgresql", "redis-server": "redis-server"}
"""The Debian package of each program."""
POSTGRES_PROGRAMS = Path("/usr/lib/postgresql")
"""Debian keeps what belongs to one version of Postgres off PATH, in ``<version>/bin``."""


def programs() -> dict[str, Path]:
    """Give the path of each program, newly installed where it was missing.

    :raises NotInstalledError: one is missing.
    """
    missing = [name for name in PACKAGES if _find(name) is None]
    if missing:
        _install(missing)
    found = {name: path for name in PACKAGES if (path := _find(name))}
    if missing := [name for name in PACKAGES if name not in found]:
        raise NotInstalledError(f"apt-get installed {_packages(missing)}, but {', '.join(missing)} is not there.")
    return found


def _find(name: str) -> Path | None:
    if path := shutil.which(name):
        return Path(path)
    versions = sorted(POSTGRES_PROGRAMS.glob(f"*/bin/{name}"), key=lambda path: float(path.parts[-3]), reverse=True)
    return next(iter(versions), None)


def _packages(names: Sequence[str]) -> str:
    return " ".join(dict.fromkeys(PACKAGES[name] for name in names))


def _install(names: Sequence[str]) -> None:
    wanted = _packages(names)
    if not apt.can_install():
        raise NotInstalledError(f"No {', '.join(names)} on PATH. Install the packages: {wanted}.")
    with apt.one_at_a_time():
        apt.install(*wanted.split())
