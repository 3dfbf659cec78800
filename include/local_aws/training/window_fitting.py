"""Fit the linear filters that propose where objects may be, with scikit-learn."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from sklearn.cluster import KMeans
from sklearn.linear_model import LogisticRegression

from include.local_aws.boxes import Floats as Doubles
from include.local_aws.boxes import overlaps
from include.local_aws.training.cells import CELL, WIDTH, Floats, cells
from include.local_aws.training.crops import around, cut
from include.local_aws.training.samples import Samples
from include.local_aws.training.variants import varied
from include.local_aws.training.windows import SHAPES, Filter, Level, Proposer, Shape

_MOST_KINDS = 8
"""More labels than this share filters with those that look alike."""
_FEWEST_OF_A_SHAPE = 0.08
_ROUNDS = 2
_WINDOWS_OF_A_SHAPE = 400
_MOST_COPIES = 10
_SCALE_MARGIN = 1.1
_RANDOM_A_LEVEL = 4
_MINED_A_LEVEL = 6
_MOST_OVERLAP = 0.35
_STRENGTH = 0.003
_LARGEST_SCALE = 1.6

Mined = Sequence[tuple[Level, Doubles]]
"""Levels of pictures, with the boxes of the objects in each picture."""


def choose_scales(boxes: Doubles) -> tuple[float, float]:
    """Return the finest and the coarsest scale of pictures at which windows are as large as the boxes (n, 4)."""
    sides = np.sqrt(boxes[:, 2:].prod(axis=1))
    usual = math.sqrt(math.prod(SHAPES[0].object_size))
    low, high = np.quantile(sides, [0.05, 0.95])
    finest = min(_LARGEST_SCALE, usual / low * _SCALE_MARGIN)
    return finest, min(finest, usual / high / _SCALE_MARGIN)


def fit_proposer(samples: Samples, levels: Sequence[list[Level]], scales: tuple[float, float], seed: int) -> Proposer:
    """Fit filters for the shapes that the boxes have.

    `levels` are those of the first images, where windows without an object are taken from.
    """
    random = np.random.default_rng(seed)
    mined = [(level, samples.boxes_of(number)) for number, found in enumerate(levels) for level in found]
    objects = _objects(samples, random)
    filters = [_fit_filter(shape, *found, mined, random) for shape, found in objects.items()]
    return Proposer(tuple(filters), *scales)


def _nearest_shapes(boxes: Doubles) -> list[Shape]:
    """Return the shape that each box is most like, among those that enough boxes are like."""
    wanted = np.log(boxes[:, 2] / boxes[:, 3])
    offered = np.array([math.log(shape.columns / shape.rows) for shape in SHAPES])
    nearest = np.abs(wanted[:, None] - offered).argmin(axis=1)
    used = [number for number in range(len(SHAPES)) if (nearest == number).mean() >= _FEWEST_OF_A_SHAPE]
    return [SHAPES[used[choice]] for choice in np.abs(wanted[:, None] - offered[used]).argmin(axis=1)]


def _objects(samples: Samples, random: np.random.Generator) -> dict[Shape, tuple[Floats, NDArray[np.intp]]]:
    """Return for each shape windows (n, values) on its boxes and variants of them, and of which kind each is."""
    shapes = _nearest_shapes(samples.boxes)
    counts = Counter(shapes)
    rows: dict[Shape, list[Floats]] = {shape: [] for shape in SHAPES if shape in counts}
    labels: dict[Shape, list[int]] = {shape: [] for shape in rows}
    following = iter(shapes)
    for sample in samples:
        for box, label in zip(sample.boxes, sample.labels, strict=True):
            shape = next(following)
            copies = int(np.clip(_WINDOWS_OF_A_SHAPE // counts[shape], 2, _MOST_COPIES))
            for picture, place in varied(sample.picture, box, copies, random):
                rows[shape].append(_window_on(picture, place, shape))
                labels[shape].append(int(label))
    return {shape: (np.stack(found), _kinds(np.stack(found), labels[shape])) for shape, found in rows.items()}


def _kinds(objects: Floats, labels: list[int]) -> NDArray[np.intp]:
    """Return the kind of each window: its label, or what it looks like where there are too many labels."""
    kinds: NDArray[np.intp] = np.unique(np.array(labels), return_inverse=True)[1]
    if kinds.max() < _MOST_KINDS:
        return kinds
    found: NDArray[np.intp] = KMeans(_MOST_KINDS, n_init=1, random_state=0).fit_predict(objects).astype(np.intp)
    return found


def _fit_filter(
    shape: Shape, objects: Floats, kinds: NDArray[np.intp], mined: Mined, random: np.random.Generator
) -> Filter:
    # Where objects fill every picture, an empty window is all that shows none.
    backgrounds = [np.zeros((1, objects.shape[1]), np.float32)]
    backgrounds += [_windows(level, shape, _random_corners(level, shape, boxes, random)) for level, boxes in mined]
    fitted = _logistic(shape, objects, kinds, np.concatenate(backgrounds))
    for _ in range(_ROUNDS):
        backgrounds += [_windows(level, shape, _mistaken_corners(level, fitted, boxes)) for level, boxes in mined]
        fitted = _logistic(shape, objects, kinds, np.concatenate(backgrounds))
    return fitted


def _window_on(picture: Image.Image, box: Doubles, shape: Shape) -> Floats:
    """Return the window of a shape whose object is as large as the box."""
    width, height = shape.object_size
    scale = math.sqrt(box[2] * box[3] / (width * height))
    size = ((shape.columns + 2) * CELL, (shape.rows + 2) * CELL)
    seen = cells(cut(picture, around(box, size[0] * scale, size[1] * scale), size))
    return seen[1:-1, 1:-1].ravel()


def _windows(level: Level, shape: Shape, corners: NDArray[np.intp]) -> Floats:
    found = [level.cells[row : row + shape.rows, column : column + shape.columns].ravel() for row, column in corners]
    return np.array(found, np.float32).reshape(len(corners), shape.rows * shape.columns * WIDTH)


def _random_corners(level: Level, shape: Shape, boxes: Doubles, random: np.random.Generator) -> NDArray[np.intp]:
    height, width = level.cells.shape[0] - shape.rows + 1, level.cells.shape[1] - shape.columns + 1
    if height < 1 or width < 1:
        return np.zeros((0, 2), np.intp)
    corners = np.stack([random.integers(0, height, _RANDOM_A_LEVEL), random.integers(0, width, _RANDOM_A_LEVEL)], 1)
    return _without_object(level, shape, corners, boxes)


def _mistaken_corners(level: Level, fitted: Filter, boxes: Doubles) -> NDArray[np.intp]:
    field = fitted.scores(level)
    best = np.argsort(-field, axis=None, kind="stable")[: 4 * _MINED_A_LEVEL]
    corners = np.stack(np.unravel_index(best[field.ravel()[best] > -1], field.shape), axis=1)
    return _without_object(level, fitted.shape, corners, boxes)[:_MINED_A_LEVEL]


def _without_object(level: Level, shape: Shape, corners: NDArray[np.intp], boxes: Doubles) -> NDArray[np.intp]:
    if not len(corners):
        return corners
    free = overlaps(level.boxes(shape, corners), boxes).max(axis=1, initial=0) < _MOST_OVERLAP
    kept: NDArray[np.intp] = corners[free]
    return kept


def _logistic(shape: Shape, objects: Floats, kinds: NDArray[np.intp], backgrounds: Floats) -> Filter:
    rows = np.concatenate([backgrounds, objects])
    classes = np.concatenate([np.zeros(len(backgrounds), np.intp), kinds + 1])
    model = LogisticRegression(C=_STRENGTH, max_iter=60, tol=1e-3).fit(rows, classes)
    weights, offsets = model.coef_.T, model.intercept_
    if weights.shape[1] > 1:
        weights, offsets = weights[:, 1:] - weights[:, :1], offsets[1:] - offsets[:1]
    return Filter(
        shape,
        weights.reshape(shape.rows, shape.columns, -1, weights.shape[1]).astype(np.float32),
        offsets.astype(np.float32),
    )
