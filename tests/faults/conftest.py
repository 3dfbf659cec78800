"""Fixtures of the fault tests: the project of the DAG tests, Airflows to be killed, and short pauses."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.dags.conftest import digits
from tests.faults.crash import Crash
from tests.kit.dag_runs import Variables

if TYPE_CHECKING:
    from include.local_aws.process import LocalAws

__all__ = ["digits"]


@pytest.fixture
def variables(monkeypatch: pytest.MonkeyPatch) -> Variables:
    """Airflow Variables for one test; how good a model is does not matter here, so that every gate is open."""
    return Variables(
        monkeypatch, status_poll_seconds=1, minimum_untrained_images=10, minimum_f1_score=0, drain_seconds=0
    )


@pytest.fixture
def crash(aws: LocalAws, airflow_db: None, tmp_path: Path, variables: Variables) -> Crash:
    """What brings runs into trouble."""
    return Crash(aws, tmp_path, variables)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the runs of this process wait for a held lock with many looks a second."""
    from custom_labels.core.lock_tasks import AcquireProjectLockOperator

    patient = AcquireProjectLockOperator.wait_deferred

    def poll_often(operator: AcquireProjectLockOperator, *args: Any) -> None:
        operator.poll_seconds = 0.1
        patient(operator, *args)

    monkeypatch.setattr(AcquireProjectLockOperator, "wait_deferred", poll_often)


@pytest.fixture
def short_retries(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let botocore try as often as ever, with a tenth of the pause between two tries."""
    from botocore.retries.standard import ExponentialBackoff

    patient = ExponentialBackoff.delay_amount
    monkeypatch.setattr(ExponentialBackoff, "delay_amount", lambda backoff, context: patient(backoff, context) / 10)
