"""What the loop would cost at AWS: hours times prices, and how far the prices can be trusted."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from custom_labels.training import prices as price_file


@dataclass(frozen=True)
class Usage:
    """What one version used.

    :param training_seconds: what AWS bills of its training.
    :param serving_seconds: how long it was RUNNING, on one inference unit.
    :param reviews: reviews that people answered about its detections.
    """

    training_seconds: float
    serving_seconds: float
    reviews: int


@dataclass(frozen=True)
class Prices:
    """Prices in US dollars, and the hours that are assumed for a loop at AWS.

    :param review: of one review; ``None`` where the review backend is none that AWS bills.
    :param unverified: names of the prices that nobody has read on AWS's own pages.
    """

    training_hour: float
    inference_unit_hour: float
    review: float | None
    unverified: tuple[str, ...]
    assumed_training_hours: float
    assumed_serving_hours: float

    def of(self, usage: Usage) -> float:
        """Give the cost of what was really used."""
        return (
            usage.training_seconds / 3600 * self.training_hour
            + usage.serving_seconds / 3600 * self.inference_unit_hour
            + usage.reviews * (self.review or 0)
        )

    def assumed(self, usage: Usage) -> float:
        """Give the cost of the same reviews with a training and a service as long as assumed."""
        hours = Usage(self.assumed_training_hours * 3600, self.assumed_serving_hours * 3600, usage.reviews)
        return self.of(hours)

    def notes(self) -> list[str]:
        """Say what the costs are made of, and what they are not."""
        doubt = f" Not verified on AWS's own pages: {', '.join(self.unverified)}." if self.unverified else ""
        review = (
            "reviews cost nothing at AWS, where they are not answered"
            if self.review is None
            else f"${self.review:.2f} a review"
        )
        prices = (
            f"Prices (plugins/custom_labels/training/prices.yaml): training ${self.training_hour:.2f} an hour, "
            f"serving ${self.inference_unit_hour:.2f} an hour and inference unit; {review}; what "
            f"you pay your people is not included.{doubt}"
        )
        hours = (
            "The first cost is of this demo's seconds. The second is of the same loop if a training took "
            f"{self.assumed_training_hours:g} h and each version served for {self.assumed_serving_hours:g} h, "
            "which is an assumption."
        )
        return [prices, hours]


def load_prices(path: Path, backend: str) -> Prices:
    """Read the file of prices, with what is assumed of a loop at AWS.

    :param backend: the review backend; one that has no price costs nothing at AWS.
    :raises ValueError: it says nothing of that.
    """
    content = price_file.load_prices(path)
    if content.assumptions is None:
        raise ValueError(f"{path} has no 'assumptions', which the demo multiplies the prices by.")
    table = content.prices
    review = table.reviews.get(backend)
    others = {f"review at {name}" for name in table.reviews if name != backend}
    return Prices(
        training_hour=table.training_hour.amount,
        inference_unit_hour=table.inference_unit_hour.amount,
        review=review.amount if review else None,
        unverified=tuple(name for name in table.unverified if name not in others),
        assumed_training_hours=content.assumptions.training_hours,
        assumed_serving_hours=content.assumptions.serving_hours,
    )


def usage_json(usage: Usage, prices: Prices) -> dict[str, Any]:
    """Give usage and costs as JSON types."""
    return {**asdict(usage), "cost": round(prices.of(usage), 4), "assumed_cost": round(prices.assumed(usage), 2)}
