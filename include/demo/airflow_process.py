"""A real Airflow for the demo: `airflow standalone` with a folder and ports of its own."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from include.demo.airflow_api import AirflowApi, Json
from include.demo.environment import AirflowPorts, airflow_environment
from include.demo.errors import DemoError
from include.demo.processes import Child, Processes, log_tail

READY_SECONDS = 600.0
"""A start takes 12 to 35 seconds, and up to two minutes on a loaded machine without compiled byte code."""
DAG_SECONDS = 300.0
COMPONENTS = ("metadatabase", "scheduler", "triggerer", "dag_processor")


def start_airflow(
    processes: Processes, root: Path, variables: Mapping[str, str] | None = None
) -> tuple[Child, AirflowApi]:
    """Start Airflow; returns at once.

    :param variables: Airflow Variables that beat those of its database.

    :raises DemoError: it is not installed beside this Python.
    """
    program = Path(sys.executable).parent / "airflow"
    if not program.exists():
        raise DemoError(f"{program} is missing: Airflow is not installed beside {sys.executable}. Run: make install")
    ports = AirflowPorts.find(processes.workspace)
    home = processes.workspace.airflow_home
    home.mkdir()
    child = processes.start(
        "Airflow", [program, "standalone"], {**os.environ, **airflow_environment(root, home, ports, variables or {})}
    )
    return child, AirflowApi(f"http://127.0.0.1:{ports.api}")


def wait_until_healthy(child: Child, api: AirflowApi, tell: Callable[[str], None]) -> None:
    """Wait until every component says that it works.

    :param tell: is told what is waited for.
    :raises DemoError: Airflow ended, or is not healthy in time.
    """
    deadline = time.monotonic() + READY_SECONDS
    missing = list(COMPONENTS)
    while time.monotonic() < deadline:
        child.check_alive()
        health = api.health()
        missing = [name for name in COMPONENTS if health.get(name) != "healthy"]
        if not missing:
            return
        tell("its database and API" if "metadatabase" in missing else ", ".join(missing).replace("_", " "))
        time.sleep(0.5)
    raise DemoError(
        f"Airflow did not get healthy within {READY_SECONDS:.0f} seconds: {', '.join(missing)} not ready. "
        f"{log_tail(child.log)}"
    )


def wait_for_dag(child: Child, api: AirflowApi, dag_id: str) -> Json:
    """Wait until Airflow has read the DAG.

    :raises DemoError: it cannot be read (with Airflow's own words), or does not appear in time.
    """
    deadline = time.monotonic() + DAG_SECONDS
    while time.monotonic() < deadline:
        child.check_alive()
        if dag := api.dag(dag_id):
            return dag
        if errors := api.import_errors():
            raise DemoError(
                "Airflow cannot read a DAG file. Correct it and start the demo again.\n"
                + "\n".join(f"{each['filename']}:\n{each['stack_trace']}" for each in errors)
            )
        time.sleep(0.5)
    raise DemoError(f"The DAG '{dag_id}' did not appear within {DAG_SECONDS:.0f} seconds. {log_tail(child.log)}")
