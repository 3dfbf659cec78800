"""``reviews/statistics.json`` in the embedded AWS: each file of the ledger counts once, and few calls are made."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from custom_labels.review.harvest_records import HARVESTED, write_ledger
from custom_labels.review.statistics import OpenReviews, ReviewStatistics
from custom_labels.review.statistics_records import STATISTICS, update_statistics
from custom_labels.s3.errors import StorageError
from custom_labels.s3.store import S3Store
from tests.kit.review_requests import request_for
from tests.kit.support import BUCKET, s3
from tests.review.test_statistics import harvested, said

if TYPE_CHECKING:
    from include.local_aws.process import LocalAws

NOW = "2026-11-20T12:00:00+00:00"
Write = Callable[..., None]


@pytest.fixture
def store(aws: LocalAws) -> S3Store:
    s3(aws).create_bucket(Bucket=BUCKET)
    return S3Store(BUCKET, region_name="us-east-1")


@pytest.fixture
def write(store: S3Store) -> Write:
    """Write a file of the ledger, about an image with three answers."""

    def write(chunk: str, *labels: str) -> None:
        line = harvested(request_for(chunk), *said(*(labels or ("rows", "rows", "columns"))))
        write_ledger(store, chunk, [line])

    return write


def update(store: S3Store, run: str = "run-1", **more: Any) -> ReviewStatistics:
    found = update_statistics(store, replace(OpenReviews(NOW), **more), 0.5, run)
    assert found is not None
    return found


def calls(aws: LocalAws) -> Counter[str]:
    return Counter({name: entry["calls"] for name, entry in aws.control.calls().items()})


def test_a_second_run_reads_what_is_new_and_writes_the_same(aws: LocalAws, store: S3Store, write: Write) -> None:
    for number in range(3):
        write(f"2026-11-{number + 18}-100000-aa-0000-000")
    first = update(store)
    assert (first.numbers.answers, list(first.numbers.days.values())) == (9, [3, 3, 3])
    aws.control.clear_calls()

    assert update(store) == first == STATISTICS.read(store)

    assert calls(aws) == {"s3.GetObject": 2, "s3.ListObjectsV2": 1}
    write("2026-11-20-110000-bb-0000-000")
    aws.control.clear_calls()
    assert update(store).numbers.answers == 12
    assert calls(aws) == {"s3.GetObject": 2, "s3.ListObjectsV2": 1, "s3.PutObject": 1}


def test_a_file_that_comes_late_is_counted_and_older_days_are_left_out(store: S3Store, write: Write) -> None:
    write("2026-10-21-100000-aa-0000-000")
    write("2026-10-22-100000-aa-0000-000")
    write("2026-11-20-110000-aa-0000-000")
    assert list(update(store).days) == ["2026-10-22", "2026-11-20"]

    write("2026-11-01-100000-late-0000-000")

    assert update(store).numbers.answers == 9
    assert list(update(store, at="2026-11-21T00:00:00+00:00").days) == ["2026-11-01", "2026-11-20"]


def test_nothing_is_counted_twice_when_another_run_is_faster(
    aws: LocalAws, store: S3Store, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    write("2026-11-20-100000-aa-0000-000")
    other, write_if_unchanged = S3Store(BUCKET, region_name="us-east-1"), S3Store.write_if_unchanged
    raced: list[ReviewStatistics] = []

    def late(self: S3Store, *arguments: Any) -> str:
        if self is store and not raced:
            write("2026-11-20-110000-bb-0000-000")
            raced.append(update(other, "run-2", waiting=7, at="2026-11-20T12:00:05+00:00"))
        return write_if_unchanged(self, *arguments)

    monkeypatch.setattr(S3Store, "write_if_unchanged", late)

    found = update(store)

    assert found.numbers == raced[0].numbers
    assert (found.numbers.answers, found.backlog.waiting) == (6, 7)


@pytest.mark.parametrize("kind", ["error", "lost_response"])
def test_the_statistics_are_whole_when_the_write_fails(aws: LocalAws, store: S3Store, write: Write, kind: str) -> None:
    write("2026-11-20-100000-aa-0000-000")
    aws.control.faults({"operation": "s3.PutObject", "kind": kind, "times": 1})

    update(store)
    write("2026-11-20-110000-bb-0000-000")

    assert update(store).numbers.answers == 6


def test_a_reviewer_who_is_far_off_is_named_by_the_first_run_only(store: S3Store, write: Write) -> None:
    for number in range(25):
        write(f"2026-11-20-10{number:04}-aa-0000-000")

    assert [each.reviewer for each in update(store).news_of("run-1")] == ["w2"]
    assert [each.reviewer for each in update(store).news_of("run-1")] == ["w2"]
    assert update(store, "run-2").news_of("run-2") == ()


@pytest.mark.parametrize("key", ["reviews/statistics.json", f"{HARVESTED}2026-11-20/odd.jsonl"])
def test_what_this_package_did_not_write_is_refused_in_words(aws: LocalAws, store: S3Store, key: str) -> None:
    s3(aws).put_object(Bucket=BUCKET, Key=key, Body=b'{"review": 1}')

    with pytest.raises(StorageError, match=f"{key} is not as this package writes it"):
        update(store)
