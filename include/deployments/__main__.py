"""Build what a platform takes, and print the commands that put it there: `python -m include.deployments mwaa`."""

from __future__ import annotations

import argparse
import os
import re
import sys
from pathlib import Path

from custom_labels.core.settings import Project
from custom_labels.errors import CustomLabelsError
from custom_labels.s3.names import why_no_bucket_name
from include.demo.errors import DemoError
from include.deployments.airflow_settings import airflow_settings, write_airflow_settings
from include.deployments.commands import (
    A_BUCKET,
    AN_ENVIRONMENT,
    import_commands,
    mwaa_commands,
    mwaa_import_commands,
)
from include.deployments.mwaa import build_mwaa
from include.deployments.projects import chosen_projects

_ENVIRONMENT = re.compile(r"[a-zA-Z][0-9a-zA-Z_-]{0,79}")
"""What Amazon MWAA allows as the name of an environment (its API reference)."""


def main(arguments: list[str] | None = None) -> int:
    """Build and print; give the exit code: 0 once it is built, 1 with an error."""
    given = _parser().parse_args(arguments)
    try:
        projects = chosen_projects(given.project)
        print(given.build(given, projects))  # noqa: T201
    except (CustomLabelsError, DemoError) as error:
        print(error, file=sys.stderr)  # noqa: T201
        return 1
    except OSError as error:
        print(f"--to is {given.to}, which cannot be written: {error}. Name another folder.", file=sys.stderr)  # noqa: T201
        return 1
    return 0


def _mwaa(given: argparse.Namespace, projects: list[Project]) -> str:
    written = build_mwaa(given.to, projects)
    states = [f"  {given.to / name}: {'written' if is_new else 'as it was'}" for name, is_new in written.items()]
    return "\n".join(
        [
            f"For Amazon MWAA, with {_names(projects)}:",
            *states,
            "",
            *mwaa_commands(given.to, given.bucket or A_BUCKET, given.environment or AN_ENVIRONMENT),
            "",
            "The last one takes half an hour, and is not needed where the first one uploaded nothing. Then the pools:",
            "",
            "make airflow-settings" + _arguments(given),
        ]
    )


def _airflow_settings(given: argparse.Namespace, projects: list[Project]) -> str:
    settings = airflow_settings(projects)
    files = write_airflow_settings(given.to, settings)
    lines = [f"The pools, connections and Variables of {_names(projects)}:", "", *import_commands(files)]
    if given.environment:
        lines = [*lines[:2], *mwaa_import_commands(given.to, files, given.environment)]
    else:
        lines += ["", 'On Amazon MWAA, which has no shell: make airflow-settings ARGS="--environment NAME"']
    if settings.by_hand:
        lines += ["", f"By hand, since they hold a secret: the connections {', '.join(settings.by_hand)}."]
    return "\n".join(lines)


def _names(projects: list[Project]) -> str:
    return f"project{'s' * (len(projects) > 1)} {', '.join(project.name for project in projects)}"


def _arguments(given: argparse.Namespace) -> str:
    options = [f"--project {name}" for name in given.project]
    return f' ARGS="{" ".join([*options, "--environment", given.environment or AN_ENVIRONMENT])}"'


def _bucket(text: str) -> str:
    if why := why_no_bucket_name(text):
        raise argparse.ArgumentTypeError(why)
    return text


def _environment(text: str) -> str:
    if not _ENVIRONMENT.fullmatch(text):
        raise argparse.ArgumentTypeError(
            f"it is {text!a}: expected a letter, then up to 79 letters, digits, dashes and underscores"
        )
    return text


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m include.deployments",
        description="Build what a platform takes, and print the commands that put it there.",
    )
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument(
        "--project", action="append", default=[], metavar="NAME", help="a project to take along (default: all)"
    )
    common.add_argument("--environment", type=_environment, help="name of the MWAA environment")
    kinds = parser.add_subparsers(required=True, metavar="KIND")
    mwaa = kinds.add_parser("mwaa", parents=[common], help="plugins.zip, requirements.txt, startup.sh and dags/")
    mwaa.add_argument("--bucket", type=_bucket, help="the environment's S3 bucket")
    mwaa.add_argument("--to", type=Path, default=Path("build/mwaa"), metavar="DIR", help="(default: %(default)s)")
    mwaa.set_defaults(build=_mwaa)
    settings = kinds.add_parser(
        "airflow-settings", parents=[common], help="pools, connections and Variables, for every platform"
    )
    settings.add_argument(
        "--to", type=Path, default=Path("build/airflow"), metavar="DIR", help="(default: %(default)s)"
    )
    settings.set_defaults(build=_airflow_settings)
    return parser


if __name__ == "__main__":
    os.environ.setdefault("AIRFLOW__LOGGING__LOGGING_LEVEL", "ERROR")
    sys.exit(main())
