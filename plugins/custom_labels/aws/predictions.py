"""What Custom Labels predicts for an image, and the images that it is asked about."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class InferenceImage:
    """An image to be labelled, as it was when it was found.

    :param key: relative to the prefix of the store that it is read from.
    :param etag: without quotes.
    :param is_empty: whether the file has no content, so that no version need be asked about it.
    """

    key: str
    etag: str
    is_empty: bool = field(default=False, compare=False)


@dataclass(frozen=True)
class Box:
    """Where on the image a label was found, as ratios of its width and height."""

    left: float
    top: float
    width: float
    height: float


@dataclass(frozen=True)
class DetectedLabel:
    """One label that a version sees.

    :param confidence: in percent.
    """

    name: str
    confidence: float
    box: Box | None = None

    @classmethod
    def from_aws(cls, value: Mapping[str, Any]) -> DetectedLabel:
        """Read an entry of ``CustomLabels`` in the answer of DetectCustomLabels."""
        box = value.get("Geometry", {}).get("BoundingBox")
        sides = ("Left", "Top", "Width", "Height")
        return cls(value["Name"], value["Confidence"], Box(*(box.get(side, 0.0) for side in sides)) if box else None)


def surest_first(labels: Iterable[DetectedLabel]) -> tuple[DetectedLabel, ...]:
    """Sort labels by confidence; equal ones by name, so that the same answer always gives the same result."""
    return tuple(sorted(labels, key=lambda label: (-label.confidence, label.name)))
