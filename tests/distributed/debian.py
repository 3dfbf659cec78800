"""Finds the servers that Airflow needs beside itself, and installs Debian's where that is possible."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

PACKAGES = {"initdb": "postgresql", "postgres": "postgresql", "redis-server": "redis-server"}
"""The Debian package of each program."""
POSTGRES_PROGRAMS = Path("/usr/lib/postgresql")
"""Debian keeps what belongs to one version of Postgres off PATH, in ``<version>/bin``."""
_NETWORK_SECONDS = 180


class NotInstalledError(RuntimeError):
    """A program is missing and could not be installed; the text says why and the way out."""


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
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        raise NotInstalledError(f"No {', '.join(names)} on PATH. Install the packages: {wanted}.")
    try:
        _apt("install", *wanted.split())
    except NotInstalledError:
        # The lists of packages are missing in most images, and old ones name files that are gone.
        _apt("update")
        _apt("install", *wanted.split())


def _apt(command: str, *packages: str) -> None:
    # On run level 1 Debian starts no service of a package that it installs.
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}
    options = ["--no-install-recommends", "-y"] if packages else []
    line = ["apt-get", "-qq", command, *options, *packages]
    try:
        subprocess.run(line, env=environment, timeout=_NETWORK_SECONDS, check=True, capture_output=True, text=True)
    except subprocess.TimeoutExpired:
        raise NotInstalledError(f"'{' '.join(line)}' took longer than {_NETWORK_SECONDS} s. Run it by hand.") from None
    except subprocess.CalledProcessError as error:
        said = (error.stderr.strip() or error.stdout.strip() or "nothing").splitlines()[-1]
        raise NotInstalledError(f"'{' '.join(line)}' said {said!r}. Run it by hand.") from None
