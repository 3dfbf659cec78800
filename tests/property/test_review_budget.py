"""Whatever is killed wherever, and whoever else opens reviews: never more than the day's budget."""

from __future__ import annotations

import contextlib
import itertools
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from custom_labels.core.codec import from_json, to_json
from custom_labels.review.opening import DayBudget
from custom_labels.review.opening_records import ReviewOpener
from custom_labels.review.waiting_records import WaitingReviews
from custom_labels.s3.store import S3Store
from tests.kit.memory_backend import MemoryBackend
from tests.kit.review_requests import request_for
from tests.kit.support import BUCKET, s3

if TYPE_CHECKING:
    from include.local_aws.process import LocalAws

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
OWNERS = ("a", "b", "c")
_prefixes = itertools.count()

moves = st.lists(
    st.tuples(
        st.sampled_from(("count", "uncount", "give back")),
        st.sampled_from(OWNERS),
        st.integers(0, 20),
        st.integers(0, 30),
    ),
    max_size=40,
)


@given(moves)
def test_what_is_counted_never_exceeds_the_largest_budget(steps: list[tuple[str, str, int, int]]) -> None:
    """Whoever counts opens what it counted, or says truly what it did not open."""
    day, opened, largest = DayBudget(), 0, 0
    failed: dict[str, int] = {}
    for move, owner, number, budget in steps:
        if move == "count":
            largest = max(largest, budget)
            counted = min(number, day.room(budget))
            day, opened = day.count(counted), opened + counted
        elif move == "give back":
            # Of what was opened and has not failed yet; a finder that comes again says the same.
            failed.setdefault(owner, min(number, opened - sum(failed.values())))
            day = day.give_back(owner, failed[owner])
        else:
            unopened = min(number, opened - sum(failed.values()))
            day, opened = day.count(-unopened), opened - unopened
        assert opened - sum(failed.values()) <= largest
        assert from_json(DayBudget, to_json(day)) == day


class Killed(BaseException):
    """The worker is gone."""


class Mortal:
    """Calls of S3 and of the backend, of which one is the last."""

    def __init__(self, store: S3Store, backend: MemoryBackend) -> None:
        self.store = store
        self.left: int | None = None
        self._call = store.call
        store.call = self.call  # type: ignore[method-assign]
        backend.before = backend.after = self.step

    def step(self, _: Any = None) -> None:
        if self.left is not None:
            self.left -= 1
            if self.left < 0:
                raise Killed

    def call(self, operation: str, relative: str = "", **more: Any) -> Any:
        self.step()
        answer = self._call(operation, relative, **more)
        self.step()
        return answer


@pytest.fixture
def bucket(aws: LocalAws) -> str:
    s3(aws).create_bucket(Bucket=BUCKET)
    return BUCKET


@pytest.mark.slow
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    lives=st.lists(st.one_of(st.none(), st.integers(0, 25)), max_size=6),
    budget=st.integers(0, 6),
)
def test_tasks_that_are_killed_at_any_call_keep_to_the_budget(
    bucket: str, lives: list[int | None], budget: int
) -> None:
    store, backend = S3Store(bucket, f"project-{next(_prefixes)}"), MemoryBackend()
    asked = [request_for(f"images_for_detection/{n}.png") for n in range(8)]
    WaitingReviews(store).add("one", asked[:4])
    WaitingReviews(store).add("two", asked[4:])
    mortal = Mortal(store, backend)
    for calls in lives:
        mortal.left = calls
        with contextlib.suppress(Killed):
            ReviewOpener(store, backend, budget=budget, now=lambda: NOON).run()
        assert len(backend.opened) <= budget
    mortal.left = None

    for _ in range(3):  # those that were killed come back, and the next day opens the rest
        ReviewOpener(store, backend, budget=budget, now=lambda: NOON).run()
        assert len(backend.opened) <= budget
    ReviewOpener(store, backend, budget=8, now=lambda: NOON + timedelta(days=1)).run()
    assert set(backend.opened) == {request.name for request in asked}
    assert list(WaitingReviews(store).read()) == []
