"""What a training is asked for, and which module trains for which use case."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import import_module

from include.local_aws.boxes import Box
from include.local_aws.training.results import TrainingResult


@dataclass(frozen=True)
class Example:
    """One image: its encoded bytes, and the labels that it has as a whole or the boxes on it."""

    content: bytes
    labels: tuple[str, ...]
    boxes: tuple[Box, ...] = ()


@dataclass(frozen=True)
class Order:
    """What to train; `training_count` examples follow it, then `testing_count` more.

    `memory` is a folder where what was fitted before on the same examples is found; empty for none.
    """

    use_case: str
    labels: tuple[str, ...]
    seed: int
    training_count: int
    testing_count: int
    memory: str = ""


Trainer = Callable[[Order, Iterator[Example]], TrainingResult]

TRAINERS = {
    "IMAGE_LEVEL_LABELS": "include.local_aws.training.classification",
    "OBJECT_LOCALIZATION": "include.local_aws.training.object_detection",
}
"""Use case -> module with a `train` function."""


def find_trainer(use_case: str) -> Trainer:
    """Import and return the trainer of a use case."""
    found: Trainer = import_module(TRAINERS[use_case]).train
    return found
