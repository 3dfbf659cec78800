"""Where objects may be: linear filters over the cells of a picture at several sizes, numpy only."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from include.local_aws.boxes import Floats as Doubles
from include.local_aws.boxes import keep_best
from include.local_aws.training.cells import CELL, WIDTH, Floats, cells

MARGIN = 1.15
"""How many times as long as the object a window is."""
_PADDING = 2
"""Cells that a picture goes on for beyond its edges, so that windows fit around what fills it."""
_STEP = 0.75
_BEST_A_LEVEL = 40
_MOST_OVERLAP = 0.55


@dataclass(frozen=True)
class Shape:
    """The cells of a window."""

    rows: int
    columns: int

    @property
    def object_size(self) -> tuple[float, float]:
        """Width and height in pixels of the object that a window of this shape is for."""
        return self.columns * CELL / MARGIN, self.rows * CELL / MARGIN


SHAPES = (Shape(8, 8), Shape(6, 11), Shape(11, 6))


@dataclass(frozen=True)
class Level:
    """The cells of a picture at `scale` times its size, and _PADDING cells around them."""

    scale: float
    cells: Floats

    def boxes(self, shape: Shape, corners: NDArray[np.intp]) -> Doubles:
        """Return the objects' boxes, in pixels of the picture, of windows given by row and column (n, 2)."""
        width, height = shape.object_size
        left = ((corners[:, 1] - _PADDING) * CELL + (shape.columns * CELL - width) / 2) / self.scale
        top = ((corners[:, 0] - _PADDING) * CELL + (shape.rows * CELL - height) / 2) / self.scale
        sizes = np.broadcast_to((width / self.scale, height / self.scale), (len(corners), 2))
        return np.concatenate([left[:, None], top[:, None], sizes], axis=1)


def make_levels(picture: Image.Image, finest: float, coarsest: float) -> list[Level]:
    """Return a picture's cells at every size between two scales, the largest first."""
    return list(_levels(picture, finest, coarsest))


def _levels(picture: Image.Image, finest: float, coarsest: float) -> Iterator[Level]:
    scale = finest
    while scale > coarsest * _STEP**0.5:
        size = (round(picture.width * scale), round(picture.height * scale))
        if min(size) < CELL:
            return
        smaller = picture.resize(size, Image.Resampling.BILINEAR, reducing_gap=2)
        around = ((_PADDING, _PADDING), (_PADDING, _PADDING), (0, 0))
        yield Level(scale, np.pad(cells(np.asarray(smaller)), around, mode="edge"))
        scale *= _STEP


@dataclass(frozen=True)
class Filter:
    """A linear filter for windows of one shape: `weights` (rows, columns, WIDTH, kinds) and `offsets` (kinds,).

    Each kind scores how much a window looks like one kind of object rather than like none.
    """

    shape: Shape
    weights: Floats
    offsets: Floats

    def scores(self, level: Level) -> Floats:
        """Return (rows, columns): the best kind's score of the window with its corner there."""
        height = level.cells.shape[0] - self.shape.rows + 1
        width = level.cells.shape[1] - self.shape.columns + 1
        if height < 1 or width < 1:
            return np.zeros((0, 0), np.float32)
        kinds = len(self.offsets)
        strips = np.lib.stride_tricks.sliding_window_view(level.cells, self.shape.columns, axis=1)
        flat = strips.transpose(0, 1, 3, 2).reshape(-1, self.shape.columns * WIDTH)
        by_row = self.weights.transpose(1, 2, 0, 3).reshape(self.shape.columns * WIDTH, -1)
        parts = (flat @ by_row).reshape(level.cells.shape[0], width, self.shape.rows, kinds)
        total = self.offsets + sum(parts[row : row + height, :, row] for row in range(self.shape.rows))
        best: Floats = total.max(axis=2)
        return best


@dataclass(frozen=True)
class Proposer:
    """Finds what may be an object, of whatever label; scales are of the picture that it is given."""

    filters: tuple[Filter, ...]
    finest: float
    coarsest: float

    def levels(self, picture: Image.Image) -> list[Level]:
        """Return the levels of a picture that the filters look at."""
        return make_levels(picture, self.finest, self.coarsest)

    def propose(self, levels: list[Level], most: int) -> tuple[Doubles, Doubles]:
        """Return the boxes (n, 4) that most look like objects, the best first, and their scores (n,)."""
        boxes, scores = [np.zeros((0, 4))], [np.zeros(0)]
        for level in levels:
            for window in self.filters:
                field = window.scores(level)
                best = np.argsort(-field, axis=None, kind="stable")[:_BEST_A_LEVEL]
                boxes.append(level.boxes(window.shape, np.stack(np.unravel_index(best, field.shape), axis=1)))
                scores.append(field.ravel()[best].astype(float))
        every, score = np.concatenate(boxes), np.concatenate(scores)
        kept = keep_best(every, score, _MOST_OVERLAP, most)
        return every[kept], score[kept]
