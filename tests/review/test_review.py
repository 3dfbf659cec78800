"""Joining what people said: whose answer counts, and when it is everybody's."""

from __future__ import annotations

import pytest

from custom_labels.core.codec import from_json, to_json
from custom_labels.review.review import (
    Agreement,
    Consensus,
    ReviewAnswer,
    ReviewRequest,
    ReviewStatus,
    find_consensus,
)
from tests.kit.review_requests import request_for


def consensus(*labels: str | None, quorum: int = 2) -> Consensus:
    answers = [ReviewAnswer(f"w{n}", label, f"2026-11-20T11:00:{n:02}") for n, label in enumerate(labels)]
    return find_consensus(answers, quorum)


@pytest.mark.parametrize(
    ("labels", "agreement", "label"),
    [
        ((), Agreement.UNANSWERED, None),
        (("a",), Agreement.DISAGREED, None),
        (("a", "a"), Agreement.AGREED, "a"),
        (("a", "b"), Agreement.DISAGREED, None),
        (("a", "b", "b"), Agreement.AGREED, "b"),
        (("a", "b", "c"), Agreement.DISAGREED, None),
        (("a", "a", "b", "c"), Agreement.DISAGREED, None),
        (("a", "a", "b", "b", "c"), Agreement.DISAGREED, None),
        ((None, None, "a"), Agreement.NONE_FITS, None),
        ((None, "a"), Agreement.DISAGREED, None),
        (("a", None, "a"), Agreement.AGREED, "a"),
    ],
    ids=lambda value: ",".join(map(str, value)) if isinstance(value, tuple) else None,
)
def test_what_people_say_together(labels: tuple[str | None, ...], agreement: Agreement, label: str | None) -> None:
    found = consensus(*labels)

    assert (found.agreement, found.label) == (agreement, label)
    assert sum(number for _, number in found.votes) == len(labels)


def test_the_earliest_answer_of_a_person_counts() -> None:
    first = ReviewAnswer("w", "a", "2026-11-20T11:00:00")
    second = ReviewAnswer("w", "b", "2026-11-20T12:00:00")

    assert find_consensus([second, first], 1).votes == (("a", 1),)


@pytest.mark.parametrize(
    ("labels", "reason"),
    [
        (("a", "b"), "a tie: 1 of 2 said 'a' and as many 'b'"),
        (("a", None), "a tie: 1 of 2 said 'a' and as many 'None of the above'"),
        (("a",), "1 of 1 said 'a', fewer than the 2 that are needed"),
        (("a", "a", "b", "c"), "2 of 4 said 'a', which is no majority"),
        (("a", "a"), "2 of 2 said 'a'"),
        ((), "nobody answered"),
    ],
)
def test_the_reason_is_in_words(labels: tuple[str | None, ...], reason: str) -> None:
    assert consensus(*labels).reason == reason


def test_a_request_is_read_back_as_it_was() -> None:
    request = request_for(label=None, confidence=None)

    assert from_json(ReviewRequest, to_json(request)) == request


@pytest.mark.parametrize("status", ReviewStatus)
def test_a_review_has_ended_unless_it_is_open_or_unknown(status: ReviewStatus) -> None:
    assert status.is_final == (status not in {ReviewStatus.OPEN, ReviewStatus.UNKNOWN})
