"""A trained image classifier: numpy arrays and the arithmetic that turns an image into confidences."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from include.local_aws.training.features import Dictionary, Floats, pixels
from include.local_aws.training.results import Detection

Doubles = NDArray[np.float64]

NEIGHBOURS = 3
_DAMPING_STEEPNESS = 1.6
_DAMPING_CENTRE = 2.2
_NOVELTY_RANGE = (-1.0, 6.0)
_LEAST_SPREAD = 0.1


@dataclass(frozen=True)
class Projection:
    """Standardize features, then project them onto their principal components."""

    mean: Doubles
    scale: Doubles
    centre: Doubles
    components: Doubles

    def apply(self, features: Floats) -> Doubles:
        """Project rows of features (n, features) to (n, components)."""
        standard = (features - self.mean) / self.scale
        return (standard - self.centre) @ self.components.T


@dataclass(frozen=True)
class Novelty:
    """How far an image lies from the training images, in units of their own usual distance."""

    references: Doubles
    usual: float
    far: float

    def damping(self, points: Doubles) -> Doubles:
        """Return a factor a point (n,): about 1 among the training images, towards 0 far from them."""
        # A handful of images, or copies of one, all lie equally far: the spread needs a floor.
        spread = max(self.far - self.usual, _LEAST_SPREAD * self.usual, 1e-9)
        level = (self.distances(points, skip=0) - self.usual) / spread
        level = np.clip(level, *_NOVELTY_RANGE)
        return 1 / (1 + np.exp(_DAMPING_STEEPNESS * (level - _DAMPING_CENTRE)))

    def distances(self, points: Doubles, skip: int) -> Doubles:
        """Return the mean distance to the nearest references, leaving out the `skip` very nearest."""
        return neighbour_distances(points, self.references, skip)


def neighbour_distances(points: Doubles, references: Doubles, skip: int) -> Doubles:
    """Return each point's mean distance to its nearest references (n,), without the `skip` very nearest."""
    count = min(NEIGHBOURS, len(references) - skip)
    if count < 1:
        return np.zeros(len(points))
    squared = (points**2).sum(axis=1)[:, None] + (references**2).sum(axis=1) - 2 * points @ references.T
    nearest = np.partition(squared, count + skip - 1, axis=1)[:, skip : count + skip]
    distances: Doubles = np.sqrt(np.maximum(nearest, 0)).mean(axis=1)
    return distances


@dataclass(frozen=True)
class Classifier:
    """Independent confidences a label: one-vs-rest logistic scores, calibrated, damped by novelty.

    `weights` (labels, components) and `intercepts` (labels,) make scores; `slopes` and `offsets` (labels,)
    are Platt's calibration of them. Labels are independent, so several or none may be likely.
    """

    dictionary: Dictionary
    projection: Projection
    weights: Doubles
    intercepts: Doubles
    slopes: Doubles
    offsets: Doubles
    novelty: Novelty

    def scores(self, image: Image.Image) -> Doubles:
        """Return a confidence from 0 to 1 a label."""
        row: Doubles = self.score_features(self.dictionary.features(pixels(image))[None])[0]
        return row

    def score_features(self, features: Floats) -> Doubles:
        """Return confidences (n, labels) for rows of features."""
        points = self.projection.apply(features)
        raw = points @ self.weights.T + self.intercepts
        calibrated = 1 / (1 + np.exp(-np.clip(raw * self.slopes + self.offsets, -30, 30)))
        damped: Doubles = calibrated * self.novelty.damping(points)[:, None]
        return damped


@dataclass(frozen=True)
class ImageLevelModel:
    """A classifier that answers with its labels by name."""

    labels: tuple[str, ...]
    classifier: Classifier

    def find(self, image: Image.Image) -> list[Detection]:
        """Return every label with its confidence, the surest first."""
        scores = self.classifier.scores(image)
        found = [Detection(label, float(score)) for label, score in zip(self.labels, scores, strict=True)]
        return sorted(found, key=lambda detection: -detection.confidence)
