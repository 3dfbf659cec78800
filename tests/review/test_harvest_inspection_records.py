"""Looking for reviews that have ended: what is taken, what is left alone, and how far the watermark may move."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from custom_labels.review import harvest_records
from custom_labels.review.harvest_inspection_records import EXAMPLES, LONGEST_UNKNOWN, HarvestInspection
from custom_labels.review.harvest_work_records import (
    ABANDONED,
    FoundReviews,
    delete_abandoned,
    delete_batch,
    read_batch,
    write_batches,
)
from custom_labels.review.review import ReviewState, ReviewStatus
from custom_labels.s3.store import S3Store
from tests.kit.memory_backend import MemoryBackend
from tests.kit.support import BUCKET, s3

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


def look(store: S3Store, *states: ReviewState) -> tuple[list[str], dict[str, object]]:
    """Look at a list of reviews; give what is to be harvested, and what was seen."""
    backend = MemoryBackend()
    backend.listed = list(states)
    with FoundReviews() as found:
        looking = HarvestInspection(store, backend, found, harvest_records.EPOCH)
        looking.at_all(NOW)
        return [review.state.name for review in found], looking.facts(complete=True)


@pytest.mark.parametrize("status", ReviewStatus)
def test_only_what_has_ended_is_harvested(store: S3Store, status: ReviewStatus) -> None:
    found, facts = look(store, state("a", status))

    assert found == (["a"] if status.is_final else [])
    assert facts["watermark"] == (NOW if status.is_final else NOW - HOUR).isoformat()


def test_the_oldest_review_that_has_not_ended_holds_the_watermark_back(store: S3Store) -> None:
    open_ = [state(str(hours), ReviewStatus.OPEN, NOW - hours * HOUR) for hours in (2, 5, 3)]

    assert look(store, *open_)[1]["watermark"] == (NOW - 5 * HOUR).isoformat()


@pytest.mark.parametrize(("age", "holds"), [(LONGEST_UNKNOWN - HOUR, True), (LONGEST_UNKNOWN + HOUR, False)])
def test_an_unknown_state_is_told_and_holds_the_watermark_for_a_time(
    store: S3Store, age: timedelta, holds: bool
) -> None:
    _, facts = look(store, state("a", ReviewStatus.UNKNOWN, NOW - age))

    assert facts["unknown"] == 1
    assert facts["examples"] == ["a: as A2I says"]
    assert facts["watermark"] == (NOW - age if holds else NOW).isoformat()


def test_few_of_many_unknown_states_are_named(store: S3Store) -> None:
    _, facts = look(store, *(state(str(number), ReviewStatus.UNKNOWN) for number in range(20)))

    assert facts["unknown"] == 20
    assert len(facts["examples"]) == EXAMPLES  # type: ignore[arg-type]


def test_a_review_is_found_once_however_often_it_is_listed(store: S3Store) -> None:
    assert look(store, *[state("a", ReviewStatus.COMPLETED)] * 3)[0] == ["a"]


def test_what_is_found_is_shared_out_in_batches(store: S3Store) -> None:
    with FoundReviews() as found:
        for number in range(5):
            found.add(state(str(number), ReviewStatus.COMPLETED))
        names = write_batches(store, "2026-11-20-run", found, 2)

    batches = [[review.state.name for review in read_batch(store, name)] for name in names]
    delete_batch(store, names[0])

    assert batches == [["0", "1"], ["2", "3"], ["4"]]
    assert read_batch(store, names[0]) == []


def test_batches_of_runs_that_failed_long_ago_are_deleted(store: S3Store) -> None:
    with FoundReviews() as found:
        found.add(state("a", ReviewStatus.COMPLETED))
        (name,) = write_batches(store, "2026-11-20-run", found, 2)

    delete_abandoned(store, datetime.now(UTC))
    assert len(read_batch(store, name)) == 1
    delete_abandoned(store, datetime.now(UTC) + ABANDONED + HOUR)
    assert read_batch(store, name) == []
