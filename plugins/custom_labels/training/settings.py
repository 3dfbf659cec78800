"""The settings that preparing and waiting for a training takes."""

from __future__ import annotations

from dataclasses import dataclass

from custom_labels.evaluation.settings import JudgeSettings


@dataclass(frozen=True, kw_only=True)
class TrainingSettings(JudgeSettings):
    """When a training is due, how its images are split, and how long it is waited for."""

    enable_automatic_training: bool
    minimum_untrained_images: int
    test_share: float
    inspect_images: bool
    label_detection_confidence: dict[str, float]
    status_poll_seconds: int
    training_timeout_hours: float
