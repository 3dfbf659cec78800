"""Gates: which challengers may serve, by which numbers, and in which words."""

from __future__ import annotations

from typing import Any

import pytest

from custom_labels.core.codec import from_json, to_json
from custom_labels.core.gate import (
    Basis,
    Comparison,
    Gate,
    GateDecision,
    Metric,
    Metrics,
    Scores,
    all_gates,
    judge,
)


def scores(f1: float, **labels: float) -> Scores:
    return Scores(Metrics(f1, 0.9, 0.5), {label: Metrics(value, value, value) for label, value in labels.items()})


CHALLENGER = scores(0.8, cat=0.9, dog=0.6)
CHAMPION = scores(0.82, cat=0.8, dog=0.66)
CASES: list[tuple[str, Gate, bool, str]] = [
    ("the minimum itself passes", Gate(Metric.F1, at_least=0.8), True, "F1 0.800 reaches the minimum of 0.8"),
    ("below the minimum", Gate(Metric.F1, at_least=0.81), False, "F1 0.800 is below the minimum of 0.81"),
    ("at most", Gate(Metric.PRECISION, at_most=0.8), False, "precision 0.900 is above the maximum of 0.8"),
    ("the headline metric is judged where none is named", Gate(at_least=0.6), False, "recall 0.500 is below"),
    ("one label", Gate(Metric.F1, label="dog", at_least=0.7), False, "F1 of 'dog' 0.600 is below"),
    ("each label", Gate(Metric.F1, label="*", at_least=0.7), False, "F1 of 'dog' 0.600 is below the minimum of 0.7"),
    ("each label holds", Gate(Metric.F1, label="*", at_least=0.6), True, "and 1 other gate holds"),
    ("a label that no image shows", Gate(label="emu", at_least=0.1), False, "cannot be judged: no test image shows it"),
    (
        "a label fell too far",
        Gate(Metric.F1, label="*", at_least=-0.05, relative_to_champion=True),
        False,
        "F1 of 'dog' 0.600 is below the minimum of 0.61 (the champion has 0.660)",
    ),
    ("no label fell too far", Gate(Metric.F1, label="*", at_least=-0.06, relative_to_champion=True), True, "'cat'"),
    (
        "worse than the champion",
        Gate(Metric.F1, at_least=0, relative_to_champion=True),
        False,
        "(the champion has 0.820",
    ),
]


@pytest.mark.parametrize(("gate", "passed", "words"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_a_gate_judges(gate: Gate, passed: bool, words: str) -> None:
    decision = judge([gate], Comparison(CHALLENGER, CHAMPION, CHALLENGER), headline=Metric.RECALL)

    assert decision.passed is passed
    assert words in decision.reason


def test_relative_gates_take_the_numbers_of_the_same_images() -> None:
    gate = Gate(Metric.F1, at_least=-0.01, relative_to_champion=True)

    same = judge([gate], Comparison(scores(0.1), CHAMPION, scores(0.82)))
    own = judge([gate], Comparison(scores(0.1), CHAMPION))

    assert (same.passed, same.results[0].basis) == (True, Basis.SAME_IMAGES)
    assert (own.passed, own.results[0].basis) == (False, Basis.OWN_EVALUATIONS)


def test_a_relative_gate_passes_when_nothing_serves() -> None:
    decision = judge([Gate(at_least=0.1, relative_to_champion=True)], Comparison(CHALLENGER))

    assert decision.passed
    assert decision.reason == "F1 needs no judgement: no version serves yet"


def test_a_relative_gate_fails_when_nothing_is_known_of_the_champion() -> None:
    gate = Gate(at_least=0.1, relative_to_champion=True)

    decision = judge([gate], Comparison(CHALLENGER, champion_is_unknown=True))

    assert not decision.passed
    assert decision.reason == "F1 cannot be judged: it is not known how good the champion is"


def test_a_label_that_the_champion_never_knew_is_not_compared() -> None:
    gate = Gate(label="*", at_least=0, relative_to_champion=True)

    decision = judge([gate], Comparison(scores(0.8, emu=0.1), scores(0.8, cat=0.9)))

    assert decision == GateDecision(())


def test_every_failed_gate_is_named() -> None:
    decision = judge(all_gates(0.9, [Gate(Metric.RECALL, at_least=0.6)]), Comparison(CHALLENGER))

    assert decision.reason == "F1 0.800 is below the minimum of 0.9; recall 0.500 is below the minimum of 0.6"


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({}, "either 'at_least' or 'at_most'"),
        ({"at_least": 0.1, "at_most": 0.2}, "either 'at_least' or 'at_most'"),
        ({"at_least": -0.1}, "from 0 to 1"),
        ({"at_least": -1.1, "relative_to_champion": True}, "from -1 to 1"),
    ],
)
def test_a_gate_that_makes_no_sense_is_refused(fields: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        Gate(**fields)


def test_gates_and_scores_read_back_as_they_were_written() -> None:
    gate = Gate(Metric.RECALL, "dog", at_most=0.3, relative_to_champion=True)

    assert from_json(Gate, to_json(gate)) == gate
    assert from_json(Scores, to_json(CHALLENGER)) == CHALLENGER
