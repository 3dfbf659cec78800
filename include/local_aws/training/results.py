"""What a training gives back, and how a trained model answers; needs numpy and Pillow, not scikit-learn."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from include.local_aws.pictures import open_picture

Scores = NDArray[np.float64]


class Predictor(Protocol):
    """A trained model's inner part; it travels from the worker to the server by pickle."""

    def scores(self, image: Image.Image) -> Scores:
        """Return a confidence from 0 to 1 for each label, in the model's order of labels."""
        ...


@dataclass(frozen=True)
class TrainingResult:
    """What a worker answers: the labels in order, the model, and its scores on the test images (n, labels)."""

    labels: tuple[str, ...]
    predictor: Predictor
    test_scores: Scores


@dataclass(frozen=True)
class Detection:
    """One label found in an image; `confidence` from 0 to 1."""

    name: str
    confidence: float


@dataclass(frozen=True)
class TrainedModel:
    """A model ready to serve; `thresholds` are the assumed thresholds, 0 to 1 a label."""

    labels: tuple[str, ...]
    predictor: Predictor
    thresholds: Mapping[str, float]

    def detect(self, content: bytes) -> list[Detection]:
        """Return every label with its confidence, the surest first."""
        with open_picture(content) as image:
            scores = self.predictor.scores(image)
        found = [Detection(label, float(score)) for label, score in zip(self.labels, scores, strict=True)]
        return sorted(found, key=lambda detection: -detection.confidence)
