"""What the scheduler notes on a run that begins: which of its tasks wait for a pool that is missing."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from custom_labels.core.listener import on_dag_run_running
from tests.conftest import ROOT

if TYPE_CHECKING:
    from airflow.models.dagrun import DagRun
    from sqlalchemy.orm import Session

POOLS = ("custom_labels", "custom_labels_detection")
WORDS = (
    "When this run began there was no pool 'custom_labels', for which {} wait: add it under Admin > Pools, and they go "
    "on; or name another pool in the project's YAML file and trigger a new run."
)


@pytest.fixture
def session(airflow_db: None) -> Iterator[Session]:
    """A session in which, as in the scheduler's, nothing is committed."""
    from airflow.models.pool import Pool
    from airflow.utils.session import create_session
    from sqlalchemy import delete

    with create_session(scoped=False) as opened:
        opened.execute(delete(Pool).where(Pool.pool.in_(POOLS)))
        yield opened
        opened.rollback()


def begin(session: Session, kind: str, tags: bool = True) -> DagRun:
    """Make a run of the project's DAG of a kind, with its tasks, as the scheduler does before it calls listeners."""
    from airflow.dag_processing.bundles.manager import DagBundlesManager
    from airflow.dag_processing.dagbag import DagBag, sync_bag_to_db
    from airflow.models.dag import DagTag
    from airflow.models.serialized_dag import SerializedDagModel
    from airflow.utils.state import DagRunState
    from airflow.utils.types import DagRunTriggeredByType, DagRunType
    from sqlalchemy import delete

    bag = DagBag(dag_folder=str(ROOT / "dags" / f"{kind}.py"))
    DagBundlesManager().sync_bundles_to_db(session=session)
    session.flush()
    sync_bag_to_db(bag, kind, None, session=session)
    session.flush()
    dag = SerializedDagModel.get_dag(f"digits_{kind}", session=session)
    assert dag is not None
    if not tags:
        session.execute(delete(DagTag).where(DagTag.dag_id == dag.dag_id))
    now = datetime.now(UTC)
    return dag.create_dagrun(
        run_id=f"a_run_of_{kind}_{now.timestamp()}",
        run_after=now,
        run_type=DagRunType.MANUAL,
        triggered_by=DagRunTriggeredByType.TEST,
        state=DagRunState.RUNNING,
        session=session,
    )


def add_pools(session: Session, *names: str) -> None:
    from airflow.models.pool import Pool

    session.add_all([Pool(pool=name, slots=1, include_deferred=False) for name in names])
    session.flush()


CASES = {
    "bootstrap": ("bootstrap", POOLS[1:], WORDS.format("use_pool")),
    "scale": ("scale", (), WORDS.format("restart_live, start_live, stop_live")),
    "all pools": ("bootstrap", POOLS, None),
    "no pool needed": ("sample_for_audit", (), None),
}


@pytest.mark.parametrize(("kind", "pools", "note"), CASES.values(), ids=CASES)
def test_a_run_that_begins_says_which_pool_is_missing(
    session: Session, kind: str, pools: tuple[str, ...], note: str | None
) -> None:
    add_pools(session, *pools)
    run = begin(session, kind)

    on_dag_run_running(run, "started")
    on_dag_run_running(run, "started")

    assert run.note == note


def test_runs_of_other_peoples_dags_are_left_alone(session: Session) -> None:
    run = begin(session, "bootstrap", tags=False)

    on_dag_run_running(run, "started")

    assert run.note is None
