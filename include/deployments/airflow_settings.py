"""Write the pools, the connections and the Variables that projects need, as files that Airflow's CLI and API take."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from custom_labels.core.pools import needed_pools
from custom_labels.core.settings import Project, Settings, read_settings
from custom_labels.errors import SettingError
from include.demo.settings_file import read_settings_file
from include.deployments.files import write_if_changed

ROOT = Path(__file__).resolve().parents[2]
SETTINGS_FILE = ROOT / "airflow_settings.yaml"
"""Astro's file, where a project's Variables may be kept in the repository."""

Fields: TypeAlias = dict[str, "str | int | bool"]


@dataclass(frozen=True)
class AirflowSettings:
    """What projects need in Airflow's database, each by its name.

    :param pools: those that project files name, with the slots that they need.
    :param connections: those of type aws, without anything in them: Airflow's own role is used.
    :param variables: the projects' Variables of airflow_settings.yaml.
    :param by_hand: connections that hold a token or a key, which stands in no file.
    """

    pools: Mapping[str, Fields]
    connections: Mapping[str, Fields]
    variables: Mapping[str, str]
    by_hand: tuple[str, ...]


def airflow_settings(projects: Iterable[Project], settings_file: Path = SETTINGS_FILE) -> AirflowSettings:
    """Say what some projects need.

    :param settings_file: may be missing.
    :raises SettingError: one of its Variables names no setting, or holds a value that is not allowed.
    :raises DemoError: it is no YAML, or holds something else.
    """
    projects = list(projects)
    pools = needed_pools(projects).values()
    return AirflowSettings(
        {
            each.name: {"slots": each.slots, "description": each.description, "include_deferred": False}
            for each in pools
        },
        {name: {"conn_type": "aws"} for name in sorted({project.aws_conn_id for project in projects})},
        _variables(projects, settings_file),
        tuple(sorted({name for project in projects for name in _with_secrets(project)})),
    )


def write_airflow_settings(folder: Path, settings: AirflowSettings) -> list[Path]:
    """Write ``pools.json``, ``connections.json`` and ``variables.json`` for the CLI, and below ``rest/`` for the API.

    What is needed of a kind is written, and a file of an earlier time with none of it is taken away.

    :return: the files for the CLI, in the order in which to import them.
    """
    kinds: dict[str, Mapping[str, object]] = {
        "pools": settings.pools,
        "connections": settings.connections,
        "variables": settings.variables,
    }
    for kind, content in kinds.items():
        for path, body in ((cli_file(folder, kind), content), (rest_file(folder, kind), rest_body(kind, settings))):
            if content:
                write_if_changed(path, (json.dumps(body, indent=2) + "\n").encode())
            else:
                path.unlink(missing_ok=True)
    return [cli_file(folder, kind) for kind, content in kinds.items() if content]


def cli_file(folder: Path, kind: str) -> Path:
    """Give the file that ``airflow <kind> import`` takes."""
    return folder / f"{kind}.json"


def rest_file(folder: Path, kind: str) -> Path:
    """Give the file with the body of ``PATCH /api/v2/<kind>``."""
    return folder / "rest" / f"{kind}.json"


def rest_body(kind: str, settings: AirflowSettings) -> dict[str, object]:
    """Word the request that adds all of a kind at once; of what is there already only pools are changed."""
    entities: dict[str, list[Mapping[str, object]]] = {
        "pools": [{"name": name, **fields} for name, fields in settings.pools.items()],
        "connections": [{"connection_id": name, **fields} for name, fields in settings.connections.items()],
        "variables": [{"key": key, "value": value} for key, value in settings.variables.items()],
    }
    existing = "overwrite" if kind == "pools" else "skip"
    return {"actions": [{"action": "create", "action_on_existence": existing, "entities": entities[kind]}]}


def _variables(projects: Iterable[Project], settings_file: Path) -> dict[str, str]:
    if not settings_file.exists():
        return {}
    every = {
        each.name: str(each.body["value"]) for each in read_settings_file(settings_file) if each.kind == "variables"
    }
    found = {}
    for project in projects:
        own = {key: value for key, value in every.items() if key.rpartition("__")[0] == project.name}
        if unknown := sorted(key for key in own if key.rpartition("__")[2] not in Settings.model_fields):
            raise SettingError(
                f"Variable '{unknown[0]}' in {settings_file} names no setting of the package. Correct the file by the "
                "list in docs/settings.md."
            )
        read_settings(project, own.get)
        found.update(own)
    return found


def _with_secrets(project: Project) -> list[str]:
    """Name the connections of the review backend: a token, or a key that images are read with."""
    part = project.review.part.model_dump() if project.review else {}
    return [str(value) for field, value in part.items() if field.endswith("conn_id") and value]
