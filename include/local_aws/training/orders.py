"""What a training is asked for, and which trainer serves which use case."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import import_module

from include.local_aws.training.results import TrainingResult


@dataclass(frozen=True)
class Example:
    """One image: its encoded bytes and the labels it has."""

    content: bytes
    labels: tuple[str, ...]


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


class TrainingRefused(ValueError):
    """No model can be made of an order; the message is meant for the version's StatusMessage."""


Trainer = Callable[[Order, Iterator[Example]], TrainingResult]

TRAINERS = {"IMAGE_LEVEL_LABELS": "include.local_aws.training.classification"}
"""Use case -> module with a `train` function. Object detection takes its place here when it comes."""


def check_use_case(use_case: str) -> None:
    """Raise TrainingRefused for a use case that nothing here can train."""
    if use_case not in TRAINERS:
        raise TrainingRefused(
            f"This emulator cannot train models for the use case {use_case} yet; it can for {', '.join(TRAINERS)}."
        )


def find_trainer(use_case: str) -> Trainer:
    """Import and return the trainer of a use case; raises TrainingRefused for one without."""
    check_use_case(use_case)
    found: Trainer = import_module(TRAINERS[use_case]).train
    return found
