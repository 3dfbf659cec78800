"""Local features of a picture: of every cell, the directions of its edges and its colours."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Picture = NDArray[np.uint8]

CELL = 4
"""Pixels a side of a cell."""
_DIRECTIONS = 9
_HUES = 8
WIDTH = _DIRECTIONS + 1 + 3 + _HUES
"""Values a cell: its edges by direction, their strength, its brightness, saturation and grey, its colours by hue."""
_CONTRAST_FLOOR = 0.02
_MOST_EDGE = 0.4
_HUE_WEIGHT = 1.5


def cells(picture: Picture) -> Floats:
    """Return (rows, columns, WIDTH) for a picture (height, width, 3); less than a cell at its ends is left out."""
    rows, columns = picture.shape[0] // CELL, picture.shape[1] // CELL
    channels = picture[: rows * CELL, : columns * CELL].transpose(2, 0, 1).astype(np.float32) / np.float32(255)
    edges, strength = _edges(channels, rows, columns)
    return np.concatenate([edges, strength[..., None], _colours(channels, rows, columns)], axis=2)


def _edges(channels: Floats, rows: int, columns: int) -> tuple[Floats, Floats]:
    """Share out the steepest channel's gradient to the two nearest directions, in units of what is usual nearby."""
    along, down = np.zeros_like(channels), np.zeros_like(channels)
    along[:, :, 1:-1] = channels[:, :, 2:] - channels[:, :, :-2]
    down[:, 1:-1] = channels[:, 2:] - channels[:, :-2]
    squared = along**2 + down**2
    steepest = squared.argmax(axis=0)[None]
    x, y = (np.take_along_axis(part, steepest, 0)[0] for part in (along, down))
    size = np.sqrt(np.take_along_axis(squared, steepest, 0)[0])
    turn = np.arctan2(y, x) * np.float32(_DIRECTIONS / np.pi) % _DIRECTIONS
    lower = turn.astype(np.int32)
    share = turn - lower
    place = _places(rows, columns) * _DIRECTIONS
    total = rows * columns * _DIRECTIONS
    votes = np.bincount((place + lower % _DIRECTIONS).ravel(), (size * (1 - share)).ravel(), total)
    votes += np.bincount((place + (lower + 1) % _DIRECTIONS).ravel(), (size * share).ravel(), total)
    histogram = votes.reshape(rows, columns, _DIRECTIONS).astype(np.float32) / (CELL * CELL) * 4
    energy = (histogram**2).sum(axis=2)
    near = np.pad(energy, 1, mode="edge")
    around = sum(near[row : row + rows, column : column + columns] for row in range(3) for column in range(3))
    normal = histogram / np.sqrt(around / np.float32(4) + np.float32(_CONTRAST_FLOOR))[..., None]
    return np.minimum(normal, np.float32(_MOST_EDGE)) * 2, np.sqrt(energy)


def _colours(channels: Floats, rows: int, columns: int) -> Floats:
    red, green, blue = channels
    brightest = np.maximum(np.maximum(red, green), blue)
    darkest = np.minimum(np.minimum(red, green), blue)
    saturation = (brightest - darkest) / (brightest + np.float32(1e-2))
    hue = np.arctan2(np.float32(np.sqrt(3)) * (green - blue), 2 * red - green - blue)
    number = (hue * np.float32(_HUES / (2 * np.pi)) % _HUES).astype(np.int32) % _HUES
    weight = saturation * np.minimum(brightest * 4, 1)
    votes = np.bincount((_places(rows, columns) * _HUES + number).ravel(), weight.ravel(), rows * columns * _HUES)
    hues = votes.reshape(rows, columns, _HUES).astype(np.float32) * np.float32(_HUE_WEIGHT / (CELL * CELL))
    grey = (red + green + blue) / np.float32(3)
    means = [_means(plane, rows, columns) for plane in (brightest, saturation, grey)]
    return np.concatenate([np.stack(means, axis=2), hues], axis=2)


def _means(plane: Floats, rows: int, columns: int) -> Floats:
    strips = plane.reshape(rows, CELL, -1).sum(axis=1).reshape(rows, columns, CELL)
    # Numpy sums the short last axis ten times slower.
    total: Floats = strips[:, :, 0] + strips[:, :, 1] + strips[:, :, 2] + strips[:, :, 3]
    return total / np.float32(CELL * CELL)


def _places(rows: int, columns: int) -> NDArray[np.int32]:
    """Return (height, width): the number of the cell that each pixel is in."""
    down = np.arange(rows * CELL, dtype=np.int32) // CELL * columns
    return down[:, None] + np.arange(columns * CELL, dtype=np.int32) // CELL
