"""The settings that starting, testing and swapping versions takes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from custom_labels.core.run_settings import RunSettings
from custom_labels.training.settings import TrainingSettings


@dataclass(frozen=True, kw_only=True)
class ServingSettings(RunSettings):
    """What a version is started and tested with."""

    minimum_inference_units: int
    maximum_inference_units: int | None
    smoke_test_images: int
    smoke_test_share: float


@dataclass(frozen=True, kw_only=True)
class DeploymentSettings(ServingSettings):
    """What putting a version into service takes besides."""

    require_approval: bool
    drain_seconds: int
    keep_replaced_hours: float
    when_quota_is_full: Literal["fail", "stop_then_start"]


@dataclass(frozen=True, kw_only=True)
class TrainSettings(TrainingSettings, DeploymentSettings):
    """All that the train DAG uses."""
