"""Train and test a model that finds objects."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

import numpy as np

from include.local_aws.boxes import rows
from include.local_aws.pictures import open_picture, upright_rgb
from include.local_aws.training.detector import Detector, at_work_size
from include.local_aws.training.detector_fitting import fit_detector, remembered_detector
from include.local_aws.training.orders import Example, Order
from include.local_aws.training.results import LocalizationResult, Tested
from include.local_aws.training.samples import Sample, Samples


def train(order: Order, examples: Iterator[Example]) -> LocalizationResult:
    """Fit on the first examples, find objects in the rest; of the images few are in memory at a time."""
    samples = Samples()
    for example in islice(examples, order.training_count):
        samples.add(_sample(example, order.labels))
    if order.memory:
        detector = remembered_detector(order.memory, samples, order.labels, order.seed)
    else:
        detector = fit_detector(samples, order.labels, order.seed)
    tested = tuple(_tested(example, detector) for example in islice(examples, order.testing_count))
    return LocalizationResult(order.labels, detector, tested)


def _sample(example: Example, labels: tuple[str, ...]) -> Sample:
    with open_picture(example.content) as image:
        whole = upright_rgb(image)
    picture = at_work_size(whole)
    scale = np.array([picture.width / whole.width, picture.height / whole.height] * 2)
    numbers = np.array([labels.index(box.label) for box in example.boxes], dtype=np.intp)
    return Sample(picture, rows(example.boxes) * scale, numbers)


def _tested(example: Example, detector: Detector) -> Tested:
    with open_picture(example.content) as image:
        picture = upright_rgb(image)
    return Tested(picture.size, tuple(detector.find_in(picture)))
