"""Is the challenger good enough to serve? Gates are data: a metric, of all labels or one, and a bound."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import ClassVar

from pydantic import computed_field

EACH_LABEL = "*"
_TOLERANCE = 1e-9
"""Metrics are sums of floats; a value that equals its bound but for the last digits passes."""


class Metric(StrEnum):
    """What a version is judged by, each from 0 to 1."""

    F1 = "f1"
    PRECISION = "precision"
    RECALL = "recall"


@dataclass(frozen=True)
class Metrics:
    """How good a version is at one label, or at all of them.

    :param f1: F1 score, 0 to 1; likewise ``precision`` and ``recall``.
    """

    f1: float
    precision: float
    recall: float

    def value(self, metric: Metric) -> float:
        """Give one of the three."""
        return float(getattr(self, metric.value))


@dataclass(frozen=True)
class Scores:
    """How good a version is on some set of images.

    :param overall: over all labels.
    :param labels: by label; only labels that some image of the set shows.
    """

    overall: Metrics
    labels: Mapping[str, Metrics] = field(default_factory=dict)

    def of(self, label: str | None) -> Metrics | None:
        """Give the metrics of a label, ``None`` if no image shows it; those of all labels for ``None``."""
        return self.overall if label is None else self.labels.get(label)


@dataclass(frozen=True)
class Gate:
    """One condition on a challenger.

    :param metric: ``None`` for the project's headline metric.
    :param label: the label judged; ``None`` for all labels together, ``*`` for each of them.
    :param at_least: the least value that passes, 0 to 1; relative to the champion the least difference, -1 to 1.
    :param at_most: the greatest value that passes; exactly one of the two is given.
    :param relative_to_champion: judge the challenger's value less the champion's. Without a champion it passes.
    """

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}

    metric: Metric | None = None
    label: str | None = None
    at_least: float | None = None
    at_most: float | None = None
    relative_to_champion: bool = False

    def __post_init__(self) -> None:
        if (self.at_least is None) == (self.at_most is None):
            raise ValueError("a gate needs either 'at_least' or 'at_most'")
        lowest = -1 if self.relative_to_champion else 0
        if not lowest <= self.bound <= 1:
            raise ValueError(f"the bound of a gate is from {lowest} to 1, this one is {self.bound:g}")

    @property
    def bound(self) -> float:
        """The bound, whichever way it is."""
        return float(self.at_least if self.at_least is not None else self.at_most or 0.0)

    def holds(self, value: float) -> bool:
        """Say whether a value, or a difference for a relative gate, is within the bound; the bound itself is."""
        if self.at_least is not None:
            return value >= self.at_least - _TOLERANCE
        return value <= self.bound + _TOLERANCE


class Basis(StrEnum):
    """What the values of a gate were measured on."""

    EVALUATION = "the challenger's own evaluation"
    SAME_IMAGES = "the same test images for both versions"
    OWN_EVALUATIONS = "each version's own evaluation, on different test images"
    NO_CHAMPION = "nothing, for want of a champion"
    NO_IMAGES = "nothing, for want of test images"
    NO_EVALUATION = "nothing, for want of an evaluation of the champion"


WHY_NOT = {
    Basis.NO_CHAMPION: "no version serves yet",
    Basis.NO_IMAGES: "no test image shows it",
    Basis.NO_EVALUATION: "it is not known how good the champion is",
}


@dataclass(frozen=True)
class GateResult:
    """One gate applied to one label.

    :param label: ``None`` for all labels together.
    :param value: the challenger's, ``None`` where nothing could be measured.
    :param champion: the champion's, for a relative gate.
    :param bound: the least or greatest value that passes; for a relative gate the champion's, moved by the gate.
    """

    gate: Gate
    metric: Metric
    label: str | None
    value: float | None
    champion: float | None
    bound: float
    basis: Basis
    passed: bool

    @computed_field  # type: ignore[prop-decorator]
    @property
    def sentence(self) -> str:
        """The verdict as part of a sentence."""
        whose = f" of {self.label!r}" if self.label is not None else ""
        subject = f"{NAMES[self.metric]}{' of each label' if self.label == EACH_LABEL else whose}"
        if self.value is None:
            return f"{subject} {'needs no judgement' if self.passed else 'cannot be judged'}: {WHY_NOT[self.basis]}"
        is_low = self.gate.at_least is not None
        verdict = ("reaches" if is_low else "is within") if self.passed else ("is below" if is_low else "is above")
        limit = "minimum" if is_low else "maximum"
        against = "" if self.champion is None else f" (the champion has {self.champion:.3f})"
        return f"{subject} {self.value:.3f} {verdict} the {limit} of {self.bound:.4g}{against}"


NAMES = {Metric.F1: "F1", Metric.PRECISION: "precision", Metric.RECALL: "recall"}


@dataclass(frozen=True)
class GateDecision:
    """The verdict on a trained version, with every gate it was judged by."""

    results: tuple[GateResult, ...]

    @property
    def passed(self) -> bool:
        """Whether the version may serve: every gate holds."""
        return all(result.passed for result in self.results)

    @property
    def reason(self) -> str:
        """The verdict as a sentence: all that failed, or the first that held."""
        failed = [result.sentence for result in self.results if not result.passed]
        if failed:
            return "; ".join(failed)
        if not self.results:
            return "no gate is set"
        more = len(self.results) - 1
        also = f", and {more} other gate{'s hold' if more > 1 else ' holds'}" if more else ""
        return f"{self.results[0].sentence}{also}"


@dataclass(frozen=True)
class Comparison:
    """What a challenger is judged by.

    :param evaluated: its scores by Custom Labels' evaluation on its test dataset.
    :param champion: the champion's scores, ``None`` where no version serves.
    :param challenger: the challenger's on the very images that the champion was scored on; ``None`` where the champion
        was not scored again, and its scores are those of its own evaluation.
    :param champion_is_unknown: a version serves, but there are no scores of it: gates relative to it fail.
    """

    evaluated: Scores
    champion: Scores | None = None
    challenger: Scores | None = None
    champion_is_unknown: bool = False


def judge(gates: Sequence[Gate], comparison: Comparison, *, headline: Metric = Metric.F1) -> GateDecision:
    """Judge a challenger by every gate.

    A gate on a label that no test image shows fails: nothing says that it is kept. One on each label judges those
    that the images show; relative to the champion, those that the champion knew as well.

    :param headline: the metric of gates that name none.
    """
    return GateDecision(tuple(result for gate in gates for result in _apply(gate, comparison, headline)))


def _apply(gate: Gate, comparison: Comparison, headline: Metric) -> Iterator[GateResult]:
    metric = gate.metric or headline
    judged = comparison.evaluated
    basis = Basis.EVALUATION
    if gate.relative_to_champion:
        if comparison.champion is None:
            unknown = comparison.champion_is_unknown
            why = Basis.NO_EVALUATION if unknown else Basis.NO_CHAMPION
            yield GateResult(gate, metric, gate.label, None, None, gate.bound, why, passed=not unknown)
            return
        judged = comparison.challenger or comparison.evaluated
        basis = Basis.SAME_IMAGES if comparison.challenger else Basis.OWN_EVALUATIONS
    labels: Sequence[str | None] = sorted(judged.labels) if gate.label == EACH_LABEL else [gate.label]
    for label in labels:
        metrics = judged.of(label)
        if metrics is None:
            yield GateResult(gate, metric, label, None, None, gate.bound, Basis.NO_IMAGES, passed=False)
            continue
        value = metrics.value(metric)
        if not gate.relative_to_champion:
            yield GateResult(gate, metric, label, value, None, gate.bound, basis, gate.holds(value))
            continue
        champion = comparison.champion.of(label) if comparison.champion else None
        if champion is None:
            continue  # the champion never knew this label: there is nothing to be worse than
        before = champion.value(metric)
        result = gate.holds(value - before)
        yield GateResult(gate, metric, label, value, before, before + gate.bound, basis, result)


def all_gates(minimum_f1_score: float, gates: Sequence[Gate]) -> tuple[Gate, ...]:
    """Put the setting ``minimum_f1_score`` before the project's own gates."""
    return (Gate(metric=Metric.F1, at_least=minimum_f1_score), *gates)
