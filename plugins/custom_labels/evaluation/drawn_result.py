"""The result of a detection as a picture."""

from __future__ import annotations

import json
from dataclasses import dataclass

from pydantic import ValidationError

from custom_labels.aws.predictions import DetectedLabel
from custom_labels.core.codec import from_json
from custom_labels.evaluation.drawing import draw, found

SIDE = 1280
"""Pixels of the longer side of a picture, at most."""
LARGEST_BYTES = 1024 * 1024
"""Of a file that may be a result; one has some hundred labels at most."""
NO_PICTURE = (4, 3)
"""Sides of the grey area that stands for an image that is gone."""


@dataclass(frozen=True)
class DrawnResult:
    """What is drawn of a result, whichever release wrote it.

    :param image: the image's ``s3://`` URI; ``key`` is relative to the project's prefix.
    """

    image: str
    key: str
    etag: str
    version_name: str
    labels: tuple[DetectedLabel, ...]

    @property
    def title(self) -> str:
        """What is to be seen, in words."""
        names = ", ".join(f"{label.name} at {label.confidence:.0f} %" for label in self.labels)
        return f"{self.key}, by {self.version_name}: {names or 'nothing was found'}"

    def draw(self, picture: str | None, size: tuple[int, int] = NO_PICTURE) -> str:
        """Draw it as an SVG.

        :param picture: the image as a ``data:`` URI, ``None`` where it is gone; ``size`` is its width and height.
        """
        return draw(picture, size, found(self.labels), self.title)


def read_result(text: bytes) -> DrawnResult | None:
    """Read a result's JSON, ``None`` where it is something else."""
    try:
        return from_json(DrawnResult, json.loads(text))
    except (ValueError, ValidationError, RecursionError):
        return None
