"""The listener that puts on a run itself, as the note that the DAG's grid shows, its outcome and what it waits for."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from airflow.listeners import hookimpl

from custom_labels.core.names import DAG_TAG

if TYPE_CHECKING:
    from airflow.models.dagrun import DagRun
    from airflow.sdk import Context
    from sqlalchemy.orm import Session

log = logging.getLogger(__name__)

NOTE_KEY = "custom_labels_note"
"""XCom key under which a task of ours leaves the run's outcome in words."""
MAX_NOTE = 1000
"""Characters that Airflow's table of notes takes; more would fail the scheduler's own commit on Postgres."""


@hookimpl
def on_dag_run_running(dag_run: DagRun, msg: str) -> None:  # noqa: ARG001
    """Note that tasks of a run that begins will wait for ever."""
    note_missing_pools(dag_run)


@hookimpl
def on_dag_run_success(dag_run: DagRun, msg: str) -> None:  # noqa: ARG001
    """Note the outcome of a run that ended well."""
    put_note(dag_run)


@hookimpl
def on_dag_run_failed(dag_run: DagRun, msg: str) -> None:  # noqa: ARG001
    """Note what made a run fail."""
    put_note(dag_run)


def write_note(context: Context, text: str) -> None:
    """Put a note on the run of a task: at once where Airflow lets a task do so (3.4), else when the run ends."""
    ti = context["ti"]
    if hasattr(ti, "update_dagrun_note"):
        ti.update_dagrun_note(join_notes(context["dag_run"].note, text))
    else:
        ti.xcom_push(key=NOTE_KEY, value=text)


def note_missing_pools(dag_run: DagRun) -> None:
    """Say on a run of ours which of its tasks name a pool that is missing; the scheduler leaves them *scheduled*.

    Only the scheduler can see it. Outside of one (``dag.test()``) pools do not count.
    """
    from airflow.models.dag import DagTag
    from airflow.models.pool import Pool
    from airflow.models.taskinstance import TaskInstance
    from sqlalchemy import select
    from sqlalchemy.orm import object_session

    if (session := object_session(dag_run)) is None:
        return
    is_ours = select(DagTag.name).where(DagTag.dag_id == dag_run.dag_id, DagTag.name == DAG_TAG)
    if session.scalar(is_ours) is None:
        return
    waiting: dict[str, set[str]] = {}
    for pool, task_id in session.execute(
        select(TaskInstance.pool, TaskInstance.task_id).where(
            TaskInstance.dag_id == dag_run.dag_id,
            TaskInstance.run_id == dag_run.run_id,
            TaskInstance.pool.not_in(select(Pool.pool)),
        )
    ):
        waiting.setdefault(pool, set()).add(task_id)
    for pool, tasks in sorted(waiting.items()):
        text = (
            f"When this run began there was no pool '{pool}', for which {', '.join(sorted(tasks))} wait: add it under "
            "Admin > Pools, and they go on; or name another pool in the project's YAML file and trigger a new run."
        )
        log.warning("%s/%s: %s", dag_run.dag_id, dag_run.run_id, text)
        dag_run.note = join_notes(dag_run.note, text)


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
