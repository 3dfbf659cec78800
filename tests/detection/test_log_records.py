"""The log of detections is read in the order of time, from any place on."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from custom_labels.aws.predictions import Box, DetectedLabel
from custom_labels.detection.detection import Decision, Detection
from custom_labels.detection.detection_records import LogPosition, log_key, read_log, write_log
from custom_labels.s3.store import S3Store
from tests.kit.support import BUCKET, s3

if TYPE_CHECKING:
    from include.local_aws.process import LocalAws

STORE: dict[str, Any] = {"bucket": BUCKET, "prefix": "team/"}


def detection(key: str) -> Detection:
    return Detection(
        image=f"s3://{BUCKET}/{key}",
        key=key,
        etag="e" * 32,
        version_name="v1",
        version_arn="arn:v1",
        detected_at="2026-11-21T12:00:00+00:00",
        labels=(DetectedLabel("rows", 90.5, Box(0.1, 0.2, 0.3, 0.4)), DetectedLabel("columns", 9.5)),
        minimum_confidence=70.0,
        decision=Decision.ACCEPTED,
        reason="'rows' at 90.5 % reaches its minimum of 70 %",
    )


def keys(found: list[tuple[LogPosition, Detection]]) -> list[str]:
    return [each.key for _, each in found]


def test_the_log_is_read_in_order_and_from_any_place_on(aws: LocalAws) -> None:
    s3(aws).create_bucket(Bucket=BUCKET)
    store = S3Store(**STORE)
    # Line separators that are none in JSON Lines, and whatever else a key may hold.
    names = ["a.png", "b\u2028b.png", "c\x85 é+%20.png", "d.png", "e.png"]
    first = write_log(store, "run-0-0", [detection(name) for name in names[:3]])
    second = write_log(store, "run-0-1", [detection(name) for name in names[3:]])

    whole = list(read_log(store))

    assert keys(whole) == names
    assert whole[0] == (LogPosition(first, 1), detection("a.png"))
    for number, (place, _) in enumerate(whole):
        assert keys(list(read_log(store, after=place))) == names[number + 1 :]
    assert first < second


def test_files_that_may_still_be_joined_by_others_are_left(aws: LocalAws) -> None:
    s3(aws).create_bucket(Bucket=BUCKET)
    store = S3Store(**STORE)
    write_log(store, "run-0-0", [detection("a.png")])

    now = datetime.now(UTC)

    assert keys(list(read_log(store, until=now + timedelta(seconds=1)))) == ["a.png"]
    assert list(read_log(store, until=now - timedelta(minutes=2))) == []


def test_keys_of_the_log_sort_as_their_moments() -> None:
    moments = [
        datetime(2026, 1, 9, 12, 34, 5, tzinfo=UTC),
        datetime(2026, 1, 9, 12, 34, 5, 900, tzinfo=UTC),
        datetime(2026, 1, 9, 12, 34, 30, tzinfo=UTC),
        datetime(2026, 1, 10, 0, 0, 0, tzinfo=UTC),
        datetime(2026, 11, 1, 0, 0, 0, tzinfo=UTC),
    ]

    assert [log_key(moment, "x") for moment in moments] == sorted(log_key(moment, "x") for moment in moments)
