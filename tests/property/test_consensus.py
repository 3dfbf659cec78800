"""What must hold of a consensus, whatever people answer."""

from __future__ import annotations

import random
from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from custom_labels.domain.review import Agreement, ConsensusRule, ReviewAnswer, find_consensus

answers = st.lists(
    st.builds(
        ReviewAnswer,
        reviewer=st.sampled_from("abcdef"),
        label=st.sampled_from([None, "1", "2", "3"]),
        submitted_at=st.integers(10, 59).map(lambda second: f"2026-11-20T11:00:{second}"),
    ),
    max_size=12,
)
rules = st.builds(ConsensusRule, quorum=st.integers(1, 9), majority=st.booleans())


@given(answers, rules, st.randoms())
def test_the_order_of_answers_changes_nothing(
    given_answers: list[ReviewAnswer], rule: ConsensusRule, dice: random.Random
) -> None:
    shuffled = list(given_answers)
    dice.shuffle(shuffled)

    assert find_consensus(shuffled, rule) == find_consensus(given_answers, rule)


@given(answers, rules)
def test_nobody_has_more_than_one_vote(given_answers: list[ReviewAnswer], rule: ConsensusRule) -> None:
    found = find_consensus(given_answers, rule)

    assert sum(number for _, number in found.votes) == len({answer.reviewer for answer in given_answers})


@given(answers, rules)
def test_a_label_wins_only_with_quorum_and_more_than_any_other(
    given_answers: list[ReviewAnswer], rule: ConsensusRule
) -> None:
    found = find_consensus(given_answers, rule)
    if found.agreement in {Agreement.AGREED, Agreement.NONE_FITS}:
        votes = Counter(dict(found.votes))
        number = votes.pop(found.label)
        assert number >= rule.quorum
        assert all(number > other for other in votes.values())
        assert not rule.majority or 2 * number > number + sum(votes.values())
    else:
        assert found.label is None


@given(answers, rules)
def test_an_image_is_unanswered_exactly_when_nobody_answered(
    given_answers: list[ReviewAnswer], rule: ConsensusRule
) -> None:
    assert (find_consensus(given_answers, rule).agreement is Agreement.UNANSWERED) == (not given_answers)


@given(st.lists(st.sampled_from([None, "1", "2"]), min_size=1, max_size=8), rules)
def test_another_vote_for_the_winner_never_takes_the_win_away(labels: list[str | None], rule: ConsensusRule) -> None:
    said = [ReviewAnswer(str(n), label, f"2026-11-20T11:00:{n:02}") for n, label in enumerate(labels)]
    before = find_consensus(said, rule)
    if before.agreement in {Agreement.AGREED, Agreement.NONE_FITS}:
        after = find_consensus([*said, ReviewAnswer("one more", before.label, "2026-11-20T12:00:00")], rule)
        assert (after.agreement, after.label) == (before.agreement, before.label)
