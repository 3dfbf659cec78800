"""Joining several labels and boxes of several people: who is agreed with, where the boxes are, and why not."""

from __future__ import annotations

import pytest

from custom_labels.core.codec import from_json, to_json
from custom_labels.core.project_task import ProjectTask
from custom_labels.datasets.annotations.annotation import Box, ImageSize
from custom_labels.review.consensus import find_box_consensus, find_label_consensus, is_about, is_carried
from custom_labels.review.review import (
    Agreement,
    Answered,
    AnyAnswer,
    BoxesAnswer,
    Consensus,
    LabelsAnswer,
    RefusedAnswer,
    ReviewAnswer,
)
from tests.kit.review_requests import request_for

SIZE = ImageSize(640, 480)
A, B, FAR = Box("bee", 100, 100, 40, 40), Box("bee", 104, 100, 40, 44), Box("bee", 300, 300, 40, 40)
WASP, NEAR_WASP = Box("wasp", 100, 100, 40, 40), Box("wasp", 102, 102, 40, 40)
AGREED, NONE_FITS, DISAGREED = Agreement.AGREED, Agreement.NONE_FITS, Agreement.DISAGREED


def labels(*answers: str, quorum: int = 2) -> Consensus:
    """Join answers of labels with a letter each."""
    moment = "2026-11-20T11:00:{:02}".format
    return find_label_consensus(
        [LabelsAnswer(f"w{n}", tuple(given), moment(n)) for n, given in enumerate(answers)], quorum
    )


def boxes(*answers: list[Box], quorum: int = 2, least: float = 0.5) -> Consensus:
    moment = "2026-11-20T11:00:{:02}".format
    given = [BoxesAnswer(f"w{n}", tuple(drawn), SIZE, moment(n)) for n, drawn in enumerate(answers)]
    return find_box_consensus(given, quorum, least)


@pytest.mark.parametrize(
    ("votes", "total", "quorum", "outcome"),
    [(2, 3, 2, True), (1, 3, 2, False), (1, 2, 2, None), (1, 1, 2, None), (2, 4, 2, None), (1, 1, 1, True)],
)
def test_a_question_needs_a_quorum_and_more_than_half(
    votes: int, total: int, quorum: int, outcome: bool | None
) -> None:
    assert is_carried(votes, total, quorum) is outcome


@pytest.mark.parametrize(
    ("answers", "agreement", "agreed", "reason"),
    [
        ((), Agreement.UNANSWERED, "", "nobody answered"),
        (("ab", "ab"), AGREED, "ab", "of 2 people 'a' by 2, 'b' by 2"),
        (("ab", "a", "a"), AGREED, "a", "of 3 people 'a' by 3, 'b' by 1"),
        (("ab", "a"), DISAGREED, "", "not decided on 'b': of 2 people 'a' by 2, 'b' by 1, with a quorum of 2"),
        (("", "", "a"), NONE_FITS, "", "of 3 people nothing by 2, 'a' by 1"),
        (("", "a"), DISAGREED, "", "not decided on 'a': of 2 people 'a' by 1, nothing by 1, with a quorum of 2"),
        (("a", "b", "c"), DISAGREED, "", "nothing is agreed on: of 3 people 'a' by 1, 'b' by 1, 'c' by 1"),
        (("",), DISAGREED, "", "nothing is agreed on: of 1 people nothing by 1, with a quorum of 2"),
    ],
    ids=lambda value: "+".join(value) if isinstance(value, tuple) else "",
)
def test_each_label_is_voted_on(answers: tuple[str, ...], agreement: Agreement, agreed: str, reason: str) -> None:
    found = labels(*answers)

    assert (found.agreement, found.labels) == (agreement, tuple(agreed))
    assert reason in found.reason


