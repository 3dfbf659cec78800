"""Start a Label Studio for this machine: `python -m include.label_studio`."""

from __future__ import annotations

import argparse
import signal
import sys
from pathlib import Path

from include.label_studio.server import LabelStudio, LabelStudioError


def main(arguments: list[str] | None = None) -> int:
    """Serve until told to stop; give the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m include.label_studio",
        description="A Label Studio on 127.0.0.1 that sends nothing to its makers, with one account.",
    )
    parser.add_argument("--port", type=int, default=0, help="port (default: a free one)")
    parser.add_argument("--folder", type=Path, help="data folder, which must be new (default: one that is deleted)")
    given = parser.parse_args(arguments)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with LabelStudio(given.folder, given.port) as server:
            print(_words(server), flush=True)  # noqa: T201 - what the command is for
            return server.wait()
    except LabelStudioError as error:
        print(error, file=sys.stderr)  # noqa: T201
        return 1
    except KeyboardInterrupt:
        return 0


def _words(server: LabelStudio) -> str:
    host, _, port = server.url.removeprefix("http://").partition(":")
    account = server.account
    connection = (
        f'{{"conn_type": "http", "schema": "http", "host": "{host}", "port": {port}, "password": "{account.token}"}}'
    )
    return (
        f"Label Studio is ready at {server.url}\n  e-mail:   {account.email}\n  password: {account.password}\n"
        f"For Airflow:\n  export AIRFLOW_CONN_LABEL_STUDIO_DEFAULT='{connection}'\nCtrl-C stops it."
    )


if __name__ == "__main__":
    sys.exit(main())
