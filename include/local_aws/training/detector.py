"""A trained object detector: arrays, and the arithmetic that turns an image into labelled boxes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image

from include.local_aws.boxes import Floats as Doubles
from include.local_aws.boxes import keep_best
from include.local_aws.pictures import upright_rgb
from include.local_aws.training.classifier import Projection
from include.local_aws.training.crops import describe, look, moved
from include.local_aws.training.features import Dictionary
from include.local_aws.training.results import Detection
from include.local_aws.training.windows import Proposer

WORK_SIDE = 448
"""Pixels of the longer side of the picture that is looked at."""
PROPOSALS = 32
MOST_FOUND = 50
_MOST_OVERLAP = 0.4
_LARGEST_SHIFT = 0.6
LEAST_CHANCE = 0.01


def at_work_size(picture: Image.Image) -> Image.Image:
    """Return the picture that a detector looks at, so that it finds the same in an image of any size."""
    scale = WORK_SIDE / max(picture.size)
    size = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
    return picture.resize(size, Image.Resampling.BILINEAR, reducing_gap=2)


@dataclass(frozen=True)
class Judge:
    """What a crop shows: weights (components, 1 + labels), the first for none, and how its box is to be moved."""

    dictionary: Dictionary
    projection: Projection
    weights: Doubles
    offsets: Doubles
    moves: Doubles
    rest: Doubles

    def points(self, picture: Image.Image, boxes: Doubles) -> Doubles:
        """Return (n, components) for boxes of a picture."""
        return self.projection.apply(describe(self.dictionary, [look(picture, box) for box in boxes]))

    def chances(self, points: Doubles) -> Doubles:
        """Return (n, 1 + labels): how likely each point shows none, or an object of each label."""
        raw = points @ self.weights + self.offsets
        grown = np.exp(raw - raw.max(axis=1, keepdims=True))
        shares: Doubles = grown / grown.sum(axis=1, keepdims=True)
        return shares

    def shifts(self, points: Doubles) -> Doubles:
        """Return (n, 4): how to move each point's box onto the object."""
        return np.clip(points @ self.moves + self.rest, -_LARGEST_SHIFT, _LARGEST_SHIFT)


@dataclass(frozen=True)
class Detector:
    """Proposes boxes, judges each, and says how likely what is left is an object of its label."""

    labels: tuple[str, ...]
    proposer: Proposer
    judge: Judge
    slope: float = 1.0
    offset: float = 0.0

    def find(self, image: Image.Image) -> list[Detection]:
        """Return the objects found, the surest first, with boxes as shares of the upright image's sides."""
        return self.find_in(upright_rgb(image))

    def find_in(self, whole: Image.Image) -> list[Detection]:
        """Return the objects found in an upright picture."""
        picture = at_work_size(whole)
        boxes, labels, chances = self.search(picture)
        sides = np.array([*picture.size, *picture.size], dtype=float)
        sure = 1 / (1 + np.exp(-(self.slope * log_odds(chances) + self.offset)))
        found = [
            Detection(self.labels[label], float(chance), _inside(box))
            for box, label, chance in zip(boxes / sides, labels, sure, strict=True)
            if chance >= LEAST_CHANCE
        ]
        return sorted(found, key=lambda detection: -detection.confidence)

    def search(self, picture: Image.Image) -> tuple[Doubles, list[int], Doubles]:
        """Return boxes in pixels of a picture of work size, their labels' numbers, and their raw chances."""
        boxes, _ = self.proposer.propose(self.proposer.levels(picture), PROPOSALS)
        if not len(boxes):
            return boxes, [], np.zeros(0)
        points = self.judge.points(picture, boxes)
        return pick(moved(boxes, self.judge.shifts(points)), self.judge.chances(points))


def pick(boxes: Doubles, chances: Doubles) -> tuple[Doubles, list[int], Doubles]:
    """Return the boxes, labels' numbers and chances of what is more likely than its neighbours."""
    best, labels = chances[:, 1:].max(axis=1), chances[:, 1:].argmax(axis=1)
    kept = keep_best(boxes, best, _MOST_OVERLAP, MOST_FOUND)
    return boxes[kept], [int(label) for label in labels[kept]], best[kept]


def log_odds(chances: Doubles) -> Doubles:
    """Return the logarithm of the odds, which is what a chance is calibrated by."""
    inner = np.clip(chances, 1e-5, 1 - 1e-5)
    odds: Doubles = np.log(inner / (1 - inner))
    return odds


def _inside(box: Doubles) -> tuple[float, float, float, float]:
    """Return what of a box, in shares of the image's sides, lies in the image."""
    left, top = max(0.0, float(box[0])), max(0.0, float(box[1]))
    right, bottom = min(1.0, float(box[0] + box[2])), min(1.0, float(box[1] + box[3]))
    return left, top, max(0.0, right - left), max(0.0, bottom - top)
