"""The commands that bring what was built to where Airflow runs, to be pasted into a shell."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path

from include.deployments.airflow_settings import rest_file
from include.deployments.mwaa import DAGS, PLUGINS, REQUIREMENTS, STARTUP

A_BUCKET, AN_ENVIRONMENT = "BUCKET", "ENVIRONMENT"
"""What stands for a name that was not given."""
IMPORTS = {
    "pools": "airflow pools import",
    "connections": "airflow connections import",
    "variables": "airflow variables import --action-on-existing-key skip",
}
"""The command that imports a file of each kind; but for pools, what is there already stays as it is."""
_UPDATED = ((PLUGINS, "plugins-s3"), (REQUIREMENTS, "requirements-s3"), (STARTUP, "startup-script-s3"))


def mwaa_commands(folder: Path, bucket: str, environment: str) -> list[str]:
    """Give the commands that upload what is new, and let the environment take it.

    :param bucket: the environment's, in which S3 keeps versions, as MWAA demands.
    """
    names = " ".join(f"--include {name}" for name, _ in _UPDATED)
    paths = " \\\n  ".join(
        f'--{option}-path {name} --{option}-object-version "$(version {name})"' for name, option in _UPDATED
    )
    where = f"s3://{bucket}"
    return [
        f"aws s3 sync {_quoted(folder)} {where} --exclude '*' {names}",
        f"aws s3 sync {_quoted(folder / 'dags' / DAGS)} {where}/dags/{DAGS} --delete",
        f'version() {{ aws s3api head-object --bucket {bucket} --key "$1" --query VersionId --output text; }}',
        f"aws mwaa update-environment --name {environment} \\\n  {paths}",
    ]


def import_commands(files: Sequence[Path]) -> list[str]:
    """Give the commands of Airflow's CLI that import what :func:`write_airflow_settings` wrote."""
    return [f"{IMPORTS[file.stem]} {_quoted(file)}" for file in files]


def mwaa_import_commands(folder: Path, files: Sequence[Path], environment: str) -> list[str]:
    """Give the same for Amazon MWAA, whose machines have no shell for a user: by Airflow's REST API."""
    return [
        f"aws mwaa invoke-rest-api --name {environment} --method PATCH --path /{file.stem} "
        f"--body file://{_quoted(rest_file(folder, file.stem))}"
        for file in files
    ]


def _quoted(path: Path) -> str:
    return shlex.quote(path.as_posix())
