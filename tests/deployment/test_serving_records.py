"""The records of serving against a real compare-and-set: whoever writes at once, no interval is lost or doubled."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from custom_labels.deployment.serving_records import ServingLog
from custom_labels.s3.store import S3Store
from tests.kit.threads import THREADS, at_once

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


def test_a_version_runs_once_when_many_say_that_it_started(aws_store: S3Store) -> None:
    log = ServingLog(aws_store)

    at_once(lambda number: log.started("v1", 1, NOON + timedelta(seconds=number)))

    assert len(log.read("v1").intervals) == 1


def test_a_stop_is_kept_while_others_poll(aws_store: S3Store) -> None:
    log = ServingLog(aws_store)
    log.started("v1", 1, NOON)
    stop = NOON + timedelta(minutes=THREADS)

    def tell(number: int) -> None:
        if number:
            log.seen("v1", 1, "RUNNING", NOON + timedelta(minutes=number))
        else:
            log.stopped("v1", stop)

    at_once(tell)

    (interval,) = log.read("v1").intervals
    assert (interval.until, interval.is_exact) == (stop, True)


def test_versions_are_distinguished_when_nothing_is_known(aws_store: S3Store) -> None:
    log = ServingLog(aws_store)
    log.started("v1", 1, NOON)

    assert log.read("v2").intervals == ()
