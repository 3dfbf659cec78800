"""What Airflow's database has of the events of assets, and of the DAGs that wait for them."""

from __future__ import annotations

from typing import Any


def events_of(dag_id: str) -> dict[str, dict[str, Any]]:
    """Give what the events of a DAG's newest run say, by the asset's name."""
    from airflow.models.asset import AssetEvent
    from airflow.models.dagrun import DagRun
    from airflow.utils.session import create_session
    from sqlalchemy import select

    with create_session() as session:
        newest = select(DagRun.run_id).where(DagRun.dag_id == dag_id).order_by(DagRun.id.desc()).limit(1)
        found = session.scalars(
            select(AssetEvent).where(
                AssetEvent.source_dag_id == dag_id, AssetEvent.source_run_id == newest.scalar_subquery()
            )
        )
        return {each.asset.name: dict(each.extra) for each in found}


def triggered() -> set[str]:
    """Give the DAGs that a scheduler would trigger by the events until now."""
    from airflow.models.asset import AssetDagRunQueue
    from airflow.utils.session import create_session
    from sqlalchemy import select

    with create_session() as session:
        return set(session.scalars(select(AssetDagRunQueue.target_dag_id)))


def forget_triggers() -> None:
    """Let nothing wait to be triggered, as after a scheduler has made the runs."""
    from airflow.models.asset import AssetDagRunQueue
    from airflow.utils.session import create_session
    from sqlalchemy import delete

    with create_session() as session:
        session.execute(delete(AssetDagRunQueue))
