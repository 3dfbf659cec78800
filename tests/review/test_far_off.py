"""Who is far off the consensus: a careless person is, equally good people are not, however many crews there are."""

from __future__ import annotations

import random
from collections import Counter
from math import comb

import pytest

from custom_labels.review.far_off import FALSE_ALARMS, MINIMUM_ANSWERS, binomial_tail, find_far_off

CREWS = 1_000
LABELS = range(10)


def crew(seed: int, mistakes: dict[str, float], images: int = 80) -> tuple[Counter[str], Counter[str]]:
    """Let people answer: each image is shown to three of them, and two who say the same make the consensus.

    :param mistakes: each person's share of mistakes.
    :return: answers about images with a consensus by person, and those that disagree with it.
    """
    chance, judged, against = random.Random(seed), Counter[str](), Counter[str]()
    people = sorted(mistakes)
    for _ in range(images):
        asked = people if len(people) == 3 else chance.sample(people, 3)
        given = {who: chance.choice(LABELS[1:]) if chance.random() < mistakes[who] else 0 for who in asked}
        label, votes = Counter(given.values()).most_common(1)[0]
        if votes > 1:
            judged.update(asked)
            against.update(who for who in asked if given[who] != label)
    return judged, against


@pytest.mark.parametrize(("people", "mistakes"), [(3, 0.1), (6, 0.02), (6, 0.3)])
def test_equally_good_people_are_not_named(people: int, mistakes: float) -> None:
    names = [f"w{number}" for number in range(people)]

    named = sum(bool(find_far_off(*crew(seed, dict.fromkeys(names, mistakes)))) for seed in range(CREWS))

    # So many crews, or fewer, in all but one of a hundred thousand tests like this, if the rate is as stated.
    assert named <= next(most for most in range(CREWS) if binomial_tail(most + 1, CREWS, FALSE_ALARMS) < 1e-5)


@pytest.mark.parametrize("mistakes", [0.02, 0.1])
@pytest.mark.parametrize("people", [3, 6])
def test_a_careless_person_is_named(people: int, mistakes: float) -> None:
    shares = {**{f"w{number}": mistakes for number in range(people - 1)}, "careless": 0.5}

    found = Counter(find_far_off(*crew(seed, shares, images=150)) for seed in range(100))

    assert found[("careless",)] >= 99


@pytest.mark.parametrize(
    ("judged", "against", "found"),
    [
        ({}, {}, ()),
        ({"anna": 500}, {"anna": 400}, ()),
        ({"anna": MINIMUM_ANSWERS - 1, "ben": 500}, {"anna": MINIMUM_ANSWERS - 1, "ben": 1}, ()),
        ({"anna": 500, "ben": MINIMUM_ANSWERS - 1}, {"anna": 400}, ()),
        ({"anna": 100, "ben": 100, "eva": 100}, {"anna": 1}, ()),
        ({"anna": 100, "ben": 100, "eva": 100}, {"anna": 20}, ("anna",)),
        ({"anna": 9_000, "ben": 9_000, "eva": 9_000}, {"anna": 1_300, "ben": 900, "eva": 900}, ()),
        (dict.fromkeys("abcdef", 200), {"a": 60, "b": 80, "c": 5, "d": 5, "e": 5, "f": 5}, ("b", "a")),
    ],
    ids=["nobody", "alone", "few answers", "few of the others", "one slip", "many", "sure, not far", "two"],
)
def test_who_is_far_off(judged: dict[str, int], against: dict[str, int], found: tuple[str, ...]) -> None:
    assert find_far_off(judged, against) == found


def test_the_tail_is_that_of_the_binomial_distribution() -> None:
    exact = sum(comb(40, k) * 0.3**k * 0.7 ** (40 - k) for k in range(18, 41))

    assert binomial_tail(18, 40, 0.3) == pytest.approx(exact)
    assert binomial_tail(0, 40, 0.3) == pytest.approx(1)
    assert binomial_tail(900, 100_000, 0.01) == pytest.approx(1, abs=0.01)
