"""Which labels are doubted: those planted wrong among the first, and none where the model knows too little."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from custom_labels.datasets.inspection.inspection import InspectedLabel, Inspection, Problem, Suspect, count_sizes
from custom_labels.datasets.inspection.label_doubt import (
    ALONE,
    DUPLICATES,
    FEW,
    UNRECOGNIZED,
    doubt_one_label,
    doubt_several_labels,
)
from custom_labels.datasets.inspection.picture_features import LENGTH

IMAGES = 240


def features(labels: Any, random: np.random.Generator, spread: float = 30.0) -> Any:
    """Make rows that have something in common for each label."""
    centres = random.integers(40, 216, (int(labels.max()) + 1, LENGTH))
    return np.clip(centres[labels] + random.normal(0, spread, (len(labels), LENGTH)), 0, 255).astype(np.uint8)


@pytest.fixture
def random() -> np.random.Generator:
    return np.random.default_rng(1)


def test_wrong_labels_are_the_first(random: np.random.Generator, tmp_path: Path) -> None:
    truth = random.integers(0, 4, IMAGES)
    rows, folds = features(truth, random), random.integers(0, 5, IMAGES)
    planted = set(map(int, random.choice(IMAGES, 8, replace=False)))
    labels = np.array([(each + 1) % 4 if number in planted else each for number, each in enumerate(truth)])

    found = doubt_one_label(rows, labels, folds, 4, tmp_path, 200)

    assert {each.picture for each in found.worst[:8]} == planted
    assert all(each.believed == truth[each.picture] for each in found.worst[:8])
    assert [each.probability for each in found.worst] == sorted(each.probability for each in found.worst)
    assert sum(found.counts) == len(found.worst)
    assert found.why_not == [""] * 4
    assert all(share is not None and share > 0.9 for share in found.recognized)


def test_no_more_are_given_than_asked_for_and_all_are_counted(random: np.random.Generator, tmp_path: Path) -> None:
    truth = random.integers(0, 3, IMAGES)
    labels = np.where(random.random(IMAGES) < 0.1, (truth + 1) % 3, truth)

    found = doubt_one_label(features(truth, random), labels, random.integers(0, 5, IMAGES), 3, tmp_path, 5)

    assert len(found.worst) == 5 < sum(found.counts)


def test_where_nothing_can_be_recognized_nothing_is_doubted(random: np.random.Generator, tmp_path: Path) -> None:
    labels = random.integers(0, 4, IMAGES)
    rows = random.integers(0, 256, (IMAGES, LENGTH)).astype(np.uint8)

    found = doubt_one_label(rows, labels, random.integers(0, 5, IMAGES), 4, tmp_path, 200)

    assert (found.worst, list(found.why_not)) == ((), [UNRECOGNIZED] * 4)


@pytest.mark.parametrize(
    ("labels", "folds", "why"),
    [
        ([0] * 30 + [1] * 9, [0, 1, 2] * 13, [ALONE, FEW]),
        ([0] * 30 + [1] * 12, [0, 1, 2] * 10 + [3] * 12, [ALONE, DUPLICATES]),
        ([], [], [FEW, FEW]),
    ],
    ids=["few", "one group", "nothing"],
)
def test_a_label_that_cannot_be_looked_at_says_why(
    random: np.random.Generator, tmp_path: Path, labels: list[int], folds: list[int], why: list[str]
) -> None:
    rows = random.integers(0, 256, (len(labels), LENGTH)).astype(np.uint8)

    found = doubt_one_label(rows, np.array(labels, np.int64), np.array(folds, np.int64), 2, tmp_path, 200)

    assert (found.worst, list(found.why_not)) == ((), why)


def test_of_several_labels_a_wrong_and_a_missing_one_are_found(random: np.random.Generator) -> None:
    truth = random.random((IMAGES, 2)) < 0.5
    centres = random.integers(40, 216, (2, LENGTH))
    rows = np.clip(truth @ centres / 2 + random.normal(60, 15, (IMAGES, LENGTH)), 0, 255).astype(np.uint8)
    has = truth.copy()
    missing, wrong = int(np.flatnonzero(truth[:, 0])[3]), int(np.flatnonzero(~truth[:, 1])[5])
    has[missing, 0], has[wrong, 1] = False, True

    found = doubt_several_labels(rows, has, random.integers(0, 5, IMAGES), 200)

    worst = {(each.picture, each.label, each.has_label) for each in found.worst[:2]}
    assert worst == {(missing, 0, False), (wrong, 1, True)}


def test_a_label_on_every_image_is_no_question(random: np.random.Generator) -> None:
    has = np.ones((40, 1), bool)
    rows = random.integers(0, 256, (40, LENGTH)).astype(np.uint8)

    assert doubt_several_labels(rows, has, random.integers(0, 5, 40), 9).why_not == [FEW]


def test_an_inspection_is_worded_for_a_plan() -> None:
    suspect = Suspect("a/b.png", "e", "cat", "dog", 0.02, 0.93)
    missing = Suspect("c.png", "e", "bee", None, 0.1, 0.9, Problem.MISSING)
    made = Inspection(
        *("0" * 64, 20, 1),
        labels=(InspectedLabel("cat", 10, 10, 0, why_not=FEW), InspectedLabel("dog", 9, 7, 2, why_not=FEW)),
        group_count=2,
        grouped_images=5,
        kept_together=1,
        suspects=(suspect, missing),
        suspect_count=2,
    )

    one_side = "each on one side of the split"
    assert made.lines() == (
        f"5 images are near duplicates, in 2 groups, {one_side}; 1 of the groups would have been on both",
        "2 labels are doubtful, the worst: 'a/b.png' is 'cat', rather 'dog' (93%); 'c.png' lacks 'bee' (90%)",
        "no test image, so that nothing judges them: 'cat'",
        f"labels not looked at for doubt: 2 labels: {FEW}",
        "images that could not be decoded, and were not looked at: 1",
    )
    assert Inspection("0" * 64, 3, 0).lines() == ()


def test_sizes_are_counted_up_to_limits() -> None:
    counted = {each.longer_side: each.images for each in count_sizes([(100, 2), (128, 1), (129, 4), (9000, 3)])}

    assert counted == {128: 3, 256: 4, 512: 0, 1024: 0, 2048: 0, 4096: 3}
