"""Settings that name labels, held against the labels that there are: a name that is misspelt changes nothing else."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from difflib import get_close_matches

from custom_labels.core.gate import EACH_LABEL, Gate

MOST_NAMED = 8


def unknown_gate_labels(gates: Iterable[Gate], labels: Collection[str]) -> list[str]:
    """Give the labels that gates name and that are none of these, each once."""
    named = (gate.label for gate in gates if gate.label not in {None, EACH_LABEL})
    return list(dict.fromkeys(label for label in named if label is not None and label not in labels))


def unknown_labels(named: Iterable[str], labels: Collection[str]) -> list[str]:
    """Give the labels that are named and are none of these."""
    return [label for label in named if label not in labels]


def in_words(unknown: Iterable[str], labels: Collection[str]) -> str:
    """Name labels that do not exist, with those that may be meant."""
    return ", ".join(f"'{label}'{_meant(label, labels)}" for label in unknown)


def _meant(label: str, labels: Collection[str]) -> str:
    if close := get_close_matches(label, labels, n=1):
        return f" (is '{close[0]}' meant?)"
    every = sorted(labels)
    more = f" and {len(every) - MOST_NAMED} more" if len(every) > MOST_NAMED else ""
    return f" (there are {', '.join(map(repr, every[:MOST_NAMED]))}{more})"
