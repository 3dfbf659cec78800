"""The environment of everything the demo starts: nothing of the user's own Airflow or AWS reaches it."""

from __future__ import annotations

import os
import secrets
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from include.demo.ports import free_port
from include.demo.workspace import Workspace

FOREIGN_PREFIXES = ("AIRFLOW_", "AWS_", "CUSTOM_LABELS_", "PYTHON", "_AIRFLOW_")
"""Variables that would change what the demo does; real credentials are among them."""


@dataclass(frozen=True)
class AirflowPorts:
    """The ports of one Airflow: its API and UI, and two servers that hand out logs of tasks and triggers."""

    api: int
    worker_logs: int
    trigger_logs: int

    @classmethod
    def find(cls, workspace: Workspace) -> AirflowPorts:
        """Take the usual ports where they are free."""
        worker_logs = free_port(workspace.near(8793))
        return cls(free_port(workspace.near(8080)), worker_logs, free_port(worker_logs + 1))


def clean_environment(given: Mapping[str, str], root: Path) -> dict[str, str]:
    """Give the environment that every process of the demo shares, the demo itself included.

    :param root: the project's folder, the root of its imports.
    """
    kept = {name: value for name, value in given.items() if not name.startswith(FOREIGN_PREFIXES)}
    loopback = "127.0.0.1,localhost"
    return {
        **kept,
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), kept.get("PATH", os.defpath)]),
        "PYTHONPATH": os.pathsep.join([str(root), str(root / "plugins")]),
        "PYTHONUNBUFFERED": "1",
        # A proxy cannot reach the servers on this machine.
        "NO_PROXY": ",".join(filter(None, [kept.get("NO_PROXY"), loopback])),
        "no_proxy": ",".join(filter(None, [kept.get("no_proxy"), loopback])),
        # No profile and no instance role: the only credentials are the dummy ones of the connection.
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
    }


def airflow_environment(root: Path, home: Path, ports: AirflowPorts, variables: Mapping[str, str]) -> dict[str, str]:
    """Give Airflow's configuration.

    :param home: Airflow's own folder, with its SQLite database.
    :param variables: Airflow Variables that beat those of the database.
    """
    settings = {
        "CORE__DAGS_FOLDER": root / "dags",
        "CORE__PLUGINS_FOLDER": root / "plugins",
        "CORE__LOAD_EXAMPLES": False,
        "CORE__DEFAULT_TIMEZONE": "utc",
        # Few task processes, each about 150 MB, are enough for DAGs that mostly run one after the other.
        "CORE__PARALLELISM": 4,
        # No login: the API listens on this machine only.
        "CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": True,
        "API__HOST": "127.0.0.1",
        "API__PORT": ports.api,
        "API__BASE_URL": f"http://127.0.0.1:{ports.api}",
        "API_AUTH__JWT_SECRET": secrets.token_hex(48),
        "LOGGING__WORKER_LOG_SERVER_PORT": ports.worker_logs,
        "LOGGING__TRIGGER_LOG_SERVER_PORT": ports.trigger_logs,
        "DAG_PROCESSOR__REFRESH_INTERVAL": 10,
        "SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": 0.3,
        # The first task may come while the API server still warms up; the default of 5 seconds would fail it.
        "WORKERS__EXECUTION_API_TIMEOUT": 30,
        # A worker may see the end of its task this many seconds late. With the default of 5 the model can be trained
        # and the task resumed before, which the scheduler takes for a task that was changed from outside.
        "WORKERS__MIN_HEARTBEAT_INTERVAL": 1,
        "OPERATORS__DEFAULT_DEFERRABLE": True,
    }
    return {
        "AIRFLOW_HOME": str(home),
        "NO_COLOR": "1",
        "SCARF_ANALYTICS": "false",
        **{f"AIRFLOW__{name}": str(value) for name, value in settings.items()},
        **{f"AIRFLOW_VAR_{name.upper()}": value for name, value in variables.items()},
    }
