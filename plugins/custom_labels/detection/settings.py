"""The settings that detecting images takes."""

from __future__ import annotations

from dataclasses import dataclass

from custom_labels.core.service_window import ServiceWindow
from custom_labels.core.uncertainty import Uncertainty
from custom_labels.review.settings import ReviewSettings


@dataclass(frozen=True, kw_only=True)
class DetectionSettings(ReviewSettings):
    """How fast the version that serves is asked, which of its labels are accepted, and when it is started."""

    detection_batch_images: int
    detections_per_unit_second: float
    minimum_label_detection_confidence: float
    label_detection_confidence: dict[str, float]
    uncertainty: tuple[Uncertainty, ...]
    noise_confidence: float
    minimum_label_margin: float
    fewest_boxes: int
    most_boxes: int
    expected_labels: tuple[str, ...]
    reviewers_per_image: int
    start_when_images_wait: bool
    service_window: ServiceWindow | None
    minimum_inference_units: int
    maximum_inference_units: int | None
