"""Start the embedded AWS: `python -m include.local_aws`."""

from __future__ import annotations

import argparse
import json
import logging
import os
import sys

# Two trainings share two cores; more threads in each only get in each other's way. Must precede numpy.
for _library in ("OPENBLAS", "OMP", "MKL"):
    os.environ.setdefault(f"{_library}_NUM_THREADS", "1")

from include.local_aws.faults import Fault  # noqa: E402 - after the thread limits above
from include.local_aws.server import Options, serve  # noqa: E402
from include.local_aws.settings import (  # noqa: E402
    DEFAULT_DURATIONS,
    DEFAULT_QUOTAS,
    SettingError,
    Settings,
)


def main(arguments: list[str] | None = None) -> int:
    """Read the options, serve until told to stop, return the exit code."""
    parser = _parser()
    given = parser.parse_args(arguments)
    try:
        options = Options(
            port=given.port,
            seed=given.seed,
            durations={name: float(value) for name, value in map(_pair, given.duration)},
            quotas={name: int(value) for name, value in map(_pair, given.quota)},
            faults=[Fault.from_json(json.loads(text)) for text in given.fault],
            trainers=given.trainers,
            memory=given.memory,
            watch_stdin=given.watch_stdin,
        )
        Settings(options.durations, options.quotas)
    except (SettingError, ValueError) as error:
        parser.error(str(error))
    logging.basicConfig(
        stream=sys.stderr,
        level=logging.WARNING if given.quiet else logging.INFO,
        format="%(asctime)s %(message)s",
    )
    logging.getLogger("botocore").setLevel(logging.WARNING)
    return serve(options)


def _pair(text: str) -> tuple[str, str]:
    name, separator, value = text.partition("=")
    if not separator:
        raise SettingError(f"{text!r} is not NAME=VALUE.")
    return name, value


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m include.local_aws",
        description="An AWS endpoint on this machine: Rekognition Custom Labels with real training, and moto's "
        "services (S3, SQS, SNS, SSM, STS, ...), all on one port of 127.0.0.1. Point endpoint_url at it.",
        epilog=f"Durations (seconds): {_names(DEFAULT_DURATIONS)}. Quotas: {_names(DEFAULT_QUOTAS)}. "
        "The control endpoint under /_local_aws/ changes the same while it runs; see include/local_aws/README.md.",
    )
    parser.add_argument("--port", type=int, default=5555, help="port, 0 picks a free one (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="seed of trainings and faults (default: %(default)s)")
    parser.add_argument("--trainers", type=int, default=2, help="training processes (default: %(default)s)")
    parser.add_argument(
        "--memory",
        default="",
        metavar="FOLDER",
        help="keep fitted models there, so that the same images and seed are fitted once, however often trained",
    )
    parser.add_argument(
        "--duration", action="append", default=[], metavar="NAME=SECONDS", help="how long a transition lasts"
    )
    parser.add_argument("--quota", action="append", default=[], metavar="NAME=N", help="a quota of the service")
    parser.add_argument(
        "--fault",
        action="append",
        default=[],
        metavar="JSON",
        help='trouble, such as \'{"operation": "s3.*", "kind": "throttle", "share": 0.5}\'; '
        "kinds: throttle, error, lost_response, slow",
    )
    parser.add_argument("--quiet", action="store_true", help="log warnings only, not every call")
    parser.add_argument(
        "--watch-stdin", action="store_true", help="stop when stdin ends, so as not to outlive the starter"
    )
    return parser


def _names(defaults: dict[str, float] | dict[str, int]) -> str:
    return ", ".join(f"{name}={value}" for name, value in defaults.items())


if __name__ == "__main__":
    sys.exit(main())
