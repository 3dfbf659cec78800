"""What people made of proposals, as numbers: of one label an image, of several, and of boxes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from custom_labels.assist.progress import RoundProgress, add_up, count_progress
from custom_labels.core.project_task import ProjectTask
from custom_labels.datasets.annotations.annotation import Box, ImageSize
from custom_labels.review.harvest import HarvestedReview, HarvestRules, ReviewOutcome, decide_outcome
from custom_labels.review.review import (
    Answered,
    AnyAnswer,
    BoxesAnswer,
    LabelsAnswer,
    ReviewAnswer,
    ReviewRequest,
    ReviewState,
    ReviewStatus,
)
from tests.kit.review_requests import request_for

OPENED, NOW = "2026-11-20T10:00:00+00:00", "2026-11-20T12:00:00+00:00"
AT = "2026-11-20T11:00:00+00:00"
SIZE = ImageSize(640, 480)
BEE, NEAR_BEE, WASP = Box("bee", 100, 100, 40, 40), Box("bee", 104, 100, 40, 44), Box("wasp", 300, 300, 40, 40)


def line(request: ReviewRequest, *answers: AnyAnswer) -> HarvestedReview:
    """Harvest a review as the DAG does, with the copy of its image."""
    state = ReviewState(request.name, ReviewStatus.COMPLETED, OPENED)
    found = decide_outcome(state, Answered(request, answers), (), HarvestRules("digits", "", 1, 1), NOW)
    is_copied = found.review_outcome is ReviewOutcome.COPY
    return replace(found, review_outcome=ReviewOutcome.COPIED) if is_copied else found


def classified(number: int, guess: str | None, answer: str | None, seconds: float | None = None) -> HarvestedReview:
    return line(request_for(str(number), label=guess), ReviewAnswer("ann", answer, AT, seconds))


def boxed(number: int, proposed: tuple[Box, ...], drawn: tuple[Box, ...], seconds: float) -> HarvestedReview:
    request = request_for(
        str(number), task=ProjectTask.OBJECT_DETECTION, labels=("bee", "wasp"), boxes=proposed, size=SIZE
    )
    return line(request, BoxesAnswer("ann", drawn, SIZE, AT, seconds))


def test_one_label_is_kept_corrected_or_was_not_proposed() -> None:
    lines = [
        classified(1, "columns", "columns", 2),
        classified(2, "columns", "columns", 4),
        classified(3, "columns", "rows", 10),
        classified(4, None, "rows", 12),
        classified(5, "columns", None, 11),
    ]

    found = count_progress(7, lines, 0.5)

    assert found == RoundProgress(
        *(7, 5, 4, 2, 2, 1, 0),
        proposals=4,
        confirmed=2,
        seconds_kept=2.0,
        seconds_made=11.0,
    )
    assert found.confirmed_share == 0.5
    assert found.minutes_saved == 2 * (11 - 2) / 60


def test_boxes_are_confirmed_one_by_one() -> None:
    lines = [boxed(1, (BEE, WASP), (NEAR_BEE, WASP), 5), boxed(2, (BEE, WASP), (BEE,), 15), boxed(3, (), (BEE,), 20)]

    found = count_progress(3, lines, 0.5)

    assert (found.kept, found.corrected, found.unproposed) == (1, 1, 1)
    assert (found.proposals, found.confirmed) == (4, 3)
    assert found.minutes_saved == pytest.approx(10 / 60)


def test_several_labels_are_confirmed_one_by_one() -> None:
    several = ProjectTask.MULTI_LABEL_CLASSIFICATION
    request = request_for("1", task=several, guesses=("bee", "wasp"), labels=("bee", "wasp"))

    found = count_progress(1, [line(request, LabelsAnswer("ann", ("bee",), AT))], 0.5)

    assert (found.corrected, found.proposals, found.confirmed, found.labelled) == (1, 2, 1, 1)


def test_what_is_asked_again_is_not_counted_yet_and_what_nobody_answers_is_undecided() -> None:
    request = request_for("1", label="columns")
    state, rules = ReviewState(request.name, ReviewStatus.EXPIRED, OPENED), HarvestRules("digits", "", 1, 2)
    again = decide_outcome(state, Answered(request, ()), (), rules, NOW)
    over = decide_outcome(state, Answered(replace(request, round=2), ()), (), rules, NOW)

    assert count_progress(1, [again], 0.5) == RoundProgress(asked=1)
    assert count_progress(1, [again, over], 0.5) == RoundProgress(asked=1, ended=1, undecided=1, proposals=0)


def test_without_times_nothing_is_said_of_time() -> None:
    found = count_progress(1, [classified(1, "columns", "columns")], 0.5)

    assert (found.minutes_saved, RoundProgress().confirmed_share) == (None, None)


def test_rounds_are_added_up_and_of_time_what_is_known() -> None:
    timed = RoundProgress(4, 4, 4, kept=2, corrected=2, proposals=4, confirmed=2, seconds_kept=5, seconds_made=20)

    sums, saved = add_up([timed, RoundProgress(3, 1, 1, kept=1)])

    assert (sums.asked, sums.ended, sums.kept, sums.proposals) == (7, 5, 3, 4)
    assert saved == 0.5
    assert add_up([]) == (RoundProgress(), None)
