"""Fixtures of the fault tests: the project of the DAG tests, and Airflows that look often at a held lock."""

from __future__ import annotations

import pytest

from tests.dags.conftest import digits
from tests.dags.running import Variables

__all__ = ["digits"]


@pytest.fixture
def variables(monkeypatch: pytest.MonkeyPatch) -> Variables:
    """Airflow Variables for one test; how good a model is does not matter here, so that every gate is open."""
    return Variables(
        monkeypatch, status_poll_seconds=1, minimum_untrained_images=10, minimum_f1_score=0, drain_seconds=0
    )


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the runs of this process wait for a held lock with many looks a second."""
    from custom_labels.operators.lock import AcquireProjectLockOperator
    from tests.faults.one_run import look_often

    monkeypatch.setattr(AcquireProjectLockOperator, "wait_deferred", look_often)


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let botocore try as often as ever, with a tenth of the pause between two tries."""
    from botocore.retries.standard import ExponentialBackoff

    patient = ExponentialBackoff.delay_amount
    monkeypatch.setattr(ExponentialBackoff, "delay_amount", lambda backoff, context: patient(backoff, context) / 10)
