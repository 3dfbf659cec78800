"""Which detections are sampled, and what their answers say about a version."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from custom_labels.aws.predictions import Box as Ratios
from custom_labels.aws.predictions import DetectedLabel
from custom_labels.core.codec import from_json, to_json
from custom_labels.datasets.annotations.annotation import Box, ImageSize
from custom_labels.operations.audit import (
    Accuracy,
    AccuracyFile,
    AuditAnswer,
    AuditSample,
    Stratum,
    VersionAccuracy,
    accuracy_alarm,
    every_nth,
    is_all_right,
    judge_sample,
    wilson_interval,
)


def accuracy(right: int, answered: int) -> Accuracy:
    return Accuracy("v1", None, True, (Stratum(False, answered, answered, right),))


def in_strata(sure: tuple[int, int, int], doubtful: tuple[int, int, int]) -> Accuracy:
    """Samples, answers and right ones, where the model was sure and where it was not."""
    return Accuracy("v1", None, True, (Stratum(False, *sure), Stratum(True, *doubtful)))


@pytest.mark.parametrize(
    ("interval", "seen", "count", "marked", "left"),
    [
        (3, 0, 7, [2, 5], 1),
        (3, 2, 4, [0, 3], 0),
        (1, 0, 3, [0, 1, 2], 0),
        (10, 0, 9, [], 9),
        (5, 40, 2, [0], 1),
    ],
    ids=["every third", "goes on where the last run ended", "all", "too few", "the interval was made shorter"],
)
def test_every_nth_is_marked(interval: int, seen: int, count: int, marked: list[int], left: int) -> None:
    found = list(every_nth(range(count), interval, seen=seen))

    assert [item for item, is_marked, _ in found if is_marked] == marked
    assert found[-1][2] == left


# Agresti and Coull (1998), and any statistics package: Wilson score intervals without continuity correction.
@pytest.mark.parametrize(
    ("right", "answered", "low", "high"),
    [(9, 10, 0.596, 0.982), (0, 10, 0.0, 0.278), (10, 10, 0.722, 1.0), (50, 100, 0.404, 0.596), (1, 1, 0.207, 1.0)],
)
def test_the_interval_is_wilsons(right: int, answered: int, low: float, high: float) -> None:
    assert wilson_interval(right, answered) == pytest.approx((low, high), abs=0.0006)


@pytest.mark.parametrize(
    ("live", "notified"),
    [
        (None, False),
        (accuracy(0, 0), False),
        (accuracy(0, 9), False),
        (accuracy(7, 10), True),
        (accuracy(8, 10), False),
        (accuracy(10, 10), False),
        (in_strata((60, 60, 59), (40, 0, 0)), False),
        (in_strata((60, 60, 30), (40, 0, 0)), True),
        (in_strata((60, 60, 59), (40, 10, 4)), True),
    ],
    ids=[
        "nothing sampled",
        "no answers",
        "too few answers",
        "too low",
        "just enough",
        "all right",
        "nothing known of doubtful ones",
        "too low whatever the doubtful ones are",
        "too low by few doubtful ones",
    ],
)
def test_an_alert_is_due_when_live_accuracy_is_low(live: Accuracy | None, notified: bool) -> None:
    alarm = accuracy_alarm(live, minimum=0.8, minimum_answers=10)

    assert (alarm is not None) == notified
    assert alarm is None or "below the minimum of 80.0%" in alarm


def test_a_stratum_counts_by_its_samples_and_not_by_its_answers() -> None:
    """80 sure samples of which 78 are right, 20 doubtful ones of which 4 have an answer: 96.2 % was reported."""
    found = in_strata((80, 80, 78), (20, 4, 2))

    assert found.share == pytest.approx(0.8 * 78 / 80 + 0.2 * 2 / 4)
    low, high = found.interval or (0, 0)
    assert low < 0.8 * 78 / 80 + 0.2 * 0.6 < high
    assert found.words.endswith("; 78 of 80 sure samples and 2 of 4 doubtful samples, 16 without an answer)")


def test_nothing_is_said_of_doubtful_samples_that_nobody_answered() -> None:
    found = in_strata((80, 80, 80), (20, 0, 0))

    low, high = found.interval or (0, 0)
    assert low == pytest.approx(0.8, abs=0.05)
    assert high == 1.0
    assert found.highest_share == 1
    assert in_strata((80, 0, 0), (20, 0, 0)).share is None


def test_one_stratum_has_wilsons_interval() -> None:
    assert accuracy(9, 10).interval == pytest.approx(wilson_interval(9, 10))


def test_what_goes_on_record_is_read_back_with_all_that_follows_from_it() -> None:
    measured = in_strata((80, 80, 78), (20, 4, 2))
    file = AccuracyFile(datetime(2026, 11, 20, tzinfo=UTC), {"v1": VersionAccuracy(0.9, measured, (measured,))})

    assert (measured.sampled, measured.answered, measured.right) == (100, 84, 80)
    assert from_json(AccuracyFile, json.loads(json.dumps(to_json(file)))) == file


HERE, NEAR, ELSEWHERE = Ratios(0.1, 0.1, 0.2, 0.2), Ratios(0.12, 0.1, 0.2, 0.2), Ratios(0.6, 0.6, 0.2, 0.2)
DRAWN = Box("bee", 10, 10, 20, 20)
"""The same place as ``HERE`` on a picture of 100 x 100 pixels."""


def boxes(*drawn: Box) -> AuditAnswer:
    return AuditAnswer(boxes=drawn, size=ImageSize(100, 100))


def sample_of(*found: DetectedLabel) -> AuditSample:
    return AuditSample("review", "s3://b/k", "v1", found[0].name if found else None, 90, False, found)


BEE, BEE_NEAR = DetectedLabel("bee", 90, HERE), DetectedLabel("bee", 80, NEAR)
BEE_ELSEWHERE, WASP = DetectedLabel("bee", 80, ELSEWHERE), DetectedLabel("wasp", 70, ELSEWHERE)


@pytest.mark.parametrize(
    ("found", "answer", "by_label", "is_right"),
    [
        ((BEE,), boxes(DRAWN), {"bee": True}, True),
        ((BEE_NEAR,), boxes(DRAWN), {"bee": True}, True),
        ((BEE_ELSEWHERE,), boxes(DRAWN), {"bee": False}, False),
        ((BEE, BEE_ELSEWHERE), boxes(DRAWN), {"bee": False}, False),
        ((BEE,), boxes(DRAWN, Box("bee", 60, 60, 20, 20)), {"bee": False}, False),
        ((BEE,), boxes(DRAWN, Box("wasp", 60, 60, 20, 20)), {"bee": True}, False),
        ((BEE, WASP), boxes(DRAWN), {"bee": True, "wasp": False}, False),
        ((BEE, WASP), boxes(DRAWN, Box("wasp", 60, 60, 20, 20)), {"bee": True, "wasp": True}, True),
        ((BEE,), AuditAnswer(), {"bee": False}, False),
        ((), AuditAnswer(), {None: True}, True),
        ((), boxes(DRAWN), {None: False}, False),
        ((BEE,), None, {"bee": False}, False),
    ],
    ids=[
        "the same",
        "about the same",
        "somewhere else",
        "one too many",
        "one too few",
        "another label is missing",
        "another label is wrong",
        "two labels",
        "nothing is there",
        "rightly nothing",
        "wrongly nothing",
        "no answer",
    ],
)
def test_a_sample_of_boxes_is_right_when_people_draw_the_same(
    found: tuple[DetectedLabel, ...], answer: AuditAnswer | None, by_label: dict[str | None, bool], is_right: bool
) -> None:
    sample = sample_of(*found)

    assert judge_sample(sample, answer) == by_label
    assert is_all_right(sample, answer) is is_right
    assert from_json(AuditSample, to_json(sample)) == sample


@pytest.mark.parametrize(
    ("found", "labels", "by_label", "is_right"),
    [
        ("ab", ("a", "b"), {"a": True, "b": True}, True),
        ("ab", ("a",), {"a": True, "b": False}, False),
        ("a", ("a", "b"), {"a": True}, False),
        ("a", (), {"a": False}, False),
        ("", (), {None: True}, True),
        ("", ("a",), {None: False}, False),
    ],
)
def test_a_sample_of_several_labels_is_right_when_people_give_the_same(
    found: str, labels: tuple[str, ...], by_label: dict[str | None, bool], is_right: bool
) -> None:
    sample, answer = sample_of(*(DetectedLabel(label, 90) for label in found)), AuditAnswer(labels=labels)

    assert judge_sample(sample, answer) == by_label
    assert is_all_right(sample, answer) is is_right


@pytest.mark.parametrize(
    ("label", "answer", "is_right"),
    [
        ("a", AuditAnswer("a"), True),
        ("a", AuditAnswer("b"), False),
        (None, AuditAnswer(), True),
        (None, AuditAnswer("a"), False),
        (None, None, False),
    ],
)
def test_a_sample_of_one_label_is_right_when_people_give_the_same(
    label: str | None, answer: AuditAnswer | None, is_right: bool
) -> None:
    sample = AuditSample("review", "s3://b/k", "v1", label, 90, False)

    assert judge_sample(sample, answer) == {label: is_right}
    assert is_all_right(sample, answer) is is_right
