"""Image features: single-layer k-means (Coates, Lee and Ng, 2011).

Whitened 8x8 colour patches, their closeness to each centroid of a learned dictionary, pooled over the four
quarters of the image and its maximum. Applying a dictionary needs numpy only; learning one is in `fitting`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from include.local_aws.pictures import upright_rgb

Floats = NDArray[np.float32]

PATCH = 8
SIDE = 72
STRIDE = 2
_CONTRAST_FLOOR = 10.0  # keeps the noise of flat patches from being blown up to full contrast


def pixels(image: Image.Image) -> NDArray[np.uint8]:
    """Return the image as (SIDE, SIDE, 3) bytes, whatever its size, orientation, mode and transparency."""
    return np.asarray(upright_rgb(image).resize((SIDE, SIDE), Image.Resampling.BILINEAR))


def patches(picture: NDArray[np.uint8]) -> Floats:
    """Return every patch of a picture as a row, each with mean 0 and contrast 1."""
    windows = np.lib.stride_tricks.sliding_window_view(picture.astype(np.float32), (PATCH, PATCH, 3))
    chosen = windows[::STRIDE, ::STRIDE, 0]
    rows: Floats = chosen.reshape(chosen.shape[0] ** 2, -1)
    rows = rows - rows.mean(axis=1, keepdims=True)
    normal: Floats = rows / np.sqrt(rows.var(axis=1, keepdims=True) + np.float32(_CONTRAST_FLOOR))
    return normal


@dataclass(frozen=True)
class Dictionary:
    """A learned dictionary: whitening (mean, matrix) and centroids (k, patch values)."""

    mean: Floats
    whitening: Floats
    centroids: Floats

    def features(self, picture: NDArray[np.uint8]) -> Floats:
        """Return the feature vector of a picture from `pixels`, of length 5 k."""
        white = (patches(picture) - self.mean) @ self.whitening
        squared = (white**2).sum(axis=1)[:, None] + (self.centroids**2).sum(axis=1)
        distance = np.sqrt(np.maximum(squared - 2 * white @ self.centroids.T, 0))
        closeness = np.maximum(0, distance.mean(axis=1, keepdims=True) - distance)
        grid = int(np.sqrt(len(closeness)))
        field = closeness.reshape(grid, grid, -1)
        half = grid // 2
        quarters = (field[:half, :half], field[:half, half:], field[half:, :half], field[half:, half:])
        pooled = [quarter.mean(axis=(0, 1)) for quarter in quarters]
        return np.concatenate([*pooled, field.max(axis=(0, 1))]).astype(np.float32)
