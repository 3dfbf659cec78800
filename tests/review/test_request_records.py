"""Requests that wait for the budget: none is lost, whoever writes and takes away at the same time."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError

from custom_labels.core.codec import to_json
from custom_labels.review.waiting_records import WAITING, WaitingFile, WaitingReviews
from custom_labels.s3.line_files import to_lines
from custom_labels.s3.store import S3Store, StorageError
from tests.kit.review_requests import request_for

A, B, C = (request_for(f"images_for_detection/{name}.png") for name in "abc")


def files(store: S3Store) -> list[str]:
    listed = store.client.list_objects_v2(Bucket=store.bucket, Prefix=store.key(WAITING))
    return [entry["Key"].removeprefix(store.key(WAITING)) for entry in listed.get("Contents", [])]


def names(waiting: WaitingReviews) -> set[str]:
    return {found.request.name for found in waiting.read()}


def file_of(waiting: WaitingReviews) -> WaitingFile:
    return next(waiting.read()).file


def test_requests_wait_as_they_were_added(store: S3Store) -> None:
    waiting = WaitingReviews(store)
    waiting.add("one", [A, B])
    waiting.add("two", [C])

    assert {found.request for found in waiting.read()} == {A, B, C}
    assert len(names(waiting)) == 3


def test_nothing_is_written_for_no_requests(store: S3Store) -> None:
    WaitingReviews(store).add("one", [])

    assert files(store) == []


def test_the_same_work_done_again_overwrites_its_own_file(store: S3Store) -> None:
    waiting = WaitingReviews(store)
    waiting.add("one", [A, B])
    waiting.add("one", [A])

    assert names(waiting) == {A.name}


@pytest.mark.parametrize("id_", ["", "a/b", "../x", "a\nb", "x" * 201])
def test_an_id_that_could_be_a_path_is_refused(store: S3Store, id_: str) -> None:
    with pytest.raises(ValueError, match="is no id of a file of waiting reviews"):
        WaitingReviews(store).add(id_, [A])


@pytest.mark.parametrize(
    ("removed", "left", "remaining"),
    [({A.name}, {B.name, C.name}, ["one.jsonl"]), ({A.name, B.name, C.name}, set(), []), ({"x"}, None, ["one.jsonl"])],
    ids=["one of several", "all", "none that is there"],
)
def test_what_is_opened_is_taken_away(
    store: S3Store, removed: set[str], left: set[str] | None, remaining: list[str]
) -> None:
    waiting = WaitingReviews(store)
    waiting.add("one", [A, B, C])

    waiting.remove(file_of(waiting), removed)

    assert names(waiting) == (left if left is not None else {A.name, B.name, C.name})
    assert files(store) == remaining


def test_taking_away_from_a_file_that_is_gone_is_no_error(store: S3Store) -> None:
    WaitingReviews(store).remove(WaitingFile(f"{WAITING}one.jsonl", '"0"', 1), {A.name})


@pytest.mark.parametrize("taken", [{A.name}, {A.name, B.name}], ids=["a line", "the file"])
def test_a_request_added_in_the_middle_of_taking_away_stays(
    store: S3Store, monkeypatch: pytest.MonkeyPatch, taken: set[str]
) -> None:
    waiting = WaitingReviews(store)
    waiting.add("one", [A, B])
    call, meanwhile = store.call, [C]

    def interrupted(operation: str, relative: str = "", **more: object) -> object:
        if "IfMatch" in more and meanwhile:
            waiting.add("one", [A, B, meanwhile.pop()])
        return call(operation, relative, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(store, "call", interrupted)
    waiting.remove(file_of(waiting), taken)

    assert names(waiting) == {A.name, B.name, C.name} - taken


def test_signs_that_other_readers_take_for_line_ends_stay_within_a_line(store: S3Store) -> None:
    odd = request_for("images_for_detection/\u2028\u0085.png", label="a\u2029b")
    WaitingReviews(store).add("one", [odd])

    assert [found.request for found in WaitingReviews(store).read()] == [odd]


def test_a_damaged_file_is_named_with_the_way_out(store: S3Store) -> None:
    store.call(
        "put_object", f"{WAITING}one.jsonl", Body=to_lines([{"request": to_json(A), "since": "2026-11-20"}])[:-20]
    )

    with pytest.raises(StorageError, match=r"reviews/waiting/one.jsonl holds no JSON Lines.*delete it"):
        list(WaitingReviews(store).read())


def test_a_bucket_that_is_gone_is_no_empty_folder(store: S3Store) -> None:
    store.client.delete_bucket(Bucket=store.bucket)

    with pytest.raises((StorageError, ClientError), match="NoSuchBucket"):
        list(WaitingReviews(store).read())
