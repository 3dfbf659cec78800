"""Finds a Chromium for the tests of the worker portal, and installs Debian's where that is possible."""

from __future__ import annotations

import os
import shutil

from tests.kit import apt

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
    if not apt.can_install():
        raise NoChromiumError(f"No browser on PATH ({', '.join(NAMES)}). {HELP}.")
    with apt.one_at_a_time():
        # Another process may have installed it while this one waited.
        path = _on_path()
        if path is None:
            try:
                apt.install("chromium")
            except apt.NotInstalledError as error:
                raise NoChromiumError(f"{error} {HELP}.") from error
            path = _on_path()
    if path is None:
        raise NoChromiumError(f"apt-get installed chromium, but there is none on PATH. {HELP}.")
    return path
