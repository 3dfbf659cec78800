"""Installs Debian's packages that a test needs and the machine lacks, where that is possible."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_NETWORK_SECONDS = 180
_INSTALL = ("install", "-y", "--no-install-recommends")


class NotInstalledError(RuntimeError):
    """Something is missing and could not be installed; the text says why in one line."""


def can_install() -> bool:
    """Whether this user may install packages on this machine at all."""
    return os.geteuid() == 0 and shutil.which("apt-get") is not None


def install(*packages: str) -> None:
    """Install packages; one that is there already costs a moment.

    :raises NotInstalledError: apt-get refuses, in its own words.
    """
    download = (*_INSTALL, "--download-only", *packages)
    try:
        _apt(download, _NETWORK_SECONDS)
    except NotInstalledError:
        # The lists of packages are missing in most images, and old ones name files that are gone.
        _apt(("update",), _NETWORK_SECONDS)
        _apt(download, _NETWORK_SECONDS)
    # Without a limit: dpkg must not be killed halfway, and nothing is left to wait for.
    _apt((*_INSTALL, *packages), None)


@contextmanager
def one_at_a_time() -> Iterator[None]:
    """Keep the other processes of the tests from installing at the same time."""
    with Path(__file__).open() as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _apt(arguments: tuple[str, ...], seconds: float | None) -> None:
    # On run level 1 Debian starts no service of a package that it installs.
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}
    command = ["apt-get", "-qq", *arguments]
    try:
        subprocess.run(command, env=environment, timeout=seconds, check=True, capture_output=True, text=True)
    except subprocess.TimeoutExpired:
        raise NotInstalledError(f"'{' '.join(command)}' took longer than {seconds} s.") from None
    except subprocess.CalledProcessError as error:
        said = (error.stderr.strip() or error.stdout.strip() or "nothing").splitlines()[-1]
        raise NotInstalledError(f"'{' '.join(command)}' said {said!r}.") from None
