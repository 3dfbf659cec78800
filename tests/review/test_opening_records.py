"""Opening what waits: the right ones first, never more than the budget, and what is not opened waits on."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from custom_labels.review.backends.base import ReviewBackendError, ReviewBackendFull, ReviewBackendNotReady
from custom_labels.review.opening import OpenedReviews
from custom_labels.review.opening_records import OpenedReview, ReviewBudget, ReviewOpener, find_requests
from custom_labels.review.review import Purpose, ReviewRequest
from custom_labels.review.waiting_records import WaitingReviews
from custom_labels.s3.store import S3Store
from tests.kit.memory_backend import MemoryBackend
from tests.kit.review_requests import request_for
from tests.kit.support import BUCKET, s3

if TYPE_CHECKING:
    from include.local_aws.process import LocalAws

TODAY, TOMORROW = date(2026, 11, 20), date(2026, 11, 21)


@pytest.fixture
def store(aws: LocalAws) -> S3Store:
    s3(aws).create_bucket(Bucket=BUCKET)
    return S3Store(BUCKET, "a/project")


def requests(count: int) -> list[ReviewRequest]:
    """Make requests, the most doubtful first."""
    return [request_for(f"images_for_detection/{n:03}.png", confidence=float(n)) for n in range(count)]


def noon(day: date) -> Callable[[], datetime]:
    return lambda: datetime.combine(day, time(12, tzinfo=UTC))


def open_waiting(
    store: S3Store, backend: MemoryBackend, budget: int = 100, day: date = TODAY, **more: Any
) -> OpenedReviews:
    return ReviewOpener(store, backend, budget=budget, now=noon(day), **more).run()


def waiting(store: S3Store) -> set[str]:
    return {one.request.name for one in WaitingReviews(store).read()}


def used(store: S3Store, day: date = TODAY) -> int:
    return ReviewBudget(store, day).read().opened


def raise_for(number: int, error: Exception) -> Callable[[ReviewRequest], None]:
    """Refuse a request by its number."""

    def before(request: ReviewRequest) -> None:
        if request.key.endswith(f"{number:03}.png"):
            raise error

    return before


def test_all_are_opened_within_the_budget(store: S3Store) -> None:
    WaitingReviews(store).add("one", requests(5))
    backend = MemoryBackend()

    assert open_waiting(store, backend) == OpenedReviews(opened=5)
    assert len(backend.opened) == 5
    assert waiting(store) == set()
    assert used(store) == 5


def test_the_rest_waits_when_the_budget_is_used_up_and_goes_on_the_next_day(store: S3Store) -> None:
    WaitingReviews(store).add("one", requests(5))
    backend = MemoryBackend()

    assert open_waiting(store, backend, budget=3) == OpenedReviews(opened=3, waiting=2)
    assert open_waiting(store, backend, budget=3) == OpenedReviews(waiting=2)
    assert open_waiting(store, backend, budget=3, day=TOMORROW) == OpenedReviews(opened=2)


@pytest.mark.parametrize(("budget", "reads"), [(0, 1), (3, 1)], ids=["used up", "open"])
def test_what_waits_is_read_once(store: S3Store, monkeypatch: pytest.MonkeyPatch, budget: int, reads: int) -> None:
    """A file of which all are opened is deleted as it was read; one that some were taken from is read again."""
    for number in range(3):
        WaitingReviews(store).add(f"file-{number}", requests(9)[3 * number : 3 * number + 3])
    asked: list[str] = []
    read_bytes = store.read_bytes

    def counted(relative: str, **more: Any) -> Any:
        asked.append(relative)
        return read_bytes(relative, **more)

    monkeypatch.setattr(store, "read_bytes", counted)
    opening = open_waiting(store, MemoryBackend(), budget=budget)

    assert opening == OpenedReviews(opened=budget, waiting=9 - budget)
    assert [asked.count(f"reviews/waiting/file-{number}.jsonl") for number in range(3)] == [reads] * 3


def test_reviews_that_wait_too_long_are_not_opened(store: S3Store) -> None:
    WaitingReviews(store).add("old", requests(2), noon(TODAY)() - timedelta(days=31))
    WaitingReviews(store).add("young", requests(4)[2:], noon(TODAY)())
    backend = MemoryBackend()

    assert open_waiting(store, backend) == OpenedReviews(opened=2, too_old=2)
    assert set(backend.opened) == {request.name for request in requests(4)[2:]}


def test_a_budget_that_was_lowered_opens_none_and_one_that_was_raised_opens_more(store: S3Store) -> None:
    WaitingReviews(store).add("one", requests(5))
    backend = MemoryBackend()

    assert open_waiting(store, backend, budget=2).opened == 2
    assert open_waiting(store, backend, budget=1).opened == 0
    assert open_waiting(store, backend, budget=4).opened == 2


def test_audits_come_first_then_images_without_a_label_then_the_least_sure(store: S3Store) -> None:
    sure, doubtful = requests(100)[90], requests(100)[10]
    nothing = request_for("images_for_detection/none.png", label=None, confidence=None)
    audit = request_for("images_for_detection/audit.png", confidence=99.0, purpose=Purpose.AUDIT)
    WaitingReviews(store).add("one", [sure, doubtful])
    WaitingReviews(store).add("two", [nothing, audit])
    backend = MemoryBackend()

    for expected in (audit, nothing, doubtful, sure):
        seen = len(backend.opened)
        open_waiting(store, backend, budget=seen + 1)
        assert backend.opened[seen:] == [expected.name]


def test_only_audits_are_opened_when_the_review_workflow_is_off(store: S3Store) -> None:
    audit = request_for("images_for_detection/audit.png", purpose=Purpose.AUDIT)
    WaitingReviews(store).add("one", [*requests(2), audit])
    backend = MemoryBackend()

    assert open_waiting(store, backend, audits_only=True) == OpenedReviews(opened=1, waiting=2)
    assert backend.opened == [audit.name]


def test_a_review_that_was_opened_before_costs_nothing(store: S3Store) -> None:
    backend = MemoryBackend()
    backend.opened += [request.name for request in requests(3)]
    WaitingReviews(store).add("one", requests(5))

    assert open_waiting(store, backend, budget=2) == OpenedReviews(opened=2, known=3)
    assert used(store) == 2
    assert waiting(store) == set()


def test_the_same_request_in_two_files_is_opened_once(store: S3Store) -> None:
    WaitingReviews(store).add("one", requests(2))
    WaitingReviews(store).add("two", requests(2))
    backend = MemoryBackend()

    assert open_waiting(store, backend) == OpenedReviews(opened=2, known=2)
    assert used(store) == 2


@pytest.mark.parametrize("full_at", [0, 3])
def test_what_a_full_backend_does_not_take_waits_and_is_given_back(store: S3Store, full_at: int) -> None:
    WaitingReviews(store).add("one", requests(10))
    backend = MemoryBackend()

    def before(request: ReviewRequest) -> None:
        if len(backend.opened) >= full_at:
            raise ReviewBackendFull("no more for now")

    backend.before = before
    opening = open_waiting(store, backend)

    assert opening.trouble == "no more for now"
    assert opening.opened == len(backend.opened) == used(store)
    assert opening.waiting == len(waiting(store)) == 10 - opening.opened


def test_requests_wait_and_cost_nothing_when_the_backend_is_not_set_up(store: S3Store) -> None:
    WaitingReviews(store).add("one", requests(3))
    backend = MemoryBackend(before=raise_for(0, ReviewBackendNotReady("trigger digits_bootstrap")))

    with pytest.raises(ReviewBackendNotReady, match="trigger digits_bootstrap"):
        open_waiting(store, backend)

    assert len(waiting(store)) == 3 - len(backend.opened)
    assert used(store) == len(backend.opened)


def test_a_request_that_is_refused_keeps_no_other_from_being_opened(store: S3Store) -> None:
    WaitingReviews(store).add("one", requests(4))
    backend = MemoryBackend(before=raise_for(0, ReviewBackendError("no such picture")))

    opening = open_waiting(store, backend)

    assert opening == OpenedReviews(opened=3, waiting=1, trouble="no such picture")
    assert used(store) == 3


def test_a_task_fails_when_every_request_is_refused(store: S3Store) -> None:
    WaitingReviews(store).add("one", requests(1))
    backend = MemoryBackend(before=raise_for(0, ReviewBackendError("AccessDenied")))

    with pytest.raises(ReviewBackendError, match="AccessDenied"):
        open_waiting(store, backend)

    assert used(store) == 0


def test_a_start_whose_answer_is_lost_counts(store: S3Store) -> None:
    WaitingReviews(store).add("one", requests(1))
    lost = ReviewBackendError("no answer", is_passing=True)
    backend = MemoryBackend(after=raise_for(0, lost))

    with pytest.raises(ReviewBackendError, match="no answer"):
        open_waiting(store, backend)

    assert used(store) == len(backend.opened) == len(waiting(store)) == 1


def test_an_outage_is_not_waited_for_by_each_request(store: S3Store) -> None:
    WaitingReviews(store).add("one", requests(200))
    asked: list[str] = []

    def before(request: ReviewRequest) -> None:
        asked.append(request.name)
        raise ReviewBackendError("out of order", is_passing=True)

    with pytest.raises(ReviewBackendError, match="out of order"):
        open_waiting(store, MemoryBackend(before=before))

    assert len(set(asked)) < 20
    assert len(waiting(store)) == 200


def test_a_throttled_start_is_repeated(store: S3Store) -> None:
    WaitingReviews(store).add("one", requests(1))
    errors = [ReviewBackendError("throttled", is_passing=True) for _ in range(2)]

    def before(request: ReviewRequest) -> None:
        if errors:
            raise errors.pop()

    backend = MemoryBackend(before=before)
    backend.patience_seconds = 20
    opener = ReviewOpener(store, backend, budget=5)

    assert opener.run() == OpenedReviews(opened=1)


class Killed(BaseException):
    """The worker is gone."""


@pytest.mark.parametrize("budget", [2, 3])
def test_what_a_killed_try_had_counted_is_given_to_nobody(store: S3Store, budget: int) -> None:
    """More doubtful requests came in meanwhile."""
    WaitingReviews(store).add("one", requests(4)[2:])
    backend = MemoryBackend(after=raise_for(2, Killed()))  # type: ignore[arg-type]
    with pytest.raises(Killed):
        open_waiting(store, backend, budget=budget)
    WaitingReviews(store).add("two", requests(2))
    backend.after = id

    opening = open_waiting(store, backend, budget=budget)

    assert (opening.opened, used(store)) == (budget - 2, budget)
    assert len(backend.opened) <= budget
    open_waiting(store, backend, day=TOMORROW)
    assert set(backend.opened) == {request.name for request in requests(4)}


def test_a_killed_try_costs_the_budget_no_more_than_what_it_had_counted(
    store: S3Store,
) -> None:
    WaitingReviews(store).add("one", requests(30))
    backend = MemoryBackend(after=raise_for(12, Killed()))  # type: ignore[arg-type]
    with pytest.raises(Killed):
        open_waiting(store, backend, budget=20, together=5)
    backend.after = id

    open_waiting(store, backend, budget=20, together=5)

    assert 20 - 5 <= len(backend.opened) <= 20


def test_many_owners_at_once_keep_to_the_budget(store: S3Store) -> None:
    for number in range(4):
        WaitingReviews(store).add(f"file-{number}", requests(40)[10 * number : 10 * number + 10])
    backend = MemoryBackend()
    barrier = threading.Barrier(4)

    def run(number: int) -> OpenedReviews:
        barrier.wait(10)
        return open_waiting(store, backend, budget=12)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(run, range(4)))

    assert len(backend.opened) <= 12
    open_waiting(store, backend, budget=12)
    assert len(backend.opened) == 12 == used(store)


def test_a_request_is_found_again_by_its_name(store: S3Store) -> None:
    asked = requests(3)
    WaitingReviews(store).add("one", asked)
    open_waiting(store, MemoryBackend())

    found = find_requests(store, {asked[0].name, asked[2].name, "unknown"}, TOMORROW, TOMORROW)

    assert found == {each.name: OpenedReview(each, TODAY) for each in (asked[0], asked[2])}


def test_the_budget_is_there_to_be_read(store: S3Store) -> None:
    WaitingReviews(store).add("one", requests(2))
    open_waiting(store, MemoryBackend())

    body = store.client.get_object(Bucket=BUCKET, Key="a/project/reviews/budget/2026-11-20.json")["Body"].read()

    assert {**json.loads(body), "writer": ""} == {"opened": 2, "returned": {}, "writer": ""}
