"""Which images people label first: what each strategy chooses, and how many images a model needs by each of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import mean
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score

from custom_labels.assist.selection import Strategy, embed, select
from custom_labels.aws.predictions import Box, DetectedLabel


@dataclass(frozen=True)
class Image:
    place: int
    confidence: float | None = None
    embedding: Sequence[float] = ()


def places(images: list[Image]) -> list[int]:
    return [image.place for image in images]


def test_the_least_sure_come_first_and_of_those_without_anything_a_quarter() -> None:
    images = [Image(number, 100.0 - number) for number in range(20)] + [Image(100 + number) for number in range(20)]

    chosen = select(images, Strategy.LEAST_CONFIDENT, 8)

    assert places(chosen) == [19, 18, 17, 16, 15, 14, 100, 101]


@pytest.mark.parametrize(
    ("seen", "unseen", "chosen"),
    [(3, 20, (3, 5)), (20, 1, (7, 1)), (20, 0, (8, 0)), (0, 20, (0, 8)), (2, 3, (2, 3)), (0, 0, (0, 0))],
    ids=["few seen", "few unseen", "all seen", "none seen", "fewer than the budget", "none"],
)
def test_whichever_kind_is_short_the_other_fills_the_budget(seen: int, unseen: int, chosen: tuple[int, int]) -> None:
    images = [Image(number, 50.0) for number in range(seen)] + [Image(100 + number) for number in range(unseen)]

    found = select(images, Strategy.LEAST_CONFIDENT, 8)

    assert (
        sum(each.confidence is not None for each in found),
        sum(each.confidence is None for each in found),
    ) == chosen


def test_different_images_come_first_and_copies_last() -> None:
    corners = [(0.0, 0.0), (1.0, 0.0), (0.0, 1.0), (1.0, 1.0)]
    images = [Image(number, 50.0, corners[number % 4]) for number in range(40)]

    chosen = select(images, Strategy.DIVERSE, 6)

    assert {tuple(image.embedding) for image in chosen[:4]} == set(corners)
    assert len(set(places(chosen))) == 6


def test_a_random_choice_goes_by_the_place_alone() -> None:
    images = [Image(number, float(number % 7)) for number in range(50, 0, -1)]

    assert places(select(images, Strategy.RANDOM, 3)) == [1, 2, 3]


@given(
    st.lists(st.tuples(st.integers(0, 10**6), st.one_of(st.none(), st.floats(0, 100))), unique_by=lambda each: each[0]),
    st.sampled_from(Strategy),
    st.integers(0, 12),
)
def test_as_many_as_there_are_up_to_the_budget_each_once_in_whatever_order_they_come(
    values: list[tuple[int, float | None]], strategy: Strategy, budget: int
) -> None:
    images = [Image(place, confidence, (confidence or 0.0,)) for place, confidence in values]

    chosen = select(images, strategy, budget)

    assert len(chosen) == min(budget, len(images))
    assert len(set(places(chosen))) == len(chosen)
    assert set(places(chosen)) == set(places(select(reversed(images), strategy, budget)))


def test_an_image_is_described_by_what_the_version_sees_on_it() -> None:
    box = Box(0.1, 0.1, 0.2, 0.2)
    labels = [DetectedLabel("a", 80, box), DetectedLabel("a", 40, box), DetectedLabel("gone", 99)]

    assert embed(labels, ("a", "b")) == (0.8, 0.0, 0.2, 0.0)
    assert embed([], ("a", "b")) == (0.0,) * 4


# -- images needed -------------------------------------------------------------------------------------

LABELS, RARE = 4, 0.06
"""Labels, of which the last one is rare: a random choice meets it seldom."""


def blobs(random: np.random.Generator, count: int) -> tuple[Any, Any]:
    """Make pictures as points: a cloud a label, which overlap."""
    share = [(1 - RARE) / (LABELS - 1)] * (LABELS - 1) + [RARE]
    labels = random.choice(LABELS, count, p=share)
    centres = np.array([(0, 0), (2.2, 0), (0, 2.2), (2.2, 2.4)])
    return centres[labels] + random.normal(0, 0.62, (count, 2)), labels


def images_needed(strategy: Strategy, seed: int) -> int:
    """Count the images that are labelled until F1 reaches 0.9, ten a round."""
    random = np.random.default_rng(seed)
    points, labels = blobs(random, 1200)
    tests, truth = blobs(random, 1500)
    known = [int(np.flatnonzero(labels == label)[0]) for label in range(LABELS)]
    while len(known) < 400:
        model = LogisticRegression(C=100, max_iter=500).fit(points[known], labels[known])
        if f1_score(truth, model.predict(tests), average="macro") >= 0.9:
            return len(known)
        rest = sorted(set(range(len(points))) - set(known))
        sure = model.predict_proba(points[rest])
        hashed = random.permutation(len(points))
        images = [
            Image(int(hashed[number]) * 10_000 + number, 100 * float(row.max()), tuple(row))
            for number, row in zip(rest, sure, strict=True)
        ]
        known += [image.place % 10_000 for image in select(images, strategy, 10)]
    return len(known)


def test_the_strategies_need_fewer_images_than_chance() -> None:
    needed = {strategy: mean(images_needed(strategy, seed) for seed in range(6)) for strategy in Strategy}

    assert needed[Strategy.LEAST_CONFIDENT] < 0.8 * needed[Strategy.RANDOM]
    assert needed[Strategy.DIVERSE] < needed[Strategy.RANDOM]
