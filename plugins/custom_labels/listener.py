"""The listener that puts a run's outcome on the run itself, as the note that the DAG's grid shows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow.listeners import hookimpl

if TYPE_CHECKING:
    from airflow.models.dagrun import DagRun

NOTE_KEY = "custom_labels_note"
"""XCom key under which a task of ours leaves the run's outcome in words."""


@hookimpl
def on_dag_run_success(dag_run: DagRun, msg: str) -> None:  # noqa: ARG001
    """Note the outcome of a run that ended well."""
    put_note(dag_run)


@hookimpl
def on_dag_run_failed(dag_run: DagRun, msg: str) -> None:  # noqa: ARG001
    """Note what made a run fail."""
    put_note(dag_run)


def put_note(dag_run: DagRun) -> None:
    """Copy the newest outcome that a task of the run left to the run's note; tasks have no other way to write one."""
    from airflow.models.xcom import XComModel
    from sqlalchemy import select
    from sqlalchemy.orm import object_session

    session = object_session(dag_run)
    if session is None:
        return
    newest = session.scalar(
        select(XComModel)
        .where(XComModel.dag_run_id == dag_run.id, XComModel.key == NOTE_KEY)
        .order_by(XComModel.timestamp.desc())
        .limit(1)
    )
    if newest is not None:
        dag_run.note = XComModel.deserialize_value(newest)
