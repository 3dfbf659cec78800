"""The settings of the DAGs that watch over a project."""

from __future__ import annotations

from dataclasses import dataclass

from custom_labels.core.run_settings import RunSettings
from custom_labels.core.service_window import ServiceWindow


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
