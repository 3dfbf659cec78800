"""While reviews fail none is opened but a probe; when one works, or the page is another, all are opened."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from custom_labels.review.opening import FIRST_PAUSE, PROBE_LIVES, OpenedReviews, ReviewHalt, halt_after
from custom_labels.review.opening_records import HALT, ReviewBudget, ReviewOpener
from custom_labels.review.review import ReviewStatus
from custom_labels.review.waiting_records import WaitingReviews
from custom_labels.s3.store import S3Store
from tests.kit.memory_backend import MemoryBackend
from tests.kit.review_requests import request_for
from tests.kit.support import BUCKET, s3

if TYPE_CHECKING:
    from include.local_aws.process import LocalAws

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
DUE = NOW + FIRST_PAUSE


@pytest.fixture
def store(aws: LocalAws) -> S3Store:
    """A project whose reviews all failed at noon; five wait, of which one never failed."""
    s3(aws).create_bucket(Bucket=BUCKET)
    made = S3Store(BUCKET)
    asked = [request_for(f"images_for_detection/{n}.png", confidence=float(n), attempt=2 - n // 4) for n in range(5)]
    WaitingReviews(made).add("one", asked)
    HALT.change(made, lambda before: halted(before, "no page"))
    return made


def halted(before: ReviewHalt | None, reason: str) -> ReviewHalt | None:
    return halt_after(
        before, failed_at="2026-11-20T11", completed_at="", reason=reason, setup="page 1", run="a harvest", now=NOW
    )


def open_at(store: S3Store, backend: MemoryBackend, moment: datetime, budget: int = 10) -> OpenedReviews:
    return ReviewOpener(store, backend, budget=budget, now=lambda: moment).run()


def test_nothing_is_opened_before_it_is_time_for_a_probe(store: S3Store) -> None:
    backend = MemoryBackend()

    opening = open_at(store, backend, DUE - timedelta(seconds=1))

    assert (opening.opened, opening.waiting, backend.opened) == (0, 5, [])
    assert "before anybody can answer them: no page" in opening.trouble
    assert "trigger the bootstrap DAG" in opening.trouble


def test_one_review_is_opened_as_a_probe_that_failed_least_often(store: S3Store) -> None:
    backend = MemoryBackend()

    first, second = open_at(store, backend, DUE), open_at(store, backend, DUE + timedelta(seconds=1))

    assert (first.opened, first.waiting, second.opened) == (1, 4, 0)
    assert backend.opened == [request_for("images_for_detection/4.png").name]
    assert ReviewBudget(store, NOW.date()).read().opened == 1


def test_all_are_opened_when_the_probe_is_shown_to_people(store: S3Store) -> None:
    backend = MemoryBackend()
    open_at(store, backend, DUE)

    opening = open_at(store, backend, DUE + PROBE_LIVES)

    assert opening == OpenedReviews(opened=4)
    assert HALT.read(store) is None


def test_the_next_probe_comes_later_when_one_failed(store: S3Store) -> None:
    backend = MemoryBackend()
    open_at(store, backend, DUE)
    backend.states_by_name[backend.opened[0]] = ReviewStatus.FAILED

    assert open_at(store, backend, DUE + PROBE_LIVES).opened == 0
    assert open_at(store, backend, DUE + PROBE_LIVES + FIRST_PAUSE).opened == 0
    assert open_at(store, backend, DUE + PROBE_LIVES + 2 * FIRST_PAUSE).opened == 1


def test_all_are_opened_when_the_page_is_another(store: S3Store) -> None:
    backend = MemoryBackend()
    backend.setup = "page 2"

    assert open_at(store, backend, NOW) == OpenedReviews(opened=5)
    assert HALT.read(store) is None


def test_a_probe_that_was_never_opened_holds_nothing_up(store: S3Store) -> None:
    """The worker died between the note and the opening."""
    HALT.change(store, lambda present: present.begin_probe("digits-gone-r1", DUE) if present else None)
    backend = MemoryBackend()

    assert open_at(store, backend, DUE).opened == 0
    assert open_at(store, backend, DUE + 2 * FIRST_PAUSE).opened == 1


@pytest.mark.parametrize("budget", [0, 10])
def test_a_probe_is_opened_within_the_budget(store: S3Store, budget: int) -> None:
    assert open_at(store, MemoryBackend(), DUE, budget).opened == min(1, budget)


def test_what_failed_reviews_took_of_the_budget_is_given_back_once(store: S3Store) -> None:
    ReviewBudget(store, NOW.date()).count(10, 10)

    for _ in range(2):
        budget = ReviewBudget(store, NOW.date())
        budget.give_back("2026-11-20-chunk", 7)
        assert budget.read().room(10) == 7
    assert ReviewBudget(store, NOW.date()).count(10, 10) == 7
