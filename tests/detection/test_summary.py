"""How a detection run ends, in words, from what was collected and detected."""

from __future__ import annotations

from dataclasses import replace

import pytest

from custom_labels.core.live_version import LiveVersion
from custom_labels.core.outcome import Outcome
from custom_labels.detection.events import PassedOver
from custom_labels.detection.settings import DetectionSettings
from custom_labels.detection.work import BatchResult, Collected, DetectionBatch, NextStep, Summary
from custom_labels.review.opening import OpenedReviews
from tests.kit.task_contexts import default_settings

LIVE = LiveVersion("v1", "arn:v1", "arn:digits", "0" * 64, "2026-11-20T10:00:00+00:00", 1.0, ("rows",))
BATCHES = tuple(DetectionBatch(number, 3, 2, LIVE, 1, None, f"{number}.jsonl") for number in range(2))
SETTINGS = default_settings(DetectionSettings)
FOUND = Collected(SETTINGS, NextStep.DETECT, BATCHES, images=6)
NOTHING = Collected(SETTINGS, NextStep.FINISH)


def summary(collected: Collected, *results: BatchResult, opened: OpenedReviews | None = None) -> Summary:
    return Summary.of(collected, results, opened or OpenedReviews())


@pytest.mark.parametrize(
    ("collected", "counts", "outcome", "detail"),
    [
        (FOUND, {"accepted": 4, "review": 2}, Outcome.DETECTED, "4 of 6 accepted, 2 to people"),
        (
            FOUND,
            {"accepted": 4, "failed": 1, "unreadable": 1},
            Outcome.DETECTION_TROUBLE,
            "1 images failed and 1 images cannot be read; 4 of 6 accepted, 0 to people",
        ),
        (
            replace(NOTHING, garbage=2),
            {},
            Outcome.DETECTION_TROUBLE,
            "2 messages are no events of this project's inbox; 0 of 0 accepted, 0 to people",
        ),
        (NOTHING, {}, Outcome.NOTHING_TO_DETECT, "every image has its result"),
        (
            replace(NOTHING, reasons={PassedOver.NOT_AN_IMAGE.value: 3}),
            {},
            Outcome.NOTHING_TO_DETECT,
            "every image has its result; 3 files in the inbox are of another kind by their names",
        ),
        (replace(NOTHING, misspelt="a hint"), {}, Outcome.NOTHING_TO_DETECT, "every image has its result; a hint"),
    ],
    ids=["all is well", "images in trouble", "garbage", "nothing", "other files", "a misspelt label"],
)
def test_the_end_says_what_became_of_the_images(
    collected: Collected, counts: dict[str, int], outcome: Outcome, detail: str
) -> None:
    ended = summary(collected, BatchResult(counts))

    assert (ended.outcome, ended.detail) == (outcome, detail)


def test_batches_are_added_up() -> None:
    one = BatchResult({"accepted": 2, "failed": 1}, ("a: broken",), calls=10, seconds=2.0)
    two = BatchResult({"accepted": 1}, ("b: broken",), calls=20, seconds=4.0)

    facts = summary(replace(FOUND, examples=("a message: odd",), left=True), one, two).facts(str)

    assert facts == {
        "Images": 6,
        "Accepted": 3,
        "Failed": 1,
        "Calls a second": 10.0,
        "Left for the next run": "yes",
        "Example 1": "a message: odd",
        "Example 2": "a: broken",
        "Example 3": "b: broken",
    }


def test_results_of_an_earlier_try_do_not_count_where_nothing_was_left_to_detect() -> None:
    """A run that was cleared: the mapped tasks are skipped this time, and what they had returned is still there."""
    assert summary(NOTHING, BatchResult({"accepted": 9})).outcome is Outcome.NOTHING_TO_DETECT
    assert summary(NOTHING, BatchResult({"accepted": 9})).counts["accepted"] == 0


def test_what_was_dropped_is_said_with_the_settings_that_decide_it() -> None:
    ended = summary(FOUND, BatchResult({"accepted": 6}), opened=OpenedReviews(waiting=2, too_old=3, too_many=1))

    assert ended.detail.endswith("; 4 waiting reviews were dropped: 3 had waited too long and 1 were too many")
    facts = ended.facts("digits__{}".format)
    assert facts["Waiting for budget"] == 2
    assert "digits__review_waiting_days" in facts["Settings of what is dropped"]
