"""Parts of a picture, and what they look like: the second, closer look at what may be an object; no scikit-learn."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image

from include.local_aws.boxes import Floats as Doubles
from include.local_aws.training.cells import Picture, cells
from include.local_aws.training.features import PATCH, Dictionary, Floats

SIDE = 48
"""Pixels a side of a crop."""
_CONTEXT = 1.2
_STRIDE = 4
_GRID = 3
_CELL_WEIGHT = 0.35
_CONTRAST_FLOOR = 10.0
_AT_ONCE = 64


def around(box: Doubles, width: float, height: float) -> Doubles:
    """Return the box of this size with the same middle."""
    return np.array([box[0] + (box[2] - width) / 2, box[1] + (box[3] - height) / 2, width, height])


def cut(picture: Image.Image, box: Doubles, size: tuple[int, int]) -> Picture:
    """Return what is in a box at this size (width, height); beyond its edges the picture goes on as it ends."""
    spans = [_span(box[axis], box[2 + axis], picture.size[axis], size[axis]) for axis in (0, 1)]
    (left, right, before, across), (top, bottom, above, down) = spans
    part = picture.resize((across, down), Image.Resampling.BILINEAR, (left, top, right, bottom), reducing_gap=2)
    pixels = np.asarray(part)
    if (across, down) == size:
        return pixels
    after, below = size[0] - before - across, size[1] - above - down
    return np.pad(pixels, ((above, below), (before, after), (0, 0)), mode="edge")


def _span(start: float, length: float, whole: int, side: int) -> tuple[float, float, int, int]:
    """Return along one axis: from where to where the picture is seen, and pixels of the crop before and in it."""
    length = max(length, 1.0)
    low = min(max(start, 0.0), whole - 1.0)
    high = max(min(start + length, float(whole)), low + 1.0)
    inner = min(side, max(1, round(side * (high - low) / length)))
    before = min(side - inner, max(0, round(side * (low - start) / length)))
    return low, high, before, inner


def look(picture: Image.Image, box: Doubles) -> Picture:
    """Return the crop that a box is judged by."""
    return cut(picture, around(box, box[2] * _CONTEXT, box[3] * _CONTEXT), (SIDE, SIDE))


def describe(dictionary: Dictionary, crops: Sequence[Picture]) -> Floats:
    """Return a row of features for each crop: which patches are where in it, and its cells, two by two."""
    rows = []
    for start in range(0, len(crops), _AT_ONCE):
        some = crops[start : start + _AT_ONCE]
        rows.append(np.concatenate([_patches(dictionary, some), _cells(some)], axis=1))
    return np.concatenate(rows)


def _patches(dictionary: Dictionary, crops: Sequence[Picture]) -> Floats:
    windows = np.lib.stride_tricks.sliding_window_view(np.stack(crops).astype(np.float32), (PATCH, PATCH), axis=(1, 2))
    chosen = windows[:, ::_STRIDE, ::_STRIDE]
    count, grid = chosen.shape[0], chosen.shape[1]
    rows = chosen.transpose(0, 1, 2, 4, 5, 3).reshape(count * grid * grid, -1)
    rows -= rows.mean(axis=1, keepdims=True)
    rows /= np.sqrt((rows**2).mean(axis=1, keepdims=True) + np.float32(_CONTRAST_FLOOR))
    white = (rows - dictionary.mean) @ dictionary.whitening
    distance = (white**2).sum(axis=1)[:, None] + (dictionary.centroids**2).sum(axis=1)
    distance -= 2 * white @ dictionary.centroids.T
    np.sqrt(np.maximum(distance, 0, out=distance), out=distance)
    close = np.maximum(distance.mean(axis=1, keepdims=True) - distance, 0).reshape(count, grid, grid, -1)
    ends = np.linspace(0, grid, _GRID + 1).round().astype(int)
    pooled = [
        close[:, ends[row] : ends[row + 1], ends[column] : ends[column + 1]].mean(axis=(1, 2))
        for row in range(_GRID)
        for column in range(_GRID)
    ]
    return np.concatenate([*pooled, close.max(axis=(1, 2))], axis=1)


def _cells(crops: Sequence[Picture]) -> Floats:
    every = np.stack(crops).astype(np.uint16)
    halved = (every[:, ::2, ::2] + every[:, 1::2, ::2] + every[:, ::2, 1::2] + every[:, 1::2, 1::2]) // 4
    found = np.stack([cells(crop) for crop in halved.astype(np.uint8)])
    flat: Floats = found.reshape(len(crops), -1) * np.float32(_CELL_WEIGHT)
    return flat


def moved(boxes: Doubles, shifts: Doubles) -> Doubles:
    """Move and resize boxes by shifts, both (n, 4), as :func:`shifts_to` gives them."""
    middles = boxes[:, :2] + boxes[:, 2:] / 2 + shifts[:, :2] * boxes[:, 2:]
    sizes = boxes[:, 2:] * np.exp(shifts[:, 2:])
    return np.concatenate([middles - sizes / 2, sizes], axis=1)


def shifts_to(boxes: Doubles, goals: Doubles) -> Doubles:
    """Return how to move each box to its goal: by shares of its size, and by the logarithm of its growth."""
    between = goals[:, :2] + goals[:, 2:] / 2 - boxes[:, :2] - boxes[:, 2:] / 2
    return np.concatenate([between / boxes[:, 2:], np.log(goals[:, 2:] / boxes[:, 2:])], axis=1)
