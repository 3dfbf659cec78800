"""Train and test an image-level model."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from include.local_aws.pictures import open_picture
from include.local_aws.training.classifier import ImageLevelModel
from include.local_aws.training.features import pixels
from include.local_aws.training.fitting import Pictures, Truth, fit_classifier, remembering_fit
from include.local_aws.training.orders import Example, Order
from include.local_aws.training.results import ImageLevelResult


def train(order: Order, examples: Iterator[Example]) -> ImageLevelResult:
    """Fit on the first examples, score the rest; images are shrunk as they arrive, so few are held whole."""
    pictures: Pictures = []
    truths: list[NDArray[np.bool_]] = []
    for example in islice(examples, order.training_count):
        pictures.append(_picture(example))
        truths.append(np.array([label in example.labels for label in order.labels]))
    truth: Truth = np.stack(truths)
    fit = remembering_fit(order.memory) if order.memory else fit_classifier
    classifier = fit(pictures, truth, order.seed)
    rows = [classifier.dictionary.features(_picture(example)) for example in islice(examples, order.testing_count)]
    scores = classifier.score_features(np.stack(rows)) if rows else np.zeros((0, len(order.labels)))
    return ImageLevelResult(order.labels, ImageLevelModel(order.labels, classifier), scores)


def _picture(example: Example) -> NDArray[np.uint8]:
    with open_picture(example.content) as image:
        return pixels(image)
