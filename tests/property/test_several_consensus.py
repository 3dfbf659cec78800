"""What must hold of a consensus on several labels or boxes, whatever people answer."""

from __future__ import annotations

import random
from itertools import combinations
from typing import TypeVar

from hypothesis import given
from hypothesis import strategies as st

from custom_labels.datasets.annotations.annotation import Box, ImageSize
from custom_labels.datasets.annotations.boxes import judge_box
from custom_labels.evaluation.box_matching import overlap
from custom_labels.review.consensus import find_box_consensus, find_label_consensus, is_carried
from custom_labels.review.review import Agreement, BoxesAnswer, LabelsAnswer

T = TypeVar("T")

SIZE = ImageSize(64, 64)
people, quorums = st.sampled_from("abcde"), st.integers(1, 4)
moments = st.integers(10, 59).map(lambda second: f"2026-11-20T11:00:{second}")
labels_answers = st.lists(
    st.builds(
        LabelsAnswer,
        people,
        st.sets(st.sampled_from(["1", "2", "3"])).map(lambda labels: tuple(sorted(labels))),
        moments,
    ),
    max_size=7,
)
# Few places, so that people do draw the same.
boxes = st.builds(
    Box,
    st.sampled_from("xy"),
    st.integers(0, 3).map(lambda n: n * 8),
    st.integers(0, 3).map(lambda n: n * 8),
    st.integers(16, 20),
    st.integers(16, 20),
)
boxes_answers = st.lists(
    st.builds(BoxesAnswer, people, st.lists(boxes, max_size=4).map(tuple), st.just(SIZE), moments), max_size=6
)


def shuffled(values: list[T], dice: random.Random) -> list[T]:
    copy = list(values)
    dice.shuffle(copy)
    return copy


@given(labels_answers, quorums, st.randoms())
def test_the_order_of_labels_answers_changes_nothing(
    answers: list[LabelsAnswer], quorum: int, dice: random.Random
) -> None:
    assert find_label_consensus(shuffled(answers, dice), quorum) == find_label_consensus(answers, quorum)


@given(boxes_answers, quorums, st.randoms())
def test_the_order_of_boxes_answers_changes_nothing(
    answers: list[BoxesAnswer], quorum: int, dice: random.Random
) -> None:
    mixed = [
        BoxesAnswer(each.reviewer, tuple(shuffled([*each.boxes], dice)), each.size, each.submitted_at)
        for each in shuffled(answers, dice)
    ]
    if len({(each.reviewer, each.submitted_at) for each in answers}) < len(answers):
        return  # which of two answers of a moment is the earlier one is decided by what is in them

    assert find_box_consensus(mixed, quorum, 0.5) == find_box_consensus(answers, quorum, 0.5)


@given(labels_answers, quorums)
def test_a_label_is_agreed_on_by_a_quorum_and_by_more_than_half(answers: list[LabelsAnswer], quorum: int) -> None:
    found = find_label_consensus(answers, quorum)

    total, votes = len({answer.reviewer for answer in answers}), dict(found.votes)
    assert all(is_carried(votes[label], total, quorum) for label in found.labels)
    assert (found.agreement is Agreement.AGREED) == bool(found.labels)
    assert (found.agreement is Agreement.UNANSWERED) == (not answers)
    if found.agreement is Agreement.NONE_FITS:
        assert is_carried(votes[None], total, quorum)


@given(boxes_answers, quorums)
def test_a_box_is_agreed_on_by_a_quorum_and_by_more_than_half(answers: list[BoxesAnswer], quorum: int) -> None:
    found = find_box_consensus(answers, quorum, 0.5)

    total = len({answer.reviewer for answer in answers})
    assert (found.agreement is Agreement.AGREED) == bool(found.boxes)
    for box in found.boxes:
        votes = round(box.confidence * total)
        assert is_carried(votes, total, quorum)
        drawn = [each for answer in answers for each in answer.boxes if each.label == box.label]
        assert sum(overlap(box, each) > 0.3 for each in drawn) >= votes
        assert judge_box(box, SIZE) is None


@given(st.lists(boxes, max_size=5), st.integers(1, 3))
def test_boxes_that_all_draw_alike_are_agreed_on(drawn: list[Box], number: int) -> None:
    distinct = {(box.label, box.left, box.top, box.width, box.height): box for box in drawn}
    answers = [BoxesAnswer(str(n), tuple(drawn), SIZE, f"2026-11-20T11:00:1{n}") for n in range(number)]

    found = find_box_consensus(answers, number // 2 + 1, 0.5)

    crowded = any(overlap(one, other) >= 0.5 for one, other in combinations(distinct.values(), 2))
    if not crowded:
        assert {(box.label, box.left, box.top, box.width, box.height) for box in found.boxes} == set(distinct)
    assert found.agreement is (Agreement.AGREED if drawn else Agreement.NONE_FITS)


@given(boxes_answers, quorums)
def test_what_a_person_draws_later_changes_nothing(answers: list[BoxesAnswer], quorum: int) -> None:
    later = [BoxesAnswer(answer.reviewer, (), SIZE, "2026-11-20T12:00:00") for answer in answers]

    assert find_box_consensus([*answers, *later], quorum, 0.5) == find_box_consensus(answers, quorum, 0.5)
