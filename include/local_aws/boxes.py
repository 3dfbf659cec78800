"""Boxes around objects, and how much of each other they cover; arrays of boxes are rows of left, top, width, height."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


class Box(NamedTuple):
    """An annotated object; pixels of the upright image, which may have fractions."""

    label: str
    left: float
    top: float
    width: float
    height: float


def rows(boxes: Iterable[Box]) -> Floats:
    """Return boxes as an array (n, 4)."""
    return np.array([box[1:] for box in boxes], dtype=float).reshape(-1, 4)


def overlaps(first: Floats, second: Floats) -> Floats:
    """Return intersection over union of each pair: (n, 4) and (m, 4) give (n, m)."""
    low = np.maximum(first[:, None, :2], second[None, :, :2])
    high = np.minimum(first[:, None, :2] + first[:, None, 2:], second[None, :, :2] + second[None, :, 2:])
    shared = np.clip(high - low, 0, None).prod(axis=2)
    union = first[:, 2:].prod(axis=1)[:, None] + second[:, 2:].prod(axis=1)[None] - shared
    quotient: Floats = shared / np.maximum(union, 1e-9)
    return quotient


def keep_best(boxes: Floats, scores: Floats, most_overlap: float, most: int) -> NDArray[np.intp]:
    """Return the indices of the best boxes, the best first, leaving out those that cover a better one too much."""
    order = np.argsort(-scores, kind="stable")
    kept: list[int] = []
    while len(order) and len(kept) < most:
        best, rest = order[0], order[1:]
        kept.append(int(best))
        order = rest[overlaps(boxes[best][None], boxes[rest])[0] <= most_overlap]
    return np.array(kept, dtype=np.intp)
