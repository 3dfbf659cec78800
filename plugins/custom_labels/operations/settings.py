"""The settings of the DAGs that watch over a project."""

from __future__ import annotations

from dataclasses import dataclass

from custom_labels.core.run_settings import RunSettings
from custom_labels.core.service_window import ServiceWindow
from custom_labels.review.settings import ReviewSettings


@dataclass(frozen=True, kw_only=True)
class BootstrapSettings(RunSettings):
    """What the review flows are made for; the other settings are read and checked like everything around them."""

    reviewers_per_image: int


@dataclass(frozen=True, kw_only=True)
class TeardownSettings(RunSettings):
    """How long a training is waited for that AWS cannot stop."""

    status_poll_seconds: int
    training_timeout_hours: float


@dataclass(frozen=True, kw_only=True)
class GuardSettings(RunSettings):
    """What the cost guard stops, starts, deletes and notifies of."""

    service_window: ServiceWindow | None
    idle_stop_hours: float | None
    idle_alert_hours: float
    start_when_images_wait: bool
    minimum_inference_units: int
    maximum_inference_units: int | None
    keep_versions: int | None
    monthly_budget_usd: float | None


@dataclass(frozen=True, kw_only=True)
class AuditSettings(ReviewSettings):
    """Which detections people check, and when an alert about their answers is due."""

    enable_automatic_human_sampling: bool
    human_sampling_interval: int
    reviewers_per_image: int
    minimum_live_accuracy: float
    minimum_audit_answers: int
