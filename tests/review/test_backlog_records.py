"""What waits is bounded by age and number, and lies in few files; what is dropped is counted, nothing else is lost."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import pytest

from custom_labels.review import waiting_records
from custom_labels.review.review import Purpose, ReviewRequest
from custom_labels.review.waiting_records import Backlog, BacklogReader, WaitingReviews
from custom_labels.s3.store import S3Store
from tests.kit.review_requests import request_for
from tests.review.test_request_records import files, names

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
MONTH = timedelta(days=30)


def requests(numbers: Iterable[int]) -> list[ReviewRequest]:
    """Make requests, the most doubtful first."""
    return [request_for(f"images_for_detection/{n:03}.png", confidence=float(n)) for n in numbers]


def bound(store: S3Store, maximum: int = 100) -> Backlog:
    return BacklogReader(WaitingReviews(store), maximum, NOW - MONTH).read()


def test_what_waits_too_long_is_dropped_and_counted(store: S3Store) -> None:
    waiting = WaitingReviews(store)
    waiting.add("old", requests(range(3)), NOW - MONTH - timedelta(seconds=1))
    waiting.add("young", requests(range(3, 5)), NOW - MONTH)

    assert bound(store) == Backlog(waiting=2, too_old=3)
    assert names(waiting) == {request.name for request in requests(range(3, 5))}
    assert bound(store) == Backlog(waiting=2)


def test_age_outlives_the_taking_away_of_others(store: S3Store) -> None:
    waiting = WaitingReviews(store)
    waiting.add("old", requests(range(3)), NOW - MONTH - timedelta(days=1))
    waiting.remove(next(waiting.read()).file, {requests(range(1))[0].name})

    assert bound(store).too_old == 2


def test_the_least_urgent_are_dropped_where_too_many_wait(store: S3Store) -> None:
    waiting = WaitingReviews(store)
    waiting.add("one", requests(range(0, 10, 2)), NOW)
    waiting.add("two", requests(range(1, 10, 2)), NOW)
    audit = request_for("images_for_detection/audit.png", confidence=99.9, purpose=Purpose.AUDIT)
    waiting.add("audit", [audit], NOW)

    assert bound(store, 4) == Backlog(waiting=4, too_many=7)
    assert names(waiting) == {audit.name, *(request.name for request in requests(range(3)))}


def test_many_are_dropped_in_slices(store: S3Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting_records, "DROPPED_AT_ONCE", 3)
    for number in range(10):
        WaitingReviews(store).add(f"file-{number}", requests([number]), NOW)

    assert bound(store, 2) == Backlog(waiting=2, too_many=8)
    assert names(WaitingReviews(store)) == {request.name for request in requests(range(2))}


def test_many_small_files_become_few(store: S3Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """To read what waits cost a call for each image that ever waited, in every run of three DAGs."""
    monkeypatch.setattr(waiting_records, "FILE_REQUESTS", 10)
    for number in range(24):
        WaitingReviews(store).add(f"file-{number:02}", requests([number]), NOW)

    assert bound(store) == Backlog(waiting=24)
    assert len(files(store)) == 2 + 4
    assert names(WaitingReviews(store)) == {request.name for request in requests(range(24))}
    assert bound(store) == Backlog(waiting=24)


@pytest.mark.parametrize("count", [1, 8], ids=["one", "as many as are read at once"])
def test_few_small_files_are_left_as_they_are(store: S3Store, count: int) -> None:
    for number in range(count):
        WaitingReviews(store).add(f"file-{number:02}", requests([number]), NOW)
    before = files(store)

    assert bound(store) == Backlog(waiting=count)
    assert files(store) == before


def test_the_most_urgent_are_chosen_in_order(store: S3Store) -> None:
    audit = request_for("images_for_detection/audit.png", confidence=99.9, purpose=Purpose.AUDIT)
    WaitingReviews(store).add("one", requests([5, 1, 3]), NOW)
    WaitingReviews(store).add("two", [*requests([4, 2]), audit], NOW)

    def chosen(*, audits_only: bool = False) -> list[str]:
        reader = BacklogReader(WaitingReviews(store), 100, NOW - MONTH, 3, audits_only=audits_only)
        return [one.request.name for one in reader.read().urgent]

    assert chosen() == [audit.name, *(request.name for request in requests([1, 2]))]
    assert chosen(audits_only=True) == [audit.name]


class Killed(BaseException):
    """The worker is gone."""


@pytest.mark.parametrize("calls", range(0, 24, 3))
def test_a_pass_that_is_killed_loses_nothing(store: S3Store, monkeypatch: pytest.MonkeyPatch, calls: int) -> None:
    for number in range(10):
        WaitingReviews(store).add(f"file-{number:02}", requests([number]), NOW)
    call, left = store.call, [calls]

    def mortal(operation: str, relative: str = "", **more: object) -> object:
        left[0] -= 1
        if left[0] < 0:
            raise Killed
        return call(operation, relative, **more)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(store, "call", mortal)
        with contextlib.suppress(Killed):
            bound(store)
    bound(store)

    assert names(WaitingReviews(store)) == {request.name for request in requests(range(10))}


def test_a_request_that_is_added_while_files_are_merged_stays(store: S3Store, monkeypatch: pytest.MonkeyPatch) -> None:
    waiting = WaitingReviews(store)
    for number in range(10):
        waiting.add(f"file-{number:02}", requests([number]), NOW)
    call, meanwhile = store.call, requests([3, 99])

    def interrupted(operation: str, relative: str = "", **more: object) -> object:
        if operation == "delete_object" and relative.endswith("file-03.jsonl") and meanwhile:
            waiting.add("file-03", [meanwhile.pop(), meanwhile.pop()], NOW)
        return call(operation, relative, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(store, "call", interrupted)
    bound(store)

    assert names(waiting) == {request.name for request in requests([*range(10), 99])}
