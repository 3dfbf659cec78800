"""The wait for a lock and the heartbeat of a run that waits, in the triggerer's event loop."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

import pytest

from custom_labels.core.lock_records import LOCK, LockFile
from custom_labels.core.lock_trigger import ProjectLockTrigger
from custom_labels.s3.store import S3Store
from custom_labels.training.train_trigger import TrainingTrigger
from tests.kit.deploy_runs import registry, trained
from tests.kit.task_contexts import first_event

if TYPE_CHECKING:
    from include.local_aws.process import LocalAws

LEASE = 0.4


def wait_for(store: S3Store, owner: str = "second") -> ProjectLockTrigger:
    return ProjectLockTrigger(owner=owner, key=LOCK, bucket=store.bucket, prefix=store.prefix, poll_seconds=0.05)


def test_the_wait_is_over_when_the_lock_is_given_back(aws_store: S3Store) -> None:
    first = LockFile(aws_store, "first")
    first.try_take()

    async def give_back_meanwhile() -> bool:
        waiting = asyncio.ensure_future(first_event(wait_for(aws_store)))
        await asyncio.sleep(0.3)
        was_waiting = not waiting.done()
        await asyncio.to_thread(first.release)
        assert await asyncio.wait_for(waiting, 30) == {"status": "success"}
        return was_waiting

    assert asyncio.run(give_back_meanwhile())


def test_the_wait_is_over_when_the_lease_is(aws_store: S3Store) -> None:
    LockFile(aws_store, "dead").try_take(LEASE)
    began = time.monotonic()

    assert asyncio.run(first_event(wait_for(aws_store))) == {"status": "success"}

    assert time.monotonic() - began >= LEASE


@pytest.mark.parametrize("owner", ["first", "anybody"])
def test_there_is_no_wait_for_a_lock_that_may_be_taken(aws_store: S3Store, owner: str) -> None:
    if owner == "first":
        LockFile(aws_store, owner).try_take()

    assert asyncio.run(first_event(wait_for(aws_store, owner))) == {"status": "success"}


@pytest.mark.parametrize("is_held", [True, False], ids=["held", "taken over meanwhile"])
def test_a_run_that_waits_for_its_training_keeps_the_lock_longer_than_its_lease(aws: LocalAws, is_held: bool) -> None:
    project = trained(aws, "v1")
    store = registry().store
    LockFile(store, "first" if is_held else "another").try_take(LEASE)
    trigger = TrainingTrigger(
        owner="first",
        bucket=store.bucket,
        prefix=store.prefix,
        project_arn=project,
        version_name="v1",
        waiter_name="project_version_trained",
        waiter_delay=1,
    )

    event = asyncio.run(first_event(trigger))

    assert event["status"] == "success"
    kept_out_by = LockFile(store, "second").try_take()
    assert (kept_out_by is not None and kept_out_by.owner == "first") is is_held
