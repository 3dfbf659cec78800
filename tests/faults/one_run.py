"""Run one of the DAGs once, in a process of its own that a test may kill.

``python -m tests.faults.one_run FILE KIND CONF`` writes the run to a file; CONF is JSON.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from custom_labels.operators.lock import AcquireProjectLockOperator
from tests.api_models import read_models_once
from tests.dags.running import run_dag

if TYPE_CHECKING:
    from custom_labels.operators.project import ProjectContext

patient_wait = AcquireProjectLockOperator.wait_deferred


def look_often(operator: AcquireProjectLockOperator, place: ProjectContext, give_up_at: float) -> None:
    """Wait for the lock as the operator does, with ten looks a second instead of four a minute."""
    operator.poll_seconds = 0.1
    patient_wait(operator, place, give_up_at)


if __name__ == "__main__":
    read_models_once()
    AcquireProjectLockOperator.wait_deferred = look_often  # type: ignore[method-assign]
    result, kind, conf = sys.argv[1:]
    run = run_dag(kind, json.loads(conf))
    Path(result).write_text(json.dumps(asdict(run), default=str), encoding="utf-8")
