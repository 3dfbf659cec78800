"""The settings that opening reviews takes."""

from __future__ import annotations

from dataclasses import dataclass

from custom_labels.core.run_settings import RunSettings


@dataclass(frozen=True, kw_only=True)
class ReviewSettings(RunSettings):
    """How many reviews are opened, and how many may wait for how long."""

    enable_a2i_workflow: bool
    daily_review_budget: int
    maximum_waiting_reviews: int
    review_waiting_days: float
