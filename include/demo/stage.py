"""Setting the stage: the embedded AWS, Airflow, its settings, the bucket."""

from __future__ import annotations

import os
import sys
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from custom_labels.settings import Project
from include.demo.airflow_api import AirflowApi
from include.demo.airflow_process import start_airflow, wait_for_dag, wait_until_healthy
from include.demo.digits import SIDE, Digits, write_digits
from include.demo.errors import DemoError
from include.demo.local_cloud import LocalCloud
from include.demo.ports import free_port
from include.demo.processes import Child, Processes, log_tail
from include.demo.settings_file import apply_settings, read_settings_file, with_endpoint
from include.demo.view import View

LOCAL_AWS_SECONDS = 60.0
READY = "local AWS ready at "
SLOW_TRANSITIONS = ("project_create", "dataset_create", "training", "version_start", "version_stop")
SLOW_SECONDS = 3
"""How long what AWS takes minutes for lasts here: long enough to see a task wait without a worker."""


@dataclass(frozen=True)
class Stage:
    """Everything that runs, ready for the first round."""

    api: AirflowApi
    cloud: LocalCloud
    endpoint_url: str
    digits: Digits


def set_stage(root: Path, project: Project, dag_id: str, processes: Processes, view: View) -> Stage:
    """Start both servers, apply the settings, create the bucket and let the DAG run.

    :raises DemoError: one of them does not start; the message has the path of its log.
    """
    settings = read_settings_file(root / "airflow_settings.yaml")
    view.heading("Starting a real Airflow and an embedded AWS that really trains; no AWS account is needed or touched")
    local_aws = start_local_aws(processes)
    airflow, api = start_airflow(processes, root)
    digits = write_digits(processes.workspace.images)
    view.line(f"Images         {digits.count:,} handwritten digits as PNG, {SIDE} pixels a side")
    endpoint_url = wait_for_local_aws(local_aws)
    view.line(f"Embedded AWS   {endpoint_url}")
    cloud = LocalCloud(project, endpoint_url)
    cloud.set_up()
    began = time.monotonic()
    with view.waiting("Airflow starts, about 20 seconds") as status:
        wait_until_healthy(airflow, api, lambda what: status.update(f"Airflow starts: {what} ...") if status else None)
    view.line(f"Airflow        {api.base_url} (no login), ready after {time.monotonic() - began:.0f} s")
    changed = apply_settings(api, settings)
    connection = with_endpoint(settings, project.aws_conn_id, endpoint_url)
    api.update(connection.kind, connection.name, connection.body)
    view.line(f"Settings       {', '.join(counted(changed))} from airflow_settings.yaml")
    wait_for_dag(airflow, api, dag_id)
    api.unpause(dag_id)
    return Stage(api, cloud, endpoint_url, digits)


def counted(changed: Iterable[str]) -> list[str]:
    """Word how many objects of each kind there are, such as "1 pool" and "4 variables"."""
    counts = Counter(name.split("/")[0] for name in changed)
    return [f"{count} {kind if count > 1 else kind.removesuffix('s')}" for kind, count in counts.items()]


def start_local_aws(processes: Processes) -> Child:
    """Start the embedded AWS on its usual port or the next free one; returns at once."""
    port = free_port(processes.workspace.near(5555))
    durations = [f"--duration={name}={SLOW_SECONDS}" for name in SLOW_TRANSITIONS]
    command = [sys.executable, "-m", "include.local_aws", "--port", str(port), *durations]
    return processes.start("Embedded AWS", command, os.environ)


def wait_for_local_aws(child: Child) -> str:
    """Wait until the embedded AWS says that it is ready; returns its address.

    :raises DemoError: it ended, or is not ready in time.
    """
    deadline = time.monotonic() + LOCAL_AWS_SECONDS
    while time.monotonic() < deadline:
        child.check_alive()
        for line in child.log.read_text(errors="replace").splitlines():
            if line.startswith(READY):
                return line.removeprefix(READY).strip()
        time.sleep(0.2)
    raise DemoError(f"{child.name} was not ready within {LOCAL_AWS_SECONDS:.0f} seconds. {log_tail(child.log)}")
