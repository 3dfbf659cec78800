"""``airflow_settings.yaml``, applied through Airflow's REST API as the Astro CLI does it after a start."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from include.demo.airflow_api import AirflowApi
from include.demo.errors import DemoError

CONNECTION_FIELDS = {
    "conn_type": "conn_type",
    "conn_host": "host",
    "conn_schema": "schema",
    "conn_login": "login",
    "conn_password": "password",
    "conn_port": "port",
}
"""Field of the file -> field of the API."""


@dataclass(frozen=True)
class SettingsObject:
    """One pool, Variable or connection.

    :param kind: ``pools``, ``variables`` or ``connections``, as in the API's paths.
    :param body: as the API takes it.
    :param update_mask: the only fields to change where it exists already; all without it.
    """

    kind: str
    name: str
    body: Mapping[str, Any]
    update_mask: tuple[str, ...] = ()


def read_settings_file(path: Path) -> list[SettingsObject]:
    """Read the file; pools first, then Variables, then connections.

    As with the Astro CLI, entries without a name, pools without slots and Variables without a value are passed over.

    :raises DemoError: it is missing, is no YAML, or holds something else than settings.
    """
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    except FileNotFoundError:
        raise DemoError(f"{path} is missing: it holds the demo's connection, pool and Variables. Restore it.") from None
    except yaml.YAMLError as error:
        raise DemoError(f"{path} is no YAML: {error}. Correct the file.") from error
    airflow = content.get("airflow") if isinstance(content, dict) else None
    if not isinstance(airflow, dict):
        raise DemoError(f"{path} has no section 'airflow' with connections, pools and variables. Correct the file.")
    return [
        *_pools(airflow.get("pools") or []),
        *_variables(airflow.get("variables") or []),
        *_connections(airflow.get("connections") or []),
    ]


def apply_settings(api: AirflowApi, settings: list[SettingsObject]) -> dict[str, str]:
    """Create what is missing and change what is there; applying twice is the same as once.

    :return: for each object, as ``kind/name``, "created" or "updated".
    """
    return {
        f"{each.kind}/{each.name}": api.upsert(each.kind, each.name, each.body, each.update_mask) for each in settings
    }


def with_endpoint(settings: list[SettingsObject], conn_id: str, endpoint_url: str) -> SettingsObject:
    """Give the file's AWS connection with another endpoint, since the embedded AWS may not have got its usual port.

    :raises DemoError: the file has no such connection.
    """
    for each in settings:
        if each.kind == "connections" and each.name == conn_id:
            extra = {**json.loads(each.body.get("extra", "{}")), "endpoint_url": endpoint_url}
            return SettingsObject(each.kind, each.name, {**each.body, "extra": json.dumps(extra)})
    raise DemoError(f"airflow_settings.yaml has no connection '{conn_id}', which the demo's project uses. Add it.")


def _pools(entries: list[Mapping[str, Any]]) -> Iterator[SettingsObject]:
    for entry in entries:
        if name := entry.get("pool_name"):
            body = {
                "name": name,
                "slots": entry.get("pool_slot") or 0,
                "description": entry.get("pool_description") or "",
                "include_deferred": False,
            }
            # Airflow lets nothing else be changed in its own pool.
            mask = ("slots", "include_deferred") if name == "default_pool" else ()
            if body["slots"]:
                yield SettingsObject("pools", name, body, mask)


def _variables(entries: list[Mapping[str, Any]]) -> Iterator[SettingsObject]:
    for entry in entries:
        name, value = entry.get("variable_name"), entry.get("variable_value")
        if name and value is not None and value != "":
            text = value if isinstance(value, str) else json.dumps(value)
            yield SettingsObject("variables", name, {"key": name, "value": text})


def _connections(entries: list[Mapping[str, Any]]) -> Iterator[SettingsObject]:
    for entry in entries:
        if name := entry.get("conn_id"):
            body = {field: entry[key] for key, field in CONNECTION_FIELDS.items() if entry.get(key)}
            if extra := entry.get("conn_extra"):
                body["extra"] = extra if isinstance(extra, str) else json.dumps(extra)
            yield SettingsObject("connections", name, {"connection_id": name, **body})
