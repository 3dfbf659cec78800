"""The consensus of people who may give several labels to an image, or draw boxes: each label, each place is voted on.

Each is a question of its own: carried, or rejected, with the votes that a single label needs. A question that is
neither makes the whole answer a disagreement, so that one more person is asked.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import combinations
from statistics import median
from typing import TypeVar

from custom_labels.core.project_task import ProjectTask
from custom_labels.datasets.annotations.annotation import MAXIMUM_BOXES, Box
from custom_labels.datasets.annotations.pixels import clip
from custom_labels.evaluation.box_matching import overlap
from custom_labels.review.review import (
    Agreement,
    AnyAnswer,
    BoxesAnswer,
    Consensus,
    LabelsAnswer,
    ReviewAnswer,
    ReviewRequest,
    find_consensus,
)

A = TypeVar("A", bound=AnyAnswer)
Vote = tuple[str | None, int]
Drawn = tuple[str, Box]
"""A box, and who drew it."""

_NAMED = 5
"""Labels that a reason names, of any number."""
_TOLERANCE = 1e-9


def is_about(answer: AnyAnswer, request: ReviewRequest) -> bool:
    """Say whether an answer is one to a question like this, and gives only what was offered."""
    offered = {request.none_label, *request.labels}
    match answer:
        case ReviewAnswer():
            return request.task is ProjectTask.IMAGE_CLASSIFICATION and answer.label in {None, *offered}
        case LabelsAnswer():
            return request.task is ProjectTask.MULTI_LABEL_CLASSIFICATION and offered.issuperset(answer.labels)
        case BoxesAnswer():
            labels = {box.label for box in answer.boxes}
            return request.task is ProjectTask.OBJECT_DETECTION and offered.issuperset(labels)


def join_answers(
    request: ReviewRequest, answers: Iterable[AnyAnswer], quorum: int, least_overlap: float
) -> tuple[tuple[AnyAnswer, ...], Consensus]:
    """Join the answers of all rounds about an image, by the kind of question.

    :param quorum: equal votes that decide.
    :param least_overlap: intersection over union from which boxes of two people are the same one.
    :return: the answers that count, and their consensus.
    """
    counted = tuple(answer for answer in answers if is_about(answer, request))
    several = [answer for answer in counted if isinstance(answer, LabelsAnswer)]
    drawn = [answer for answer in counted if isinstance(answer, BoxesAnswer)]
    if request.task is ProjectTask.MULTI_LABEL_CLASSIFICATION:
        return counted, find_label_consensus(several, quorum)
    if request.task is ProjectTask.OBJECT_DETECTION:
        return counted, find_box_consensus(drawn, quorum, least_overlap)
    return counted, find_consensus((answer for answer in counted if isinstance(answer, ReviewAnswer)), quorum)


def is_carried(votes: int, total: int, quorum: int) -> bool | None:
    """Decide a question by its votes: yes or no, with a quorum and more than half of all; ``None`` if none has them."""
    for number, outcome in ((votes, True), (total - votes, False)):
        if number >= quorum and 2 * number > total:
            return outcome
    return None


def one_vote_each(answers: Iterable[A]) -> list[A]:
    """Leave each person the earliest answer."""
    first: dict[str, A] = {}
    for answer in sorted(answers, key=lambda answer: (answer.submitted_at, answer.reviewer, repr(answer))):
        first.setdefault(answer.reviewer, answer)
    return list(first.values())


def find_label_consensus(answers: Iterable[LabelsAnswer], quorum: int) -> Consensus:
    """Join the labels that people gave, label by label.

    That none fits is agreed on only if those who gave none carry it: three people with three labels do not agree.
    """
    counted = one_vote_each(answers)
    votes = Counter(label for answer in counted for label in answer.labels)
    nothing, total = sum(not answer.labels for answer in counted), len(counted)
    open_ = [label for label in votes if is_carried(votes[label], total, quorum) is None]
    agreed = sorted(label for label in votes if is_carried(votes[label], total, quorum))
    made = _join([*votes.items()], nothing, total, quorum, open_, len(agreed))
    return Consensus(*made, labels=tuple(agreed) if made[0] is Agreement.AGREED else ())


def find_box_consensus(answers: Iterable[BoxesAnswer], quorum: int, least_overlap: float) -> Consensus:
    """Join the boxes that people drew: those at one place are one object, and its label is voted on.

    :param least_overlap: intersection over union from which two boxes are at one place.
    """
    counted = one_vote_each(answers)
    if len({answer.size for answer in counted}) > 1:
        sizes = " and ".join(sorted({f"{each.size.width} x {each.size.height}" for each in counted}))
        return Consensus(Agreement.DISAGREED, None, (), f"people saw pictures of {sizes} pixels")
    total, nothing = len(counted), sum(not answer.boxes for answer in counted)
    votes: list[tuple[str, int]] = []
    agreed: list[Box] = []
    open_: list[str] = []
    for group in find_places(counted, least_overlap):
        labels = Counter(box.label for _, box in group)
        votes += labels.items()
        winner = next((label for label in labels if is_carried(labels[label], total, quorum)), None)
        if winner is not None:
            middle = _middle([box for _, box in group if box.label == winner], total)
            agreed.append(clip(middle, counted[0].size))
        elif is_carried(len(group), total, quorum) is not False:
            open_.append(min(labels, key=lambda label: (-labels[label], label)))
    made = _join(votes, nothing, total, quorum, open_, len(agreed))
    if made[0] is Agreement.AGREED and len(agreed) > MAXIMUM_BOXES:
        why = f"people agree on {len(agreed)} boxes, of which Custom Labels takes {MAXIMUM_BOXES}"
        return Consensus(Agreement.DISAGREED, None, made[2], why)
    return Consensus(*made, boxes=tuple(sorted(agreed, key=_place)) if made[0] is Agreement.AGREED else ())


def _join(
    votes: Iterable[tuple[str, int]], nothing: int, total: int, quorum: int, open_: Iterable[str], agreed: int
) -> tuple[Agreement, None, tuple[Vote, ...], str]:
    """Say what all questions together come to, with the votes and the reason.

    :param votes: for each question that somebody said yes to.
    :param nothing: how many people say that nothing is there.
    :param open_: labels of the questions that are not decided, and ``agreed`` the number of those that are carried.
    """
    every: list[Vote] = [*votes, *([(None, nothing)] if nothing else [])]
    every.sort(key=lambda vote: (-vote[1], vote[0] is None, vote[0] or ""))
    if not total:
        return Agreement.UNANSWERED, None, (), "nobody answered"
    said = ", ".join(f"'{label}' by {number}" if label else f"nothing by {number}" for label, number in every[:_NAMED])
    said = f"of {total} people {said}{f' and {len(every) - _NAMED} more' if len(every) > _NAMED else ''}"
    disputed = sorted(set(open_))
    if disputed:
        named = ", ".join(f"'{label}'" for label in disputed[:_NAMED])
        return Agreement.DISAGREED, None, tuple(every), f"not decided on {named}: {said}, with a quorum of {quorum}"
    if agreed:
        return Agreement.AGREED, None, tuple(every), said
    if is_carried(nothing, total, quorum):
        return Agreement.NONE_FITS, None, tuple(every), said
    return Agreement.DISAGREED, None, tuple(every), f"nothing is agreed on: {said}, with a quorum of {quorum}"


def find_places(answers: Sequence[BoxesAnswer], least_overlap: float) -> Iterator[list[Drawn]]:
    """Group the boxes of several people by place: of a person a group has one at most, and all of it overlap.

    Boxes of one label are joined first, so that two objects on one another stay two where all see both.
    """
    drawn = [(answer.reviewer, box) for answer in answers for box in sorted(set(answer.boxes), key=_place)]
    linked: dict[tuple[int, int], float] = {}
    for one, other in combinations(range(len(drawn)), 2):
        if drawn[one][0] != drawn[other][0]:
            shared = overlap(drawn[one][1], drawn[other][1])
            if shared >= least_overlap - _TOLERANCE:
                linked[one, other] = linked[other, one] = shared
    groups = {number: [number] for number in range(len(drawn))}

    def urgency(pair: tuple[int, int]) -> tuple[bool, float, tuple[object, ...], tuple[object, ...]]:
        one, other = (drawn[number] for number in pair)
        ends = sorted([(*_place(one[1]), one[0]), (*_place(other[1]), other[0])])
        return one[1].label != other[1].label, -linked[pair], ends[0], ends[1]

    for pair in sorted((pair for pair in linked if pair[0] < pair[1]), key=urgency):
        group, joined = groups[pair[0]], groups[pair[1]]
        if group is not joined and all((first, second) in linked for first in group for second in joined):
            group += joined
            groups.update(dict.fromkeys(joined, group))
    yield from (
        [drawn[number] for number in group] for group in {id(group): group for group in groups.values()}.values()
    )


def _middle(boxes: Sequence[Box], people: int) -> Box:
    """Give the box whose edges are the medians of several, with the share of the people who drew it."""
    if len(set(boxes)) == 1:
        return replace(boxes[0], confidence=len(boxes) / people)
    left, top = (median(getattr(box, side) for box in boxes) for side in ("left", "top"))
    right, bottom = median(box.left + box.width for box in boxes), median(box.top + box.height for box in boxes)
    return Box(boxes[0].label, left, top, right - left, bottom - top, len(boxes) / people)


def _place(box: Box) -> tuple[str, float, float, float, float]:
    return box.label, box.left, box.top, box.width, box.height
