"""Is the challenger good enough to serve?"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class GateDecision:
    """The verdict on a trained version, with what it was judged by.

    :param metric: the metric judged, for now always ``F1``.
    :param value: the challenger's value, 0 to 1.
    :param minimum: the least value that passes (setting ``minimum_f1_score``).
    """

    metric: str
    value: float
    minimum: float

    @property
    def passed(self) -> bool:
        """Whether the version may serve; the minimum itself passes."""
        return self.value >= self.minimum

    @property
    def reason(self) -> str:
        """The verdict as a sentence."""
        relation = "reaches" if self.passed else "is below"
        return f"{self.metric} {self.value:.3f} {relation} the minimum of {self.minimum:g}"


def judge_f1(f1: float, *, minimum_f1_score: float) -> GateDecision:
    """Judge a version by the overall F1 that Custom Labels measured on the test dataset."""
    return GateDecision(metric="F1", value=f1, minimum=minimum_f1_score)
