"""The settings that judging a version takes."""

from __future__ import annotations

from dataclasses import dataclass

from custom_labels.core.gate import Gate, Metric, all_gates
from custom_labels.core.run_settings import RunSettings


@dataclass(frozen=True, kw_only=True)
class JudgeSettings(RunSettings):
    """The gates, what the live version is asked for the comparison, and whether a person approves."""

    minimum_f1_score: float
    gates: tuple[Gate, ...]
    headline_metric: Metric
    compare_with_champion: bool
    maximum_comparison_images: int
    minimum_inference_units: int
    detections_per_unit_second: float
    require_approval: bool
    approval_timeout_hours: float

    def all_gates(self) -> tuple[Gate, ...]:
        """Give the gates that a version is judged by, ``minimum_f1_score`` the first."""
        return all_gates(self.minimum_f1_score, self.gates)
