"""A real Airflow - scheduler, triggerer, workers, API - beside the embedded AWS: what no ``dag.test()`` can show."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from custom_labels.core.settings import PROJECTS_DIR_VARIABLE
from include.demo.airflow_api import AirflowApi
from include.demo.airflow_process import start_airflow, wait_for_dag, wait_until_healthy
from include.demo.environment import clean_environment
from include.demo.interrupts import Interrupts
from include.demo.processes import Processes
from include.demo.workspace import MAX_DEMOS, Workspace
from include.local_aws.process import LocalAws
from tests.conftest import FAST, ROOT, connection
from tests.kit.otel import Collector
from tests.kit.review_project import set_up_surroundings
from tests.kit.support import s3


@dataclass(frozen=True)
class Running:
    """An Airflow that runs, its AWS, and what takes its metrics."""

    api: AirflowApi
    aws: LocalAws
    metrics: Collector

    def set_variable(self, name: str, value: Any) -> None:
        """Change a setting as an operator does under Admin > Variables."""
        key = f"digits__{name}"
        self.api.upsert("variables", key, {"key": key, "value": str(value)})

    def next_run(self, dag_id: str) -> str:
        """Give when the DAG's next scheduled run is due."""
        return str((self.api.dag(dag_id) or {}).get("next_dagrun_run_after"))

    def runs(self, dag_id: str) -> list[dict[str, Any]]:
        """List the DAG's runs, the newest first."""
        return sorted(self.api.runs(dag_id), key=lambda run: str(run["run_after"]), reverse=True)

    def ended(self, dag_id: str, is_meant: Callable[[dict[str, Any]], bool], seconds: float = 150) -> dict[str, Any]:
        """Wait for a run that has ended and is the one meant."""
        found: dict[str, Any] = wait_for(
            lambda: next((r for r in self.runs(dag_id) if r["state"] in FINAL and is_meant(r)), None), seconds
        )
        return found


FINAL = {"success", "failed"}
WAIT_FOR_A_PERSON = {"awaiting_input", "deferred"}
"""States of a question; before Airflow 3.3 it waits in the triggerer."""
NUMBER = MAX_DEMOS + 1
ASKS_ITSELF = "desk"
"""The project beside digits whose reviews are asked on Airflow's own page."""


def wait_for(look: Callable[[], Any], seconds: float) -> Any:
    """Look until there is something."""
    deadline = time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < deadline, f"nothing within {seconds} s"
        time.sleep(0.5)
    return found


def write_projects(folder: Path, aws: LocalAws) -> None:
    """Write the files of digits, as shipped, and of a project whose reviews Airflow asks; make the bucket of that."""
    folder.mkdir()
    shutil.copy(ROOT / "include" / "projects" / "digits.yaml", folder)
    bucket = f"custom-labels-{ASKS_ITSELF}"
    (folder / f"{ASKS_ITSELF}.yaml").write_text(
        f"bucket: {bucket}\nregion_name: us-east-1\nreview: {{backend: airflow, title: 'What is this?'}}\n"
    )
    s3(aws).create_bucket(Bucket=bucket)


@pytest.fixture(scope="package")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """Start both, with an empty bucket and every DAG still paused."""
    root = tmp_path_factory.mktemp("running")
    # The number keeps its ports apart from those of a demo that starts at the same moment.
    workspace = Workspace(root / "airflow", NUMBER, (root / "lock").open("w"))
    workspace.wipe()
    processes = Processes(workspace, Interrupts())
    with (
        LocalAws(FAST, log=root / "local_aws.log") as aws,
        Collector() as metrics,
        pytest.MonkeyPatch.context() as patch,
    ):
        clean = clean_environment(os.environ, ROOT)
        for foreign in os.environ.keys() - clean.keys():
            patch.delenv(foreign)
        for name, value in {**clean, **metrics.environment}.items():
            patch.setenv(name, value)
        patch.setenv("AIRFLOW_CONN_AWS_DEFAULT", connection(aws.endpoint_url))
        set_up_surroundings(aws)
        write_projects(root / "projects", aws)
        patch.setenv(PROJECTS_DIR_VARIABLE, str(root / "projects"))
        try:
            airflow, api = start_airflow(processes, ROOT)
            wait_until_healthy(airflow, api, lambda _: None)
            wait_for_dag(airflow, api, "digits_train")
            for pool in ("custom_labels", "custom_labels_detection"):
                api.upsert("pools", pool, {"name": pool, "slots": 2})
            yield Running(api, aws, metrics)
        finally:
            processes.stop()
            workspace.lock.close()
