"""Finds a Chromium for the tests of the worker portal, and installs Debian's where that is possible."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
OPTIONS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
HELP = "Install chromium or Google Chrome, or name one in the environment variable CHROMIUM"
_NETWORK_SECONDS = 120
_DOWNLOAD = ("install", "-y", "--no-install-recommends", "--download-only", "chromium")
_INSTALL = ("install", "-y", "--no-install-recommends", "chromium")


class NoChromiumError(RuntimeError):
    """There is no browser and none could be installed; the text says why and the way out in one line."""


def chromium() -> str:
    """Return the path of a browser: what CHROMIUM names, else one on PATH, else Debian's, newly installed.

    :raises NoChromiumError: when there is none.
    :raises ValueError: when CHROMIUM names nothing that can be run.
    """
    named = os.environ.get("CHROMIUM")
    if named:
        path = shutil.which(named)
        if path is None:
            raise ValueError(
                f"The environment variable CHROMIUM is {named!r}: expected a program. Correct or unset it."
            )
        return path
    return _on_path() or _installed()


def _on_path() -> str | None:
    return next((path for name in NAMES if (path := shutil.which(name))), None)


def _installed() -> str:
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        raise NoChromiumError(f"No browser on PATH ({', '.join(NAMES)}). {HELP}.")
    with _one_at_a_time():
        # Another process may have installed it while this one waited.
        path = _on_path()
        if path is None:
            _install()
            path = _on_path()
    if path is None:
        raise NoChromiumError(f"apt-get installed chromium, but there is none on PATH. {HELP}.")
    return path


def _install() -> None:
    try:
        _apt(_DOWNLOAD, _NETWORK_SECONDS)
    except NoChromiumError:
        # The lists of packages are missing in most images, and old ones name files that are gone.
        _apt(("update",), _NETWORK_SECONDS)
        _apt(_DOWNLOAD, _NETWORK_SECONDS)
    # Without a limit: dpkg must not be killed halfway, and nothing is left to wait for.
    _apt(_INSTALL, None)


def _apt(arguments: Sequence[str], seconds: float | None) -> None:
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    command = ["apt-get", "-qq", *arguments]
    try:
        subprocess.run(command, env=environment, timeout=seconds, check=True, capture_output=True, text=True)
    except subprocess.TimeoutExpired:
        raise NoChromiumError(f"'{' '.join(command)}' took longer than {seconds} s. {HELP}.") from None
    except subprocess.CalledProcessError as error:
        said = (error.stderr.strip() or error.stdout.strip() or "nothing").splitlines()[-1]
        raise NoChromiumError(f"'{' '.join(command)}' said {said!r}. {HELP}.") from None


@contextmanager
def _one_at_a_time() -> Iterator[None]:
    with Path(__file__).open() as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
