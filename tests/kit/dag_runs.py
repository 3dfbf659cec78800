"""Run a project's DAGs with ``dag.test()`` and say what became of it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from custom_labels.core.outcome import Outcome
from tests.kit.fast_clock import fast_clock
from tests.kit.support import BUCKET, s3

if TYPE_CHECKING:
    from include.local_aws.process import LocalAws

# Not from conftest, which makes another Airflow of the process that imports it: this is run in killed processes too.
ROOT = Path(__file__).resolve().parents[2]


class Variables:
    """Airflow Variables of the project, as environment variables, which beat the database."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, **values: Any) -> None:
        self.monkeypatch = monkeypatch
        self.set(**values)

    def set(self, **values: Any) -> None:
        """Set Variables by the names of their settings."""
        for name, value in values.items():
            self.monkeypatch.setenv(f"AIRFLOW_VAR_DIGITS__{name.upper()}", str(value))


@dataclass(frozen=True)
class Run:
    """A finished run: its state, its note, its tasks' states and its XComs by task."""

    state: str
    note: str | None
    tasks: dict[str, str]
    xcoms: dict[str, Any] = field(default_factory=dict)

    @property
    def ends(self) -> set[str]:
        """The outcome that the run recorded, or what it did after a failure."""
        names = {name for name in (*Outcome, "stop_challenger") if self.tasks.get(name) == "success"}
        return names | {str(end["outcome"]) for end in [self.xcoms.get("finish")] if end}

    @property
    def failed(self) -> set[str]:
        """The tasks that failed themselves."""
        return {name for name, state in self.tasks.items() if state == "failed"}


def train(conf: dict[str, Any] | None = None) -> Run:
    """Run the train DAG once, as a run triggered by hand."""
    return run_dag("train", conf)


def run_dag(kind: str, conf: dict[str, Any] | None = None, project: str = "digits") -> Run:
    """Run a project's DAG of a kind, from the file of that name, once, as a run triggered by hand."""
    from airflow.dag_processing.dagbag import DagBag
    from airflow.models.dagrun import DagRun
    from airflow.models.xcom import XComModel
    from airflow.utils.session import create_session
    from sqlalchemy import select

    bag = DagBag(dag_folder=str(ROOT / "dags" / f"{kind}.py"))
    assert bag.import_errors == {}
    dag = bag.get_dag(f"{project}_{kind}")
    with fast_clock(dag.dag_id):
        dag_run = dag.test(run_conf=conf or {})
    with create_session() as session:
        row = session.scalars(select(DagRun).where(DagRun.run_id == dag_run.run_id)).one()
        xcoms = session.scalars(
            select(XComModel).where(XComModel.run_id == row.run_id, XComModel.key == "return_value")
        )
        return Run(
            state=str(row.state),
            note=row.note,
            tasks={ti.task_id: str(ti.state) for ti in row.get_task_instances(session=session)},
            xcoms={xcom.task_id: XComModel.deserialize_value(xcom) for xcom in xcoms},
        )


def trigger_by_queue(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let runs be as those that a queue triggers, and nothing else."""
    # Not at the top: a process that answers by its standard output imports this module before it has Airflow log
    # elsewhere.
    from custom_labels.core.context import RunInfo

    of = RunInfo.of
    monkeypatch.setattr(RunInfo, "of", lambda context: replace(of(context), triggered_by_queue_only=True))


def record(aws: LocalAws, name: str) -> Any:
    """Read a record of the registry, ``None`` if there is none."""
    client = s3(aws)
    try:
        return json.loads(client.get_object(Bucket=BUCKET, Key=f"registry/{name}.json")["Body"].read())
    except client.exceptions.NoSuchKey:
        return None


def statuses(aws: LocalAws) -> dict[str, str]:
    """Give the status of every version of the project, by name."""
    from tests.kit.support import rekognition

    client = rekognition(aws)
    projects = client.describe_projects()["ProjectDescriptions"]
    return {
        version["ProjectVersionArn"].split("/")[3]: version["Status"]
        for project in projects
        for version in client.describe_project_versions(ProjectArn=project["ProjectArn"])["ProjectVersionDescriptions"]
    }
