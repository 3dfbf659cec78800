"""Setting the stage: the embedded AWS and what a project needs there, Airflow and its settings, its DAGs."""

from __future__ import annotations

import os
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from custom_labels.core.settings import Project
from include.demo.airflow_api import AirflowApi
from include.demo.airflow_process import start_airflow, wait_for_dag, wait_until_healthy
from include.demo.aws_setup import set_up_aws
from include.demo.errors import DemoError
from include.demo.local_cloud import LocalCloud
from include.demo.material import Material
from include.demo.ports import free_port
from include.demo.processes import Child, Processes, log_tail
from include.demo.review_places import A2I, ReviewPlace
from include.demo.runs import Runs
from include.demo.settings_file import apply_settings, read_settings_file, with_endpoint
from include.demo.view import View

LOCAL_AWS_SECONDS = 300.0
READY = "local AWS ready at "
SLOW_TRANSITIONS = ("project_create", "dataset_create", "training", "version_start", "version_stop")
SLOW_SECONDS = 2
"""How long what AWS takes minutes for lasts here: long enough to see a task wait without a worker."""
DAGS = ("train", "detect", "harvest_reviews", "sample_for_audit", "cost_guard", "rollback", "scale")
"""What the loop needs, by the kinds of a project's DAGs; beside these there is "bootstrap"."""
CLOCKS = (
    "automatic_training_poll_frequency",
    "detection_poll_frequency",
    "harvest_poll_frequency",
    "automatic_human_sampling_frequency",
    "cost_guard_poll_frequency",
)
A_YEAR = "525600"
"""Minutes. With its clocks this slow whatever runs in the demo was triggered by a user or an event. They are set in the
environment, which is there when the DAGs are read first: a Variable set later would come after their first runs."""

StartAirflow = Callable[[Processes, Path, Mapping[str, str]], tuple[Child, AirflowApi]]


@dataclass(frozen=True)
class Stage:
    """Everything that runs.

    :param place: where people answer.
    :param dags: what is switched on, by the kinds of the project's DAGs.
    """

    api: AirflowApi
    cloud: LocalCloud
    endpoint_url: str
    place: ReviewPlace
    dags: tuple[str, ...]

    def switch_on(self, runs: Runs, view: View) -> None:
        """Run the bootstrap DAG, then let all DAGs run."""
        view.heading("Set up and checked by the bootstrap DAG")
        view.line(f"It makes what a project needs beyond that - {self.place.made} - and checks the rest.")
        self.api.unpause(f"{runs.project}_bootstrap")
        runs.trigger("bootstrap", "bootstrap", "The demo begins")
        for kind in self.dags:
            self.api.unpause(f"{runs.project}_{kind}")
        for kind in self.dags:
            due = (self.api.dag(f"{runs.project}_{kind}") or {}).get("next_dagrun_run_after")
            if due is not None and datetime.fromisoformat(due) <= datetime.now(UTC):
                # Its schedule comes first: it looks at a bucket that is still empty.
                runs.await_next(kind)
        names = ", ".join(f"{runs.project}_{kind}" for kind in self.dags)
        view.line(f"Switched on: {names}. Their clocks are set to a year: from here on only events trigger them.")


def set_stage(
    root: Path,
    project: Project,
    material: Material,
    processes: Processes,
    view: View,
    start: StartAirflow = start_airflow,
    place: ReviewPlace = A2I,
    dags: tuple[str, ...] = DAGS,
) -> Stage:
    """Start all servers, make what the project needs at AWS and apply the settings.

    :param start: starts an Airflow with Variables in its environment, and gives the program that serves its API.
    :param place: where people answer; the project's file names its backend.
    :param dags: what is to be switched on, by the kinds of the project's DAGs.
    :raises DemoError: one of them does not start; the message has the path of its log.
    """
    settings = read_settings_file(root / "airflow_settings.yaml")
    view.heading("Starting a real Airflow and an embedded AWS that really trains; no AWS account is needed or touched")
    local_aws, address = start_local_aws(processes)
    airflow, api = start(processes, root, {project.variable(clock): A_YEAR for clock in CLOCKS})
    view.line(f"Images         {material.write(processes.workspace.images)}")
    place.start(processes, address, view)
    endpoint_url = wait_for_local_aws(local_aws)
    view.line(f"Embedded AWS   {endpoint_url}")
    cloud = LocalCloud(project, endpoint_url)
    view.line(f"Made at AWS    {', '.join(set_up_aws(cloud))}")
    began = time.monotonic()
    with view.waiting("Airflow starts, about 20 seconds") as status:
        wait_until_healthy(airflow, api, lambda what: status.update(f"Airflow starts: {what} ...") if status else None)
    view.line(f"Airflow        {api.base_url} (no login), ready after {time.monotonic() - began:.0f} s")
    if connections := place.wait(view):
        apply_settings(api, connections)
        view.line(f"Connection     {', '.join(each.name for each in connections)}, as under Admin > Connections")
    changed = apply_settings(api, settings)
    connection = with_endpoint(settings, project.aws_conn_id, endpoint_url)
    api.update(connection.kind, connection.name, connection.body)
    view.line(f"Settings       {', '.join(counted(changed))} from airflow_settings.yaml")
    for kind in ("bootstrap", *dags):
        wait_for_dag(airflow, api, f"{project.name}_{kind}")
    return Stage(api, cloud, endpoint_url, place, dags)


def counted(changed: Iterable[str]) -> list[str]:
    """Word how many objects of each kind there are, such as "1 pool" and "4 variables"."""
    counts = Counter(name.split("/")[0] for name in changed)
    return [f"{count} {kind if count > 1 else kind.removesuffix('s')}" for kind, count in counts.items()]


def start_local_aws(processes: Processes) -> tuple[Child, str]:
    """Start the embedded AWS on its usual port or the next free one; returns at once, with the address it will have."""
    port = free_port(processes.workspace.near(5555))
    durations = [f"--duration={name}={SLOW_SECONDS}" for name in SLOW_TRANSITIONS]
    command = [sys.executable, "-m", "include.local_aws", "--port", str(port), *durations]
    return processes.start("Embedded AWS", command, os.environ), f"http://127.0.0.1:{port}"


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
