"""Starts a Label Studio with a fresh data folder, and stops it."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import secrets
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self
from urllib.error import URLError
from urllib.request import ProxyHandler, Request, build_opener

ROOT = Path(__file__).resolve().parents[2]
VENV = ROOT / ".venv-label-studio"
LOCK = ROOT / "requirements-label-studio.lock"
LAUNCHER = Path(__file__).with_name("launch.py")
DATABASE = "label_studio.sqlite3"
READY_SECONDS = 300.0
MIGRATION_SECONDS = 1_200.0
"""It takes 90 seconds of one processor."""
STOP_SECONDS = 10.0


class LabelStudioError(RuntimeError):
    """Label Studio is not installed, did not start, or ended by itself."""


@dataclass(frozen=True)
class Account:
    """The one account of a fresh data folder, which may do everything there."""

    email: str
    password: str = field(repr=False)
    token: str = field(repr=False)

    @classmethod
    def new(cls) -> Self:
        """Make up an account, with secrets that no other start has."""
        return cls("admin@localhost.local", secrets.token_urlsafe(12), secrets.token_hex(20))


class LabelStudio:
    """A Label Studio in a child process, which ends with this one whatever happens.

    :param folder: its data folder; without one, a folder that is deleted at the end.
    :param port: of the loopback address; 0 picks a free one.
    :param log: receives what it logs; ``None`` keeps it in the data folder.
    """

    def __init__(self, folder: Path | None = None, port: int = 0, log: IO[Any] | None = None) -> None:
        self._given = folder
        self._port = port
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None
        self.folder = folder or Path()
        self.url = ""
        self.account = Account.new()

    def start(self) -> str:
        """Start it with an account of its own; give its URL.

        :raises LabelStudioError: it is not installed, or does not answer in time.
        """
        database = initialised()
        self.folder = self._given or Path(tempfile.mkdtemp(prefix="custom-labels-label-studio-"))
        fill(self.folder, database)
        port = self._port or free_port()
        # It would move on to another port by itself, and be looked for where something else listens.
        if not is_free(port):
            raise LabelStudioError(f"Port {port} is taken on this machine. End what listens there, or name another.")
        self.url = f"http://127.0.0.1:{port}"
        log = self._log or (self.folder / "label_studio.log").open("ab")
        self._process = launch(self.folder, start_arguments(port), log, account=self.account)
        if log is not self._log:
            log.close()
        try:
            self._wait_until_ready(self._process)
        except BaseException:
            self.stop()
            raise
        return self.url

    @property
    def process_id(self) -> int:
        """The server's process id."""
        if self._process is None:
            raise LabelStudioError("Label Studio has not been started: call start() first.")
        return self._process.pid

    def stop(self) -> None:
        """Stop it; does nothing if it does not run."""
        process, self._process = self._process, None
        if process is None:
            return
        if process.stdin is not None:
            process.stdin.close()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if self._given is None:
            shutil.rmtree(self.folder, ignore_errors=True)

    def wait(self) -> int:
        """Wait until it ends by itself; give its exit code."""
        return self._process.wait() if self._process else 0

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _wait_until_ready(self, process: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + READY_SECONDS
        while process.poll() is None and time.monotonic() < deadline:
            if is_ready(self.url, self.account, self.folder):
                return
            time.sleep(0.2)
        code = process.poll()
        how = "is not ready in time" if code is None else f"ended by itself (exit code {code})"
        raise LabelStudioError(f"Label Studio {how}. {log_tail(self.folder / 'label_studio.log')}")


def installed() -> str:
    """Say why Label Studio cannot be started; nothing where it can."""
    return "" if (VENV / ".installed").exists() else f"Label Studio is not installed in {VENV}. Run: make label-studio"


def initialised() -> Path:
    """Give a database that is migrated and has no account yet: made once for the packages that the lock file names.

    :raises LabelStudioError: Label Studio is not installed, or cannot make its database.
    """
    if why := installed():
        raise LabelStudioError(why)
    name = hashlib.sha256(LOCK.read_bytes()).hexdigest()[:16]
    made = VENV / f"initialised-{name}.sqlite3"
    with (VENV / "initialised.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not made.exists():
            with tempfile.TemporaryDirectory(prefix="custom-labels-label-studio-", dir=VENV) as name:
                folder = Path(name)
                _migrate(folder)
                (folder / DATABASE).replace(made)
    return made


def fill(folder: Path, database: Path) -> None:
    """Make a data folder; one that has a database keeps it.

    :param database: as :func:`initialised` gives it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / DATABASE).exists():
        shutil.copyfile(database, folder / DATABASE)


def is_ready(url: str, account: Account, folder: Path) -> bool:
    """Tell whether it is healthy and knows its own account: so it is this one and none that was there before.

    :param folder: its data folder.
    :raises LabelStudioError: it is healthy, and does not know the account.
    """
    if get(f"{url}/health", {}).get("status") != "UP":
        return False
    found = get(f"{url}/api/current-user/whoami", {"Authorization": f"Token {account.token}"})
    if found.get("email") != account.email:
        raise LabelStudioError(
            f"{url} does not know {account.email} by its token: {found or 'no answer'}. The data folder {folder} is "
            "one of an earlier start: name another, or delete it."
        )
    return True


def _migrate(folder: Path) -> None:
    log = folder / "label_studio.log"
    with log.open("wb") as output:
        # This command migrates the database before it says what it is asked.
        process = launch(folder, ["version", "--log-level", "ERROR"], output)
    try:
        code = process.wait(MIGRATION_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        code = process.wait()
    finally:
        if process.stdin is not None:
            process.stdin.close()
    if code != 0 or not (folder / DATABASE).exists():
        raise LabelStudioError(f"Label Studio cannot make its database (exit code {code}). {log_tail(log)}")


def launch(folder: Path, arguments: list[str], log: IO[Any], account: Account | None = None) -> subprocess.Popen[bytes]:
    """Start Label Studio's command with nothing of this process's environment but where programs are."""
    return subprocess.Popen(  # noqa: S603 - our own script and arguments
        command(arguments),
        stdin=subprocess.PIPE,
        stdout=log,
        stderr=subprocess.STDOUT,
        cwd=folder,
        env=environment(folder, account),
        # Ctrl-C in the terminal is for the starter, which stops this server when it is done with it.
        start_new_session=True,
    )


def command(arguments: Sequence[str]) -> list[str]:
    """Give the command line of Label Studio, which ends when its standard input does."""
    return [str(VENV / "bin" / "python"), "-P", str(LAUNCHER), *arguments]


def start_arguments(port: int) -> list[str]:
    """Give the arguments that start its server on a port of the loopback address."""
    return ["start", "--no-browser", "--internal-host", "127.0.0.1", "--port", str(port), "--log-level", "ERROR"]


def environment(folder: Path, account: Account | None = None) -> dict[str, str]:
    """Give the whole environment of Label Studio: it reads its settings also from bare names such as HOST and PORT."""
    made = {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": str(folder),
        "LANG": "C.UTF-8",
        "LABEL_STUDIO_BASE_DATA_DIR": str(folder),
        "LABEL_STUDIO_ENABLE_LEGACY_API_TOKEN": "true",
        "LABEL_STUDIO_DISABLE_SIGNUP_WITHOUT_LINK": "true",
        # Nothing is sent to its makers.
        "COLLECT_ANALYTICS": "false",
        "LATEST_VERSION_CHECK": "false",
        "SENTRY_DSN": "",
        "FRONTEND_SENTRY_DSN": "",
        # The embedded AWS is on this machine, which is what this guard refuses.
        "LABEL_STUDIO_SSRF_PROTECTION_ENABLED": "false",
    }
    if account:
        made |= {
            "LABEL_STUDIO_USERNAME": account.email,
            "LABEL_STUDIO_PASSWORD": account.password,
            "LABEL_STUDIO_USER_TOKEN": account.token,
        }
    return made


def get(url: str, headers: dict[str, str]) -> dict[str, Any]:
    """Read a JSON object; an empty one where there is no such answer."""
    # A proxy of the environment must not stand between us and our own machine.
    opener = build_opener(ProxyHandler({}))
    try:
        with opener.open(Request(url, headers=headers), timeout=30) as answer:  # noqa: S310 - always http
            found = json.load(answer)
    except (URLError, OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def free_port() -> int:
    """Find a free port of the loopback address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def is_free(port: int) -> bool:
    """Tell whether a server could listen on a port of the loopback address."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def log_tail(log: Path, lines: int = 15) -> str:
    """Give the last lines of a log, to stand behind a sentence."""
    if not log.exists():
        return "It logged nothing."
    return "Its log ends:\n" + "\n".join(log.read_text(errors="replace").splitlines()[-lines:])
