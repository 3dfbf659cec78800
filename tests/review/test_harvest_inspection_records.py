"""Looking for reviews that have ended: what is taken, what is left alone, and how far the watermark may move."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from custom_labels.core.codec import to_json
from custom_labels.review.harvest import HarvestedReview, ReviewOutcome
from custom_labels.review.harvest_inspection_records import (
    ABANDONED,
    EXAMPLES,
    LONGEST_UNKNOWN,
    WORK,
    HarvestInspection,
    delete_batch,
    read_batch,
    write_batches,
)
from custom_labels.review.harvest_records import write_ledger
from custom_labels.review.harvest_work import EndedReview, FoundWork, HarvestBatch, Watermark
from custom_labels.review.review import ReviewState, ReviewStatus
from custom_labels.review.settings import HarvestSettings
from custom_labels.s3.line_files import list_keys
from custom_labels.s3.store import S3Store
from tests.kit.memory_backend import MemoryBackend
from tests.kit.support import BUCKET, s3
from tests.kit.task_contexts import default_settings

if TYPE_CHECKING:
    from include.local_aws.process import LocalAws

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture
def store(aws: LocalAws) -> S3Store:
    s3(aws).create_bucket(Bucket=BUCKET)
    return S3Store(BUCKET, "a/project")


def state(name: str, status: ReviewStatus, created: datetime = NOW - HOUR) -> ReviewState:
    return ReviewState(name, status, created.isoformat(), reason="as A2I says")


def look(store: S3Store, *states: ReviewState) -> tuple[list[str], FoundWork]:
    """Look at a list of reviews; give what is to be harvested, and what was seen."""
    backend = MemoryBackend()
    backend.listed = list(states)
    inspection = HarvestInspection(store, backend, Watermark())
    found = [review.state.name for review in inspection.run(None, NOW, by_queue_only=False)]
    return found, inspection.work(default_settings(HarvestSettings), (), 1)


@pytest.mark.parametrize("status", ReviewStatus)
def test_only_what_has_ended_is_harvested(store: S3Store, status: ReviewStatus) -> None:
    found, work = look(store, state("a", status))

    assert found == (["a"] if status.is_final else [])
    assert work.dealt_with == (NOW if status.is_final else NOW - HOUR)


def test_the_oldest_review_that_has_not_ended_holds_the_watermark_back(store: S3Store) -> None:
    open_ = [state(str(hours), ReviewStatus.OPEN, NOW - hours * HOUR) for hours in (2, 5, 3)]

    assert look(store, *open_)[1].dealt_with == NOW - 5 * HOUR


@pytest.mark.parametrize(("age", "holds"), [(LONGEST_UNKNOWN - HOUR, True), (LONGEST_UNKNOWN + HOUR, False)])
def test_an_unknown_state_is_reported_and_holds_the_watermark_for_a_time(
    store: S3Store, age: timedelta, holds: bool
) -> None:
    _, work = look(store, state("a", ReviewStatus.UNKNOWN, NOW - age))

    assert work.unknown == 1
    assert work.examples == ("a: as A2I says",)
    assert work.dealt_with == (NOW - age if holds else NOW)


@pytest.mark.parametrize(
    ("age", "status", "ends"),
    [
        pytest.param(3.5, ReviewStatus.OPEN, True, id="too old"),
        pytest.param(2.5, ReviewStatus.OPEN, False, id="in the hour in which its backend may end it"),
        pytest.param(3.5, ReviewStatus.UNKNOWN, False, id="in an unknown state"),
        pytest.param(3.5, ReviewStatus.STOPPED, False, id="has ended"),
    ],
)
def test_a_review_that_waited_too_long_is_cancelled_and_has_expired(
    store: S3Store, age: float, status: ReviewStatus, ends: bool
) -> None:
    backend = MemoryBackend()
    backend.listed = [state("a", status, NOW - age * HOUR), state("b", ReviewStatus.OPEN)]
    inspection = HarvestInspection(store, backend, Watermark(), lifetime=2 * HOUR)

    found = [each.state for each in inspection.run(None, NOW, by_queue_only=False)]

    assert backend.cancelled == ["a"] * ends
    assert [each.name for each in found if each.status is ReviewStatus.EXPIRED] == ["a"] * ends
    assert inspection.oldest_open == (NOW - HOUR if ends or status.is_final else NOW - age * HOUR)


def test_few_of_many_unknown_states_are_named(store: S3Store) -> None:
    _, work = look(store, *(state(str(number), ReviewStatus.UNKNOWN) for number in range(20)))

    assert work.unknown == 20
    assert len(work.examples) == EXAMPLES


def test_a_review_is_found_once_however_often_it_is_listed(store: S3Store) -> None:
    assert look(store, *[state("a", ReviewStatus.COMPLETED)] * 3)[0] == ["a"]


def test_what_the_ledger_has_is_dropped(store: S3Store) -> None:
    done = HarvestedReview("a", ReviewStatus.COMPLETED, NOW.isoformat(), NOW.isoformat(), ReviewOutcome.COPIED, "")
    write_ledger(store, "2026-11-20-run", [done])

    assert look(store, state("a", ReviewStatus.COMPLETED), state("b", ReviewStatus.COMPLETED))[0] == ["b"]


def test_what_the_first_wrote_into_the_ledger_counts(store: S3Store) -> None:
    done = HarvestedReview("a", ReviewStatus.COMPLETED, NOW.isoformat(), NOW.isoformat(), ReviewOutcome.COPIED, "")

    for outcome in (ReviewOutcome.COPIED, ReviewOutcome.GONE):
        assert list(write_ledger(store, "2026-11-20-run", [replace(done, review_outcome=outcome)])) == [done]


def shared_out(
    store: S3Store, reviews: int, size: int, at: datetime = NOW, run: str = "2026-11-20-run"
) -> tuple[HarvestBatch, ...]:
    found = [EndedReview(state(str(number), ReviewStatus.COMPLETED)) for number in range(reviews)]
    return write_batches(store, run, found, at, size)


@pytest.mark.parametrize(("reviews", "files"), [(1, 0), (10, 0), (100, 1)])
def test_a_few_reviews_go_along_with_their_batch(store: S3Store, reviews: int, files: int) -> None:
    (batch,) = shared_out(store, reviews, 1000)

    assert len(read_batch(store, batch)) == reviews
    assert len([each for keys in list_keys(store, WORK) for each in keys]) == files
    assert len(to_json(batch)["reviews"] or ()) == (0 if files else reviews)


def test_what_is_found_is_shared_out_in_batches(store: S3Store) -> None:
    batches = shared_out(store, 150, 60)
    found = [[review.state.name for review in read_batch(store, batch)] for batch in batches]
    delete_batch(store, batches[0])

    assert [len(each) for each in found] == [60, 60, 30]
    assert [name for each in found for name in each] == [str(number) for number in range(150)]
    assert read_batch(store, batches[0]) == ()


def test_batches_of_runs_that_failed_long_ago_are_deleted(store: S3Store) -> None:
    (old,) = shared_out(store, 100, 1000)
    shared_out(store, 0, 1000, datetime.now(UTC) + ABANDONED + HOUR)
    assert len(read_batch(store, old)) == 100

    shared_out(store, 100, 1000, datetime.now(UTC) + ABANDONED + HOUR, "2026-12-20-run")
    assert read_batch(store, old) == ()
