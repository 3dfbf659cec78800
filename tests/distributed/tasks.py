"""The tasks of Airflow's runs: what each is at, and which part of Airflow does it."""

from __future__ import annotations

from dataclasses import dataclass

from include.demo.airflow_api import AirflowApi

FINAL = {"success", "failed"}


@dataclass(frozen=True)
class Task:
    """A task of a run, as Airflow describes it.

    :param member: the worker that did it, or did it last; empty for one that no worker has seen.
    :param tries: how often it was tried.
    """

    dag_id: str
    name: str
    state: str | None
    member: str
    tries: int


def tasks_of(api: AirflowApi, dag_id: str, run_id: str) -> list[Task]:
    """List the tasks of a run."""
    return [
        Task(dag_id, each["task_id"], each["state"], each["hostname"] or "", each["try_number"])
        for each in api.tasks(dag_id, run_id)
    ]


def at_work(api: AirflowApi, dag_id: str, name: str, state: str) -> Task | None:
    """Find the task of that name that is in that state, in a run that has not ended."""
    for run in api.runs(dag_id):
        if run["state"] == "running":
            for task in tasks_of(api, dag_id, run["dag_run_id"]):
                if (task.name, task.state) == (name, state):
                    return task
    return None


def run_states(api: AirflowApi, dag_ids: list[str]) -> dict[tuple[str, str], str]:
    """Give the state of every run, by DAG and run id."""
    return {(dag_id, run["dag_run_id"]): run["state"] for dag_id in dag_ids for run in api.runs(dag_id)}