@pytest.mark.parametrize(
    ("answers", "agreement", "agreed"),
    [
        ([[], []], NONE_FITS, ()),
        ([[A], [A]], AGREED, (A,)),
        ([[A], [B]], AGREED, (Box("bee", 102, 100, 40, 42),)),
        ([[A], [B], [B]], AGREED, (B,)),
        ([[A, FAR], [B], [B]], AGREED, (Box("bee", 104, 100, 40, 44, 1.0),)),
        ([[A, FAR], [A]], DISAGREED, ()),
        ([[A], [WASP]], DISAGREED, ()),
        ([[A], [WASP], [B]], AGREED, (Box("bee", 102, 100, 40, 42, 2 / 3),)),
        ([[A, NEAR_WASP], [B, WASP]], AGREED, (Box("bee", 102, 100, 40, 42), Box("wasp", 101, 101, 40, 40))),
        ([[A, A], [A]], AGREED, (A,)),
        ([[A], [], []], NONE_FITS, ()),
        ([[A], [FAR], [Box("bee", 500, 10, 20, 20)]], DISAGREED, ()),
        ([], Agreement.UNANSWERED, ()),
    ],
    ids=[
        "nothing is there",
        "all draw the same",
        "in the middle of two",
        "the median of three",
        "one more box of one of three",
        "one more box of one of two",
        "one place, two labels",
        "two of three name it so",
        "two objects on one another",
        "a box that was drawn twice",
        "only one sees it",
        "each sees another one",
        "nobody",
    ],
)
def test_each_place_is_voted_on(answers: list[list[Box]], agreement: Agreement, agreed: tuple[Box, ...]) -> None:
    found = boxes(*answers)

    assert found.agreement is agreement, found.reason
    assert [(b.label, b.left, b.top, b.width, b.height) for b in found.boxes] == [
        (b.label, b.left, b.top, b.width, b.height) for b in agreed
    ]


def test_a_box_has_the_share_of_the_people_who_drew_it_as_its_confidence() -> None:
    found = boxes([A, FAR], [A, FAR], [A])

    assert [box.confidence for box in found.boxes] == [1, 2 / 3]
    assert found.votes == (("bee", 3), ("bee", 2))
    assert found.reason == "of 3 people 'bee' by 3, 'bee' by 2"


def test_one_person_is_enough_where_the_quorum_is_one() -> None:
    assert boxes([A, FAR], quorum=1).boxes == (A, FAR)


@pytest.mark.parametrize(("least", "agreement"), [(0.5, AGREED), (0.9, DISAGREED)])
def test_how_far_boxes_must_overlap_is_a_setting(least: float, agreement: Agreement) -> None:
    assert boxes([A], [B], least=least).agreement is agreement


def test_pictures_of_two_sizes_are_no_agreement() -> None:
    answers = [BoxesAnswer("a", (A,), SIZE, "1"), BoxesAnswer("b", (A,), ImageSize(480, 640), "2")]

    found = find_box_consensus(answers, 2, 0.5)

    assert (found.agreement, found.reason) == (DISAGREED, "people saw pictures of 480 x 640 and 640 x 480 pixels")


def test_more_boxes_than_custom_labels_takes_are_no_agreement() -> None:
    row = [Box("bee", 10 * n, 0, 8, 8) for n in range(60)]

    found = boxes(row[:50], row[10:], [*row[:20], *row[30:]])

    assert found.agreement is DISAGREED
    assert found.reason == "people agree on 60 boxes, of which Custom Labels takes 50"


def test_fifty_boxes_of_nine_people_are_joined() -> None:
    drawn = [[Box("bee", 12 * n + person / 10, 0, 10, 10) for n in range(50)] for person in range(9)]

    assert len(boxes(*drawn, quorum=5).boxes) == 50


@pytest.mark.parametrize("task", ProjectTask)
def test_only_an_answer_to_such_a_question_counts(task: ProjectTask) -> None:
    answers: dict[ProjectTask, AnyAnswer] = {
        ProjectTask.IMAGE_CLASSIFICATION: ReviewAnswer("w", "rows", "1"),
        ProjectTask.MULTI_LABEL_CLASSIFICATION: LabelsAnswer("w", ("rows",), "1"),
        ProjectTask.OBJECT_DETECTION: BoxesAnswer("w", (Box("rows", 1, 2, 3, 4),), SIZE, "1"),
    }

    assert [kind for kind, answer in answers.items() if is_about(answer, request_for(task=task))] == [task]
    assert not any(is_about(answer, request_for(task=task, labels=("other",))) for answer in answers.values())


def test_answers_of_every_kind_survive_json() -> None:
    given = (
        ReviewAnswer("a", None, "1"),
        LabelsAnswer("b", (), "2", 1.5),
        BoxesAnswer("c", (A,), SIZE, "3", notes=("clipped",)),
    )

    assert from_json(tuple[AnyAnswer, ...], to_json(given)) == given
    answered = Answered(request_for(boxes=(A,), size=SIZE), given, (RefusedAnswer("d", "why"),))
    assert from_json(Answered, to_json(answered)) == answered
