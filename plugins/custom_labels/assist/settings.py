"""The settings that label assist takes."""

from __future__ import annotations

from dataclasses import dataclass

from custom_labels.detection.settings import DetectionSettings


@dataclass(frozen=True, kw_only=True)
class AssistSettings(DetectionSettings):
    """How images are detected and reviewed, when boxes count as kept, and how often and how long is waited."""

    minimum_box_overlap: float
    status_poll_seconds: int
    training_timeout_hours: float
    approval_timeout_hours: float
