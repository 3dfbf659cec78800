"""Serve the API on this machine, or build it: `python -m include.predict_api PROJECT` or `--build DIR`."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from include.predict_api.function.settings import INBOX_CHOICES, ApiSettings, number_within
from include.predict_api.gateway import Shape
from include.predict_api.package import build

INTERRUPTED = 130
READY = "Ready at "
_LONGEST_SECONDS = 3600


def main(arguments: list[str] | None = None) -> int:
    """Serve until Ctrl-C, or build; give the exit code: 0 once it is built, 1 with an error, 130 at Ctrl-C."""
    parser = _parser()
    given = parser.parse_args(arguments)
    if (given.project is None) == (given.build is None):
        parser.error("name either a PROJECT to serve, or --build DIR")
    try:
        return _build(given.build) if given.build else _serve(given)
    except KeyboardInterrupt:
        return INTERRUPTED


def _build(folder: Path) -> int:
    try:
        zip_file, template = build(folder)
    except OSError as error:
        print(f"--build is {folder}, which cannot be written: {error}. Name another folder.", file=sys.stderr)  # noqa: T201
        return 1
    print(f"{zip_file} holds the function, {template} names it (docs/predict_api.md).")  # noqa: T201
    return 0


def _serve(given: argparse.Namespace) -> int:
    from custom_labels.core.settings import load_project
    from custom_labels.errors import CustomLabelsError
    from include.predict_api.local import make_api
    from include.predict_api.server import HOST, PredictServer

    try:
        api = make_api(load_project(given.project), given.inbox, given.pointer_seconds)
    except CustomLabelsError as error:
        print(error, file=sys.stderr)  # noqa: T201
        return 1
    try:
        server = PredictServer(api.handle, given.port, Shape(given.events))
    except OSError as error:
        print(f"--port is {given.port}, at which {HOST} cannot be served: {error}. Name another.", file=sys.stderr)  # noqa: T201
        return 1
    with server:
        print(f"{READY}{server.url}", flush=True)  # noqa: T201
        server.serve_forever()
    return 0


def _seconds(text: str) -> float:
    value = number_within(text, _LONGEST_SECONDS)
    if value is None:
        raise argparse.ArgumentTypeError(f"it is {text!a}: expected a number of seconds from 0 to {_LONGEST_SECONDS}")
    return value


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"it is {text!a}: expected a port from 0, which is any free one, to 65535")
    return int(text)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m include.predict_api",
        description="Serve the predict API of a project on this machine, for callers on this machine; or build what "
        "Lambda runs.",
    )
    parser.add_argument("project", nargs="?", metavar="PROJECT", help="name of the project, as of its file")
    parser.add_argument("--build", type=Path, metavar="DIR", help="write the function's zip and its template to DIR")
    parser.add_argument("--port", type=_port, default=8090, help="port to serve at, 0 for a free one (default: 8090)")
    parser.add_argument(
        "--events",
        choices=[*Shape],
        default=Shape.REST,
        help="the kind of API whose events the function gets (default: %(default)s)",
    )
    parser.add_argument(
        "--inbox",
        choices=INBOX_CHOICES,
        default="none",
        help="which images are put into the inbox, so that people get them (default: %(default)s)",
    )
    parser.add_argument(
        "--pointer-seconds",
        type=_seconds,
        default=ApiSettings.pointer_seconds,
        metavar="S",
        help="how long to go on with what registry/live.json said (default: %(default)s)",
    )
    return parser


if __name__ == "__main__":
    os.environ.setdefault("AIRFLOW__LOGGING__LOGGING_LEVEL", "ERROR")
    sys.exit(main())
