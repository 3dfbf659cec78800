"""Airflow Variables, read the same way by a task and by the schedule of its DAG."""

from __future__ import annotations

import logging
import sys
from typing import Any

log = logging.getLogger(__name__)


def read_variable(key: str) -> str | None:
    """Read a Variable's text in whatever process this is called: task, DAG processor, scheduler, API server.

    Airflow's own order holds everywhere: a secrets backend beats environment variables, which beat the database. In the
    scheduler ``Variable.get`` answers with the default, since its session may not commit there; so the backends are
    asked one by one there, and the database in a session of our own.

    :return: ``None`` where there is no such Variable.
    """
    if hasattr(sys.modules.get("airflow.sdk.execution_time.task_runner"), "SUPERVISOR_COMMS"):
        from airflow.sdk import Variable

        found: Any = Variable.get(key, default=None)
    else:
        found = _read_in_server(key)
    return None if found is None else str(found)


def _read_in_server(key: str) -> Any:
    from airflow.configuration import ensure_secrets_loaded
    from airflow.secrets.metastore import MetastoreBackend

    for backend in ensure_secrets_loaded():
        if isinstance(backend, MetastoreBackend):
            found: Any = _read_in_database(key)
        else:
            try:
                found = backend.get_variable(key=key)
            except Exception:  # as Airflow's own look-up: a backend is anybody's code, and may raise anything
                log.exception("Variable '%s' cannot be read by %s: asking the next one.", key, type(backend).__name__)
                continue
        if found is not None:
            return found
    return None


def _read_in_database(key: str) -> str | None:
    from airflow.models.variable import Variable
    from airflow.utils.session import create_session
    from sqlalchemy import select

    with create_session(scoped=False) as session:
        row = session.scalar(select(Variable).where(Variable.key == key))
        return None if row is None else row.get_val()
