"""Which reviewers' answers disagree with the consensus far more often than the others' do."""

from __future__ import annotations

from collections.abc import Mapping
from math import exp, lgamma, log

MINIMUM_ANSWERS = 20
"""Answers that could be compared with a consensus, of a reviewer and of the others, below which nothing is decided."""
FALSE_ALARMS = 0.001
"""Share of crews of equally good people in which anybody is named, at most, each time that it is decided."""
TIMES = 2
"""A reviewer's rate is at least so many times the others', however sure it is that it is higher."""


def find_far_off(judged: Mapping[str, int], against: Mapping[str, int]) -> tuple[str, ...]:
    """Find the reviewers whose answers disagree with the consensus far above the others' rate.

    Of equally good people, each gives a share of the disagreeing answers that is the share of all answers that he or
    she gave: so many of so many, by a one-sided binomial test. The others' rate is not taken for known, as it would be
    where they never disagree. The level is divided by the number of reviewers who are tested (Bonferroni).

    :param judged: how many answers of each reviewer could be compared with a consensus of two or more people.
    :param against: how many of them disagree with it.
    :return: reviewers, the highest rate first.
    """
    answers, all_against = sum(judged.values()), sum(against.values())
    tested = [who for who, own in judged.items() if min(own, answers - own) >= MINIMUM_ANSWERS]

    def is_far_off(who: str) -> bool:
        own, own_against = judged[who], against.get(who, 0)
        others, others_against = answers - own, all_against - own_against
        if own_against * others < TIMES * others_against * own or not own_against:
            return False
        return binomial_tail(own_against, all_against, own / answers) * len(tested) < FALSE_ALARMS

    return tuple(sorted(filter(is_far_off, tested), key=lambda who: (-against[who] / judged[who], who)))


def binomial_tail(least: int, trials: int, chance: float) -> float:
    """Give the probability of at least so many successes.

    :param chance: of a success, between 0 and 1, neither of them included.
    """
    whole, yes, no = lgamma(trials + 1), log(chance), log(1 - chance)
    terms = (
        exp(whole - lgamma(number + 1) - lgamma(trials - number + 1) + number * yes + (trials - number) * no)
        for number in range(least, trials + 1)
    )
    return min(1.0, sum(terms))
