"""Reviews as numbers: what lines of the ledger count for, their medians and shares, and what is said of them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from custom_labels.core.codec import from_json, to_json
from custom_labels.core.project_task import ProjectTask
from custom_labels.datasets.annotations.annotation import Box, ImageSize
from custom_labels.review.harvest import HarvestedReview, HarvestRules, decide_outcome
from custom_labels.review.review import (
    Answered,
    AnyAnswer,
    BoxesAnswer,
    LabelsAnswer,
    Purpose,
    ReviewAnswer,
    ReviewRequest,
    ReviewState,
    ReviewStatus,
)
from custom_labels.review.statistics import (
    HarvestedDay,
    LabelNumbers,
    OpenReviews,
    ReviewerNumbers,
    ReviewNumbers,
    ReviewStatistics,
    duration,
    in_words,
    make_numbers,
    make_statistics,
    median_of,
)
from custom_labels.review.tally import Tallier, Tally, two_digits
from tests.kit.review_requests import request_for

SIZE = ImageSize(640, 480)
OPENED, NOW = "2026-11-20T10:00:00+00:00", "2026-11-20T12:00:00+00:00"
BEE, SAME_BEE, FAR = Box("bee", 100, 100, 40, 40), Box("bee", 104, 100, 40, 44), Box("bee", 300, 300, 40, 40)


def harvested(
    request: ReviewRequest, *answers: AnyAnswer, earlier: tuple[AnyAnswer, ...] = (), opened: str = OPENED
) -> HarvestedReview:
    """Harvest a review as the DAG does, up to the copy of its image."""
    rules = HarvestRules("digits", "", quorum=2, maximum_rounds=3)
    state = ReviewState(request.name, ReviewStatus.COMPLETED, opened)
    return decide_outcome(state, Answered(request, answers), earlier, rules, NOW)


def said(*labels: str | None, first: int = 0, minute: int = 10) -> tuple[ReviewAnswer, ...]:
    return tuple(
        ReviewAnswer(f"w{n}", label, f"2026-11-20T10:{minute:02}:{n:02}+00:00", seconds=4.0)
        for n, label in enumerate(labels, start=first)
    )


def tally(*lines: HarvestedReview) -> Tally:
    tallier = Tallier(0.5)
    for line in lines:
        tallier.add(line)
    return tallier.tally()


def numbers(*lines: HarvestedReview) -> ReviewNumbers:
    return make_numbers({"2026-11-20": HarvestedDay(("one",), tally(*lines))})


def test_people_agree_with_each_other_and_not_with_the_model() -> None:
    found = numbers(
        harvested(request_for("a"), *said("rows", "rows", "columns")),
        harvested(request_for("b", label="columns"), *said("rows", "rows", "rows")),
        harvested(request_for("c"), *said(None, None)),
    )

    assert (found.answers, found.wait_seconds, found.spent_seconds, found.several) == (8, 600, 4, 3)
    assert (found.guessed, found.unchanged, found.kept) == (3, 1, 1 / 3)
    assert found.labels == (
        LabelNumbers("columns", 1, 0, 1, 0),
        LabelNumbers("rows", 5, 1 - 7 * 2 / 30, 2, 1),
    )
    assert found.reviewers == (
        ReviewerNumbers("w0", 3, 3, 0, False),
        ReviewerNumbers("w1", 3, 3, 0, False),
        ReviewerNumbers("w2", 2, 2, 1, False),
    )


def test_an_image_counts_once_and_an_answer_when_it_comes() -> None:
    request = request_for("a")
    first = harvested(request, *said("rows", "columns"))
    later = replace(request, name=f"{request.name[:-1]}2", round=2)
    second = harvested(
        later, *said("rows", first=2, minute=50), earlier=first.answers, opened="2026-11-20T10:30:00+00:00"
    )

    assert first.next_request is not None
    assert (numbers(first).answers, numbers(first).several, numbers(first).guessed) == (2, 0, 0)
    both = numbers(first, second)
    assert (both.answers, both.several, both.guessed, dict(both.images)) == (3, 1, 1, {"copy": 1})
    assert [each.judged for each in both.reviewers] == [1, 1, 1]


def test_samples_say_nothing_of_guesses_that_people_kept() -> None:
    found = numbers(harvested(request_for("a", purpose=Purpose.AUDIT), *said("rows", "rows")))

    assert (found.several, found.guessed, found.kept) == (1, 0, None)


@pytest.mark.parametrize(
    ("guesses", "answers", "unchanged", "kept"),
    [("ab", ("ab", "ab"), 1, "ab"), ("ab", ("a", "a"), 0, "a"), ("a", ("ab", "ab"), 0, "a"), ("a", ("", ""), 0, "")],
)
def test_a_guess_of_several_labels_is_kept_when_people_give_the_same_set(
    guesses: str, answers: tuple[str, ...], unchanged: int, kept: str
) -> None:
    task = ProjectTask.MULTI_LABEL_CLASSIFICATION
    request = request_for(task=task, labels=("a", "b"), guesses=tuple(guesses), label=guesses[0])
    given = [LabelsAnswer(f"w{n}", tuple(each), NOW) for n, each in enumerate(answers)]

    found = tally(harvested(request, *given))

    assert (found.guessed, found.unchanged, found.kept) == (1, unchanged, dict.fromkeys(kept, 1))
    assert found.against == {}


@pytest.mark.parametrize(
    ("guesses", "agreed", "unchanged", "kept"),
    [((SAME_BEE,), (BEE,), 1, 1), ((SAME_BEE, FAR), (BEE,), 0, 1), ((SAME_BEE,), (BEE, FAR), 0, 1), ((FAR,), (), 0, 0)],
    ids=["same place", "one too many", "one missed", "nothing there"],
)
def test_a_guess_of_boxes_is_kept_when_people_draw_the_same(
    guesses: tuple[Box, ...], agreed: tuple[Box, ...], unchanged: int, kept: int
) -> None:
    request = request_for(
        task=ProjectTask.OBJECT_DETECTION, labels=("bee", "wasp"), boxes=guesses, size=SIZE, label="bee"
    )
    given = [BoxesAnswer(f"w{n}", agreed, SIZE, NOW) for n in range(3)]

    found = tally(harvested(request, *given, BoxesAnswer("w3", (FAR, BEE, Box("wasp", 9, 9, 9, 9)), SIZE, NOW)))

    assert (found.guesses, found.unchanged, found.kept.get("bee", 0)) == ({"bee": len(guesses)}, unchanged, kept)
    assert (found.judged, found.against) == (dict.fromkeys(["w0", "w1", "w2", "w3"], 1), {"w3": 1})


def test_tallies_of_parts_come_to_that_of_all() -> None:
    lines = [harvested(request_for(key), *said("rows", label, None)) for key, label in zip("abcd", "abcd", strict=True)]
    lines += [harvested(request_for(key), *said("rows", "rows", "columns")) for key in "efgh"]

    assert tally(*lines[:3]) + tally(*lines[3:]) == tally(*lines)
    assert from_json(Tally, to_json(tally(*lines))) == tally(*lines)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0"), (0.4, "0"), (7, "7"), (61, "61"), (123, "120"), (86_399, "86000"), (1_234_567, "1200000")],
)
def test_seconds_are_rounded_to_two_digits(seconds: float, text: str) -> None:
    assert two_digits(seconds) == text


@pytest.mark.parametrize(
    ("counts", "median"), [({}, None), ({"9": 1}, 9), ({"10": 1, "9": 1}, 9), ({"100": 3, "9": 1, "20": 1}, 100)]
)
def test_median_of_counted_numbers(counts: dict[str, int], median: float | None) -> None:
    assert median_of(counts) == median


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "0 seconds"), (1, "1 second"), (59.6, "60 seconds"), (90, "2 minutes"), (7_200, "2 hours"), (90_000, "1 day")],
)
def test_a_duration_is_in_its_largest_unit(seconds: float, words: str) -> None:
    assert duration(seconds) == words


def far_off_days() -> dict[str, HarvestedDay]:
    judged = dict.fromkeys(["anna", "ben", "eva"], 100)
    return {"2026-11-20": HarvestedDay(("one",), Tally(answers=judged, judged=judged, against={"eva": 40, "ben": 2}))}


def test_whoever_is_far_off_is_named_by_one_run() -> None:
    now = OpenReviews(NOW)
    first = make_statistics(None, now, far_off_days(), "run-1")
    second = make_statistics(first, now, far_off_days(), "run-2")

    assert [each.reviewer for each in first.news_of("run-1")] == ["eva"]
    assert second.news_of("run-2") == ()
    assert second == first == make_statistics(first, now, far_off_days(), "run-1")
    assert make_statistics(second, now, {}, "run-3").named == {}


def test_what_was_open_is_that_of_the_newest_list() -> None:
    listed = OpenReviews("2026-11-20T10:00:00+00:00", 5, 3, OPENED, "2026-11-20T10:00:00+00:00")
    before = make_statistics(None, listed, {}, "run-1")

    after = make_statistics(before, OpenReviews("2026-11-20T12:00:00+00:00", 9), {}, "run-2")
    late = make_statistics(
        after, OpenReviews("2026-11-20T11:00:00+00:00", 7, 8, None, "2026-11-20T11:00:00+00:00"), {}, ""
    )

    assert after.backlog == OpenReviews("2026-11-20T12:00:00+00:00", 9, 3, OPENED, "2026-11-20T10:00:00+00:00")
    assert after.backlog.oldest_seconds == 7_200
    assert late.backlog == OpenReviews("2026-11-20T12:00:00+00:00", 9, 8, None, "2026-11-20T11:00:00+00:00")


def words(backlog: OpenReviews, *lines: HarvestedReview, **more: Any) -> str:
    return in_words(ReviewStatistics(backlog, replace(numbers(*lines), **more)))


def test_the_numbers_are_a_sentence() -> None:
    line = harvested(request_for("a"), *said("rows", "rows", "columns"))
    backlog = OpenReviews(NOW, 7, 3, OPENED, NOW)

    assert words(OpenReviews(NOW)) == "0 wait to be opened"
    assert words(OpenReviews(NOW, 0, 1, OPENED, NOW)) == "1 review is open, the oldest for 2 hours"
    assert words(backlog, line, agreement=0.8) == (
        "3 reviews are open, the oldest for 2 hours, 7 wait to be opened, the median answer comes after 10 minutes, "
        "people agree by an alpha of 0.80, they kept 100% of the model's guesses"
    )
