"""What must hold of a consensus, whatever people answer."""

from __future__ import annotations

import random
from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from custom_labels.core.codec import from_json, to_json
from custom_labels.core.names import review_subject
from custom_labels.review.harvest import HarvestedReview, HarvestRules, ReviewOutcome, decide_outcome
from custom_labels.review.review import (
    Agreement,
    Answered,
    ReviewAnswer,
    ReviewState,
    ReviewStatus,
    find_consensus,
)
from tests.kit.review_requests import request_for

answers = st.lists(
    st.builds(
        ReviewAnswer,
        reviewer=st.sampled_from("abcdef"),
        label=st.sampled_from([None, "1", "2", "3"]),
        submitted_at=st.integers(10, 59).map(lambda second: f"2026-11-20T11:00:{second}"),
    ),
    max_size=12,
)
quorums = st.integers(1, 9)


@given(answers, quorums, st.randoms())
def test_the_order_of_answers_changes_nothing(
    given_answers: list[ReviewAnswer], quorum: int, dice: random.Random
) -> None:
    shuffled = list(given_answers)
    dice.shuffle(shuffled)

    assert find_consensus(shuffled, quorum) == find_consensus(given_answers, quorum)


@given(answers, quorums)
def test_nobody_has_more_than_one_vote(given_answers: list[ReviewAnswer], quorum: int) -> None:
    found = find_consensus(given_answers, quorum)

    assert sum(number for _, number in found.votes) == len({answer.reviewer for answer in given_answers})


@given(answers, quorums)
def test_a_label_wins_only_with_quorum_and_more_than_any_other(given_answers: list[ReviewAnswer], quorum: int) -> None:
    found = find_consensus(given_answers, quorum)
    if found.agreement in {Agreement.AGREED, Agreement.NONE_FITS}:
        votes = Counter(dict(found.votes))
        number = votes.pop(found.label)
        assert number >= quorum
        assert all(number > other for other in votes.values())
        assert 2 * number > number + sum(votes.values())
    else:
        assert found.label is None


@given(answers, quorums)
def test_an_image_is_unanswered_exactly_when_nobody_answered(given_answers: list[ReviewAnswer], quorum: int) -> None:
    assert (find_consensus(given_answers, quorum).agreement is Agreement.UNANSWERED) == (not given_answers)


@given(st.lists(st.sampled_from([None, "1", "2"]), min_size=1, max_size=8), quorums)
def test_another_vote_for_the_winner_never_takes_the_win_away(labels: list[str | None], quorum: int) -> None:
    said = [ReviewAnswer(str(n), label, f"2026-11-20T11:00:{n:02}") for n, label in enumerate(labels)]
    before = find_consensus(said, quorum)
    if before.agreement in {Agreement.AGREED, Agreement.NONE_FITS}:
        after = find_consensus([*said, ReviewAnswer("one more", before.label, "2026-11-20T12:00:00")], quorum)
        assert (after.agreement, after.label) == (before.agreement, before.label)


@given(answers, quorums)
def test_what_a_person_says_later_changes_nothing(given_answers: list[ReviewAnswer], quorum: int) -> None:
    later = [ReviewAnswer(answer.reviewer, "3", "2026-11-20T12:00:00") for answer in given_answers]

    assert find_consensus([*given_answers, *later], quorum) == find_consensus(given_answers, quorum)


@given(st.integers(1, 4), st.sampled_from([("1", "2"), ("1", None), ("1", "2", "3")]), quorums)
def test_a_tie_is_never_decided(each: int, labels: tuple[str | None, ...], quorum: int) -> None:
    said = [ReviewAnswer(f"{label} {n}", label, f"2026-11-20T11:00:1{n}") for label in labels for n in range(each)]

    assert find_consensus(said, quorum).agreement is Agreement.DISAGREED


def rounds_of(said: list[list[ReviewAnswer]], rules_: HarvestRules) -> list[HarvestedReview]:
    """Harvest the rounds about one image, one after another, until nobody is asked any more."""
    asked, found = request_for(labels=("1", "2", "3")), list[HarvestedReview]()
    for answered in said:
        state = ReviewState(asked.name, ReviewStatus.COMPLETED, "2026-11-20T10:00:00")
        earlier = found[-1].answers if found else ()
        found.append(decide_outcome(state, Answered(asked, tuple(answered)), earlier, rules_, "2026-11-20T12:00:00"))
        if (following := found[-1].next_request) is None:
            break
        asked = following
    return found


@settings(max_examples=50)
@given(st.lists(answers, min_size=6, max_size=6), st.integers(1, 3), st.integers(1, 5))
def test_people_are_asked_in_rounds_until_they_agree_and_never_more_often_than_allowed(
    said: list[list[ReviewAnswer]], quorum: int, maximum: int
) -> None:
    found = rounds_of(said, HarvestRules("digits", "", quorum, maximum))

    decided = [review.agreement in {Agreement.AGREED, Agreement.NONE_FITS} for review in found]
    assert decided[:-1] == [False] * (len(found) - 1)
    assert len(found) <= maximum
    assert decided[-1] or (len(found) == maximum and found[-1].review_outcome is ReviewOutcome.UNDECIDED)
    assert len({review.review for review in found}) == len(found)
    assert len({review_subject(review.review) for review in found}) == 1
    assert [review.request.round for review in found if review.request] == list(range(1, len(found) + 1))


@settings(max_examples=50)
@given(st.lists(answers, min_size=6, max_size=6), st.integers(1, 3), st.integers(1, 5))
def test_the_last_round_says_what_all_answers_together_say(
    said: list[list[ReviewAnswer]], quorum: int, maximum: int
) -> None:
    found = rounds_of(said, HarvestRules("digits", "", quorum, maximum))

    together = find_consensus([answer for one in said[: len(found)] for answer in one], quorum)
    assert (found[-1].agreement, found[-1].label, found[-1].votes) == (
        together.agreement,
        together.label,
        together.votes,
    )
    assert [from_json(HarvestedReview, to_json(review)) for review in found] == found
