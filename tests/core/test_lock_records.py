"""The project's lock against a real compare-and-set: one holder, and a dead one keeps nobody out for ever."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from custom_labels.aws.statuses import NOTHING, Described
from custom_labels.core.lock_records import LockFile, LockLost
from custom_labels.s3.store import S3Store
from tests.kit.threads import at_once

if TYPE_CHECKING:
    from include.local_aws.process import LocalAws

PROJECT = "arn:aws:rekognition:us-east-1:123456789012:project/digits/1"
LEASE = 0.2
"""Seconds, for holders that are to be dead soon."""


def unknown(project_arn: str, version_name: str) -> Described:
    """Describe a version that AWS does not know."""
    return NOTHING


def trains(project_arn: str, version_name: str) -> Described:
    return Described("TRAINING_IN_PROGRESS")


def has_just_ended(project_arn: str, version_name: str) -> Described:
    return Described("TRAINING_COMPLETED", "", {"TrainingEndTimestamp": datetime.now(UTC)})


def ended_an_hour_ago(project_arn: str, version_name: str) -> Described:
    ending = datetime.now(UTC) - timedelta(hours=1)
    return Described("TRAINING_COMPLETED", "", {"TrainingEndTimestamp": ending})


def take(aws_store: S3Store, owner: str, **terms: float) -> bool:
    return LockFile(aws_store, owner).try_take(unknown, **terms) is None


def holder(aws_store: S3Store) -> str | None:
    lock, _ = LockFile(aws_store, "anybody").read()
    return lock.owner if lock else None


def test_lock_has_one_holder_when_many_take_it_at_once(aws_store: S3Store) -> None:
    taken = at_once(lambda number: take(aws_store, f"run-{number}"))

    assert taken.count(True) == 1
    assert holder(aws_store) == f"run-{taken.index(True)}"


def test_lock_has_one_holder_when_many_take_over_from_a_dead_one_at_once(aws_store: S3Store) -> None:
    take(aws_store, "dead", lease_seconds=LEASE)
    time.sleep(LEASE)

    taken = at_once(lambda number: take(aws_store, f"run-{number}"))

    assert taken.count(True) == 1
    assert holder(aws_store) == f"run-{taken.index(True)}"


def test_lock_has_one_holder_when_many_take_one_that_was_given_back(aws_store: S3Store) -> None:
    take(aws_store, "first")
    LockFile(aws_store, "first").release()

    assert at_once(lambda number: take(aws_store, f"run-{number}")).count(True) == 1


def test_try_take_gives_the_holder_when_it_is_held(aws_store: S3Store) -> None:
    take(aws_store, "first")

    kept_out_by = LockFile(aws_store, "second").try_take(unknown)

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
    time.sleep(LEASE)

    assert (early, take(aws_store, "second")) == (False, True)


def test_renew_lengthens_the_lease_on_the_terms_it_was_taken_on(aws_store: S3Store) -> None:
    first = LockFile(aws_store, "first")
    first.try_take(unknown, lease_seconds=40, grace_seconds=7)
    before, _ = first.read()

    first.renew()

    after, _ = first.read()
    assert before is not None
    assert after is not None
    assert (after.lease_seconds, after.grace_seconds) == (40, 7)
    assert after.expires_at > before.expires_at
    assert after.token != before.token


@pytest.mark.parametrize(
    ("describe", "taken"),
    [(trains, False), (has_just_ended, False), (ended_an_hour_ago, True), (unknown, True)],
    ids=["it trains", "it ended just now", "it ended a grace period ago", "AWS does not know it"],
)
def test_lock_of_a_run_that_waits_for_its_training_is_taken_over_when(
    aws_store: S3Store, describe: Callable[[str, str], Described], taken: bool
) -> None:
    first = LockFile(aws_store, "first")
    first.try_take(unknown, lease_seconds=LEASE, grace_seconds=0.5)
    first.renew(project_arn=PROJECT, version_name="v1", training_seconds=3600)
    time.sleep(0.6)

    kept_out_by = LockFile(aws_store, "second").try_take(describe)

    assert (kept_out_by is None) is taken


def test_aws_is_asked_for_the_very_version_that_the_holder_trains(aws_store: S3Store) -> None:
    first = LockFile(aws_store, "first")
    first.try_take(unknown)
    first.renew(project_arn=PROJECT, version_name="v1", training_seconds=3600)
    asked = []

    def describe(project_arn: str, version_name: str) -> Described:
        asked.append((project_arn, version_name))
        return trains(project_arn, version_name)

    LockFile(aws_store, "second").try_take(describe)

    assert asked == [(PROJECT, "v1")]


def test_release_leaves_a_lock_that_another_run_holds(aws_store: S3Store) -> None:
    take(aws_store, "first")

    LockFile(aws_store, "stranger").release()

    assert holder(aws_store) == "first"


def test_release_gives_it_back_and_does_nothing_when_repeated(aws_store: S3Store) -> None:
    first = LockFile(aws_store, "first")
    first.release()
    take(aws_store, "first")

    first.release()
    first.release()

    assert holder(aws_store) is None
    assert take(aws_store, "second")


def test_renew_raises_lock_lost_when_another_run_took_over(aws_store: S3Store) -> None:
    first = LockFile(aws_store, "first")
    first.try_take(unknown, lease_seconds=LEASE)
    time.sleep(LEASE)
    take(aws_store, "second")

    with pytest.raises(LockLost, match=r"lock\.json is held by 'second', not by this run \('first'\).*clear this run"):
        first.renew()

    assert holder(aws_store) == "second"


def test_renew_takes_it_again_when_it_was_given_back(aws_store: S3Store) -> None:
    """A task that a person clears after its run has ended works on the project again, and so must hold its lock."""
    first = LockFile(aws_store, "first")
    first.try_take(unknown)
    first.release()

    first.renew()

    assert holder(aws_store) == "first"
    assert not take(aws_store, "second")
