"""Settings that name labels: which names are of no label, and what may be meant."""

from __future__ import annotations

import pytest

from custom_labels.core.gate import Gate
from custom_labels.core.label_settings import in_words, unknown_gate_labels, unknown_labels

LABELS = {"cat", "dog", "horse"}


@pytest.mark.parametrize(
    ("labels", "unknown"),
    [
        ([None, "*"], []),
        (["cat", "dog"], []),
        (["cta", "cat", "cta", "cow"], ["cta", "cow"]),
        (["Cat"], ["Cat"]),
    ],
    ids=["all and each", "known", "some unknown", "another case"],
)
def test_gates_on_labels_that_do_not_exist_are_found(labels: list[str | None], unknown: list[str]) -> None:
    assert unknown_gate_labels([Gate(label=label, at_least=0.5) for label in labels], LABELS) == unknown


def test_thresholds_of_labels_that_do_not_exist_are_found() -> None:
    assert unknown_labels({"cat": 80, "cow": 70}, LABELS) == ["cow"]


@pytest.mark.parametrize(
    ("unknown", "labels", "words"),
    [
        (["hors"], LABELS, "'hors' (is 'horse' meant?)"),
        (["7"], LABELS, "'7' (there are 'cat', 'dog', 'horse')"),
        (["x"], [f"{n:03}" for n in range(250)], "'006', '007' and 242 more)"),
        (["x"], [], "'x' (there are )"),
    ],
)
def test_it_is_said_what_may_be_meant(unknown: list[str], labels: list[str], words: str) -> None:
    assert in_words(unknown, labels).endswith(words)
