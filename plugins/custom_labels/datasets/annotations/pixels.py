"""Boxes between ratios, which Rekognition gives, and pixels of the upright picture, which people and manifests use."""

from __future__ import annotations

import math
from dataclasses import replace

from custom_labels.aws.predictions import DetectedLabel
from custom_labels.datasets.annotations.annotation import Box, ImageSize


def in_pixels(found: DetectedLabel, size: ImageSize) -> Box | None:
    """Give the box of a label that a version found, nothing of it cut off or rounded; ``None`` where it has none.

    :param size: of the upright picture.
    """
    place = found.box
    if place is None:
        return None
    across, down = size.width, size.height
    return Box(
        found.name,
        place.left * across,
        place.top * down,
        place.width * across,
        place.height * down,
        found.confidence / 100,
    )


def clip(box: Box, size: ImageSize) -> Box:
    """Give the part of a box that is on the image; one that is beside it has a width or a height of 0."""
    left, width = _clip_side(box.left, box.width, size.width)
    top, height = _clip_side(box.top, box.height, size.height)
    return replace(box, left=left, top=top, width=width, height=height)


def _clip_side(start: float, length: float, side: int) -> tuple[float, float]:
    begin, end = (min(max(0, edge), side) for edge in (start, start + length))
    length = min(length, side - begin) if begin == start else end - begin
    while begin > side - length:  # by the last digit of a fraction
        length = math.nextafter(length, 0)
    return begin, max(0, length)
