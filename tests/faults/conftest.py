"""Fixtures of the fault tests: the project of the DAG tests, and Airflows that look often at a held lock."""

from __future__ import annotations

import pytest

from tests.dags.conftest import digits, variables

__all__ = ["digits", "hasty", "impatient", "variables"]


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
