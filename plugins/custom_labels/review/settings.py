"""The settings that opening reviews takes, and harvesting them."""

from __future__ import annotations

from dataclasses import dataclass

from custom_labels.core.run_settings import RunSettings, TriggerSettings


@dataclass(frozen=True, kw_only=True)
class ReviewSettings(RunSettings):
    """How many reviews are opened, and how many may wait for how long."""

    enable_a2i_workflow: bool
    daily_review_budget: int
    maximum_waiting_reviews: int
    review_waiting_days: float


@dataclass(frozen=True, kw_only=True)
class HarvestSettings(ReviewSettings, TriggerSettings):
    """What becomes of an image by the answers about it, and when a training is triggered."""

    reviewers_per_image: int
    review_quorum: int | None
    minimum_box_overlap: float
    maximum_review_rounds: int
    none_of_the_above_label: str | None
    train_on_audit_samples: bool
