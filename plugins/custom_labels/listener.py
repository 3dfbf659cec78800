"""The listener that puts a run's outcome on the run itself, as the note that the DAG's grid shows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow.listeners import hookimpl

if TYPE_CHECKING:
    from airflow.models.dagrun import DagRun
    from sqlalchemy.orm import Session

NOTE_KEY = "custom_labels_note"
"""XCom key under which a task of ours leaves the run's outcome in words."""
MAX_NOTE = 1000
"""Characters that Airflow's table of notes takes; more would fail the scheduler's own commit on Postgres."""


@hookimpl
def on_dag_run_success(dag_run: DagRun, msg: str) -> None:  # noqa: ARG001
    """Note the outcome of a run that ended well."""
    put_note(dag_run)


@hookimpl
def on_dag_run_failed(dag_run: DagRun, msg: str) -> None:  # noqa: ARG001
    """Note what made a run fail."""
    put_note(dag_run)


def put_note(dag_run: DagRun) -> None:
    """Copy the newest outcome that a task of the run left to the run's note; tasks have no other way to write one.

    In the scheduler the run belongs to a session that is about to be committed, and must not be written to beside it;
    elsewhere (``dag.test()``) it belongs to none, and is written to in a session of our own.
    """
    from airflow.models.dagrun import DagRun
    from airflow.utils.session import create_session
    from sqlalchemy.orm import object_session

    if (session := object_session(dag_run)) is not None:
        _copy_note(dag_run, session)
        return
    with create_session(scoped=False) as own:
        row = own.get(DagRun, dag_run.id)
        if row is not None:
            _copy_note(row, own)


def _copy_note(dag_run: DagRun, session: Session) -> None:
    from airflow.models.xcom import XComModel
    from sqlalchemy import select

    newest = session.scalar(
        select(XComModel)
        .where(XComModel.dag_run_id == dag_run.id, XComModel.key == NOTE_KEY)
        .order_by(XComModel.timestamp.desc())
        .limit(1)
    )
    if newest is not None:
        dag_run.note = join_notes(dag_run.note, XComModel.deserialize_value(newest))


def join_notes(present: str | None, outcome: str) -> str:
    """Put the outcome below what a person wrote when triggering the run; never longer than Airflow's column."""
    if present and outcome in present:
        return present
    kept = f"{present[: MAX_NOTE // 2]}\n\n" if present else ""
    return (kept + outcome)[:MAX_NOTE]
