"""The project's lock against a real compare-and-set: one holder, and a dead one keeps nobody out for ever."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from custom_labels.core.codec import to_json
from custom_labels.core.lock import ProjectLock
from custom_labels.core.lock_records import LOCK, LockFile, LockLost
from custom_labels.s3.store import S3Store
from tests.kit.threads import at_once

if TYPE_CHECKING:
    from include.local_aws.process import LocalAws

LEASE = 0.2
"""Seconds, for holders that are to be dead soon."""


def take(aws_store: S3Store, owner: str, lease_seconds: float = 3600) -> bool:
    return LockFile(aws_store, owner).try_take(lease_seconds) is None


def holder(aws_store: S3Store) -> str | None:
    lock, _ = LockFile(aws_store, "anybody").read()
    return lock.owner if lock else None


def test_lock_has_one_holder_when_many_take_it_at_once(aws_store: S3Store) -> None:
    taken = at_once(lambda number: take(aws_store, f"run-{number}"))

    assert taken.count(True) == 1
    assert holder(aws_store) == f"run-{taken.index(True)}"


def test_lock_has_one_holder_when_many_take_over_from_a_dead_one_at_once(aws_store: S3Store) -> None:
    take(aws_store, "dead", lease_seconds=LEASE)
    time.sleep(1.5 * LEASE)

    taken = at_once(lambda number: take(aws_store, f"run-{number}"))

    assert taken.count(True) == 1
    assert holder(aws_store) == f"run-{taken.index(True)}"


def test_lock_has_one_holder_when_many_take_one_that_was_given_back(aws_store: S3Store) -> None:
    take(aws_store, "first")
    LockFile(aws_store, "first").release()

    assert at_once(lambda number: take(aws_store, f"run-{number}")).count(True) == 1


def test_try_take_gives_the_holder_when_it_is_held(aws_store: S3Store) -> None:
    take(aws_store, "first")

    kept_out_by = LockFile(aws_store, "second").try_take()

    assert kept_out_by is not None
    assert kept_out_by.owner == "first"
    assert holder(aws_store) == "first"


def test_lock_is_taken_again_by_its_holder(aws_store: S3Store) -> None:
    assert take(aws_store, "first")
    assert take(aws_store, "first")


def test_lock_is_ours_when_the_answers_of_taking_it_are_lost(aws_store: S3Store, aws: LocalAws) -> None:
    aws.control.faults({"operation": "s3.PutObject", "kind": "lost_response", "times": 2})

    assert take(aws_store, "first")
    assert aws.control.calls()["s3.PutObject"]["effects"] == 1


def test_lock_is_taken_over_only_when_the_lease_ran_out(aws_store: S3Store) -> None:
    take(aws_store, "first", lease_seconds=60)
    early = take(aws_store, "second")
    take(aws_store, "first", lease_seconds=LEASE)
    time.sleep(1.5 * LEASE)

    assert (early, take(aws_store, "second")) == (False, True)


def test_hold_writes_nothing_while_more_than_a_lease_is_left(aws_store: S3Store, aws: LocalAws) -> None:
    first = LockFile(aws_store, "first")
    first.try_take()
    aws.control.clear_calls()

    first.hold()

    assert {name for name in aws.control.calls() if name.startswith("s3")} == {"s3.GetObject"}


def test_hold_extends_the_lease_by_the_terms_it_was_taken_on(aws_store: S3Store) -> None:
    began = datetime.now(UTC)
    LockFile(aws_store, "first", now=lambda: began).try_take(40)

    held = LockFile(aws_store, "first", now=lambda: began + timedelta(seconds=30)).hold()

    assert held == LockFile(aws_store, "anybody").read()[0]
    assert held == ProjectLock("first", began + timedelta(seconds=90), 40)


def test_a_heartbeat_keeps_the_lock_of_a_run_that_works_longer_than_its_lease(aws_store: S3Store) -> None:
    first = LockFile(aws_store, "first")
    first.try_take(LEASE)

    with first.heartbeat():
        time.sleep(3 * LEASE)
        kept_out = not take(aws_store, "second")

    assert kept_out


def test_a_heartbeat_goes_on_when_one_fails(aws_store: S3Store, caplog: pytest.LogCaptureFixture) -> None:
    first = LockFile(aws_store, "first")
    first.try_take(LEASE)
    taken, _ = aws_store.read_json(LOCK)

    with first.heartbeat():
        aws_store.call("put_object", LOCK, Body=b"{")
        time.sleep(LEASE)
        aws_store.write_json(LOCK, taken)
        time.sleep(3 * LEASE)
        kept_out = not take(aws_store, "second")

    assert kept_out
    assert "registry/lock.json is no JSON" in caplog.text

    assert holder(aws_store) == "first"


def test_a_run_that_lost_the_lock_meanwhile_does_not_go_on_after_its_heartbeat(aws_store: S3Store) -> None:
    first = LockFile(aws_store, "first")
    first.try_take()

    with pytest.raises(LockLost, match="is held by 'second'"), first.heartbeat():
        aws_store.write_json(LOCK, to_json(ProjectLock.begun("second", datetime.now(UTC))))

    assert holder(aws_store) == "second"


def test_release_leaves_a_lock_that_another_run_holds(aws_store: S3Store) -> None:
    take(aws_store, "first")

    LockFile(aws_store, "another run").release()

    assert holder(aws_store) == "first"


def test_release_gives_it_back_and_does_nothing_when_repeated(aws_store: S3Store) -> None:
    first = LockFile(aws_store, "first")
    first.release()
    take(aws_store, "first")

    first.release()
    first.release()

    assert holder(aws_store) is None
    assert take(aws_store, "second")


def test_hold_raises_lock_lost_when_another_run_took_over(aws_store: S3Store) -> None:
    first = LockFile(aws_store, "first")
    first.try_take(LEASE)
    time.sleep(1.5 * LEASE)
    take(aws_store, "second")

    with pytest.raises(LockLost, match=r"lock\.json is held by 'second', not by this run \('first'\).*clear this run"):
        first.hold()

    assert holder(aws_store) == "second"


def test_hold_takes_it_again_when_it_was_given_back(aws_store: S3Store) -> None:
    """A task that a person clears after its run has ended works on the project again, and so must hold its lock."""
    first = LockFile(aws_store, "first")
    first.try_take()
    first.release()

    first.hold()

    assert holder(aws_store) == "first"
    assert not take(aws_store, "second")
