"""The wait for the project's lock: bounded, except for the runs of a backfill, whose turn comes when it comes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from airflow.sdk.exceptions import AirflowException, TaskDeferred

from custom_labels.core.lock_records import LockFile
from custom_labels.core.lock_tasks import AcquireProjectLockOperator
from custom_labels.s3.store import S3Store
from tests.kit.support import BUCKET, put_images
from tests.kit.task_contexts import context

if TYPE_CHECKING:
    from include.local_aws.process import LocalAws


def wait(aws: LocalAws, run_type: str) -> None:
    """Let a run of a kind ask for a lock that another run holds, after its time is over."""
    put_images(aws, 0)
    LockFile(S3Store(BUCKET), "another run").hold()
    task = AcquireProjectLockOperator(task_id="acquire_lock", project="digits", timeout_hours=0, deferrable=True)
    given = context()
    given["dag_run"].run_type = run_type
    task.execute(given)


def test_a_scheduled_run_gives_the_wait_up(aws: LocalAws, airflow_db: None) -> None:
    with pytest.raises(AirflowException, match="still held by 'another run' after 0 hours"):
        wait(aws, "scheduled")


def test_a_run_of_a_backfill_waits_without_end(aws: LocalAws, airflow_db: None) -> None:
    with pytest.raises(TaskDeferred) as deferred:
        wait(aws, "backfill")

    assert (deferred.value.timeout, deferred.value.kwargs) == (None, {"give_up_at": None})
