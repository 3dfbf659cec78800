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


@dataclass(frozen=True)
class Detection:
    """One label found in an image; `confidence` from 0 to 1.

    `box` is where, for a model that finds objects: left, top, width and height as shares of the image's sides.
    """

    name: str
    confidence: float
    box: tuple[float, float, float, float] | None = None


class Predictor(Protocol):
    """A trained model's inner part; it travels from the worker to the server by pickle."""

    def find(self, image: Image.Image) -> list[Detection]:
        """Return what is found in an image, the surest first."""
        ...


@dataclass(frozen=True)
class TrainingResult:
    """What a worker answers: the labels in order, and the model."""

    labels: tuple[str, ...]
    predictor: Predictor


@dataclass(frozen=True)
class ImageLevelResult(TrainingResult):
    """A model of image-level labels, and its scores on the test images (n, labels)."""

    test_scores: Scores


@dataclass(frozen=True)
class Tested:
    """A test image: its size in pixels, upright, and what was found in it, the surest first."""

    size: tuple[int, int]
    found: tuple[Detection, ...]


@dataclass(frozen=True)
class LocalizationResult(TrainingResult):
    """A model that finds objects, and what it found in each test image."""

    tested: tuple[Tested, ...]


@dataclass(frozen=True)
class TrainedModel:
    """A model ready to serve; `thresholds` are the assumed thresholds, 0 to 1 a label."""

    predictor: Predictor
    thresholds: Mapping[str, float]

    def detect(self, content: bytes) -> list[Detection]:
        """Return what is found in an encoded image, the surest first."""
        with open_picture(content) as image:
            return self.predictor.find(image)
