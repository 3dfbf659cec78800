"""An auth manager that refuses, and remembers what it was asked."""

from __future__ import annotations

from typing import Any

import pytest


def refuse_access(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """Let Airflow's auth manager refuse access to every DAG.

    :returns: the method and DAG id of each question, growing as it is asked.
    """
    from airflow.api_fastapi.app import get_auth_manager

    asked: list[tuple[str, str]] = []

    def refuse(*, method: str, details: Any, **_: Any) -> bool:
        asked.append((method, details.id))
        return False

    monkeypatch.setattr(get_auth_manager(), "is_authorized_dag", refuse)
    return asked
