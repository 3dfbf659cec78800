"""The live accuracy that samples give, against the truth that a simulation knows, in many seeds.

Once through the real DAGs: tests/dags/test_audit.py.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import replace

import pytest

from custom_labels.core.names import review_name
from custom_labels.operations.audit import Accuracy, Stratum, every_nth, wilson_interval
from custom_labels.review.review import Purpose, ReviewRequest, urgency
from tests.kit.review_requests import request_for

SEEDS = 100
COVERED = 93
INTERVAL, SAMPLES = 20, 100
DOUBTFUL, RIGHT_IF_SURE, RIGHT_IF_DOUBTFUL = 0.2, 0.98, 0.6

Answers = Callable[[random.Random, ReviewRequest], bool]


def everybody(chance: random.Random, request: ReviewRequest) -> bool:
    return True


def few_about_doubt(chance: random.Random, request: ReviewRequest) -> bool:
    """Four of twenty, as where doubts wait for a budget; the least sure ones are no likelier to be among them."""
    return not request.is_also_in_doubt or chance.random() < 0.2


def some(chance: random.Random, request: ReviewRequest) -> bool:
    """People let reviews expire, and agree less often about images that are hard."""
    return chance.random() < (0.5 if request.is_also_in_doubt else 0.9)


def nobody_about_doubt(chance: random.Random, request: ReviewRequest) -> bool:
    return not request.is_also_in_doubt


def simulate(seed: int, answers: Answers, budget: int) -> Accuracy:
    """Detect, sample, open by urgency within a budget, let people answer, and count.

    In doubt, the surer the model is the likelier it is right, as models are.
    """
    chance = random.Random(seed)
    asked: list[tuple[ReviewRequest, bool]] = []
    for number, is_sampled, _ in every_nth(range(INTERVAL * SAMPLES), INTERVAL, seen=0):
        is_doubtful = chance.random() < DOUBTFUL
        confidence = chance.uniform(20, 70) if is_doubtful else chance.uniform(70, 100)
        right = (confidence - 20) / 50 * 2 * RIGHT_IF_DOUBTFUL if is_doubtful else RIGHT_IF_SURE
        is_right = chance.random() < min(1, right)
        if is_sampled:
            key = f"images_for_detection/{seed}-{number}.png"
            request = request_for(key, confidence=confidence, purpose=Purpose.AUDIT, is_also_in_doubt=is_doubtful)
            asked.append((replace(request, name=review_name("digits", key, "e", 1, audit=True)), is_right))
    opened = sorted(asked, key=lambda one: urgency(one[0]))[:budget]
    counts = Counter[tuple[bool, str]]((request.is_also_in_doubt, "sampled") for request, _ in asked)
    for request, is_right in opened:
        if answers(chance, request):
            counts[request.is_also_in_doubt, "answered"] += 1
            counts[request.is_also_in_doubt, "right"] += is_right
    names = ("sampled", "answered", "right")
    return Accuracy(
        "v1", None, True, tuple(Stratum(doubt, *(counts[doubt, name] for name in names)) for doubt in (False, True))
    )


def expected_truth() -> float:
    """The truth of the simulated model: in doubt its chance grows with its confidence, up to certainty."""
    steps = 100_000
    chances = (min(1, step / steps * 2 * RIGHT_IF_DOUBTFUL) for step in range(steps))
    return (1 - DOUBTFUL) * RIGHT_IF_SURE + DOUBTFUL * sum(chances) / steps


@pytest.mark.parametrize(
    ("answers", "budget"),
    [(everybody, 1000), (everybody, 40), (few_about_doubt, 1000), (some, 1000), (some, 60), (nobody_about_doubt, 1000)],
    ids=["all answered", "budget", "few doubts answered", "unanswered", "budget and unanswered", "no doubt answered"],
)
def test_the_interval_covers_the_truth_when(answers: Answers, budget: int) -> None:
    truth = expected_truth()

    found = [simulate(seed, answers, budget) for seed in range(SEEDS)]

    covered = sum(low <= truth <= high for low, high in (one.interval or (1, 0) for one in found))
    assert covered >= COVERED


def test_the_share_is_right_on_average_when_few_doubts_are_answered() -> None:
    """And that of the answers alone is not: this is what was reported before, and hid a model that is too bad."""
    found = [simulate(seed, few_about_doubt, 1000) for seed in range(SEEDS)]

    mean = sum(one.share or 0 for one in found) / SEEDS
    alone = [wilson_interval(one.right, one.answered) for one in found]
    assert mean == pytest.approx(expected_truth(), abs=0.015)
    assert sum(low <= expected_truth() <= high for low, high in alone) < 80
    assert sum(one.right / one.answered for one in found) / SEEDS > expected_truth() + 0.04
