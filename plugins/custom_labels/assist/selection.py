"""Which images people label first, where they are fewer than there are."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import Generic, Protocol, TypeVar

from custom_labels.aws.predictions import DetectedLabel

NOTHING_SEEN_SHARE = 4
"""One image of so many, at most, is one on which the model saw nothing, while there are others: such images tend to
show nothing of interest, and Custom Labels learns nothing from an image without a box."""
MOST_COMPARED = 4_000
"""Images that the search for different ones compares, so that its memory and time are bounded."""
_MOST_OBJECTS = 10


class Strategy(StrEnum):
    """Which images people label first."""

    LEAST_CONFIDENT = "least_confident"
    """Those of which the model is least sure."""
    DIVERSE = "diverse"
    """Those by which each other image has a chosen one near it: the greedy solution of the k-center problem (Sener and
    Savarese, "Active learning for convolutional neural networks: a core-set approach", 2018)."""
    RANDOM = "random"
    """Any: the control, by which the others are judged."""


class Selectable(Protocol):
    """An image that people may label."""

    @property
    def place(self) -> int:
        """Its place in an order that has nothing to do with what it shows, such as a hash of its name."""
        ...

    @property
    def confidence(self) -> float | None:
        """What the model is least sure of on it, in percent; ``None`` where it saw nothing."""
        ...

    @property
    def embedding(self) -> Sequence[float]:
        """What the model sees on it, as numbers from 0 to 1, of the same length for all."""
        ...


S = TypeVar("S", bound=Selectable)


def select(images: Iterable[S], strategy: Strategy, budget: int) -> list[S]:
    """Choose the images that people label first.

    :param images: gone through once; no more of them are held than the budget, or than :data:`MOST_COMPARED`.
    :param budget: how many, at most.
    :return: the most instructive first.
    """
    if strategy is Strategy.RANDOM:
        return heapq.nsmallest(budget, images, key=lambda image: image.place)
    if strategy is Strategy.DIVERSE:
        return _most_different(heapq.nsmallest(max(budget, MOST_COMPARED), images, key=lambda one: one.place), budget)
    return _least_confident(images, budget)


def _least_confident(images: Iterable[S], budget: int) -> list[S]:
    """Choose the least sure ones, and of those on which nothing was seen any."""
    seen, unseen = _Lowest[S](budget), _Lowest[S](budget)
    for image in images:
        (unseen if image.confidence is None else seen).add(image)
    least_sure, empty = seen.take(), unseen.take()
    blind = min(len(empty), max(budget // NOTHING_SEEN_SHARE, budget - len(least_sure)))
    return [*least_sure[: budget - blind], *empty[:blind]]


class _Lowest(Generic[S]):
    """The images with the lowest confidence, as many as are wanted, of however many."""

    def __init__(self, most: int) -> None:
        self.most = most
        self._heap: list[tuple[float, int, int, S]] = []

    def add(self, image: S) -> None:
        """Take an image, if it is one of them so far; the first entry of the heap is the one that makes room."""
        entry = (-(image.confidence or 0.0), -image.place, len(self._heap), image)
        if len(self._heap) < self.most:
            heapq.heappush(self._heap, entry)
        elif self._heap and entry[:2] > self._heap[0][:2]:
            heapq.heapreplace(self._heap, entry)

    def take(self) -> list[S]:
        """Give them, the lowest first."""
        return [image for *_, image in sorted(self._heap, key=lambda entry: entry[:2], reverse=True)]


def _most_different(images: list[S], budget: int) -> list[S]:
    """Choose one after the other the image that is farthest from all chosen ones."""
    if len(images) <= budget:
        return images
    import numpy as np

    points = np.asarray([image.embedding for image in images], dtype=np.float32)
    chosen = [0]
    distances = np.linalg.norm(points - points[0], axis=1)
    while len(chosen) < budget and float(distances.max()) > 0:
        chosen.append(int(distances.argmax()))
        distances = np.minimum(distances, np.linalg.norm(points - points[chosen[-1]], axis=1))
    taken = set(chosen)
    rest = (number for number in range(len(images)) if number not in taken)
    return [images[number] for number in [*chosen, *rest][:budget]]


def embed(labels: Iterable[DetectedLabel], vocabulary: Sequence[str]) -> tuple[float, ...]:
    """Give what a version sees on an image as numbers: of each label its highest confidence and how many it found.

    Custom Labels gives no other description of an image than this.

    :param vocabulary: the version's labels, in the order of the numbers.
    """
    highest, number = dict.fromkeys(vocabulary, 0.0), dict.fromkeys(vocabulary, 0)
    for label in labels:
        if label.name in highest:
            highest[label.name] = max(highest[label.name], label.confidence / 100)
            number[label.name] += label.box is not None
    counts = (min(each, _MOST_OBJECTS) / _MOST_OBJECTS for each in number.values())
    return (*highest.values(), *counts)
