"""The record of a project's trainings: one object, changed by compare-and-set, so that a claim is a single write."""

from __future__ import annotations

from collections.abc import Callable

from custom_labels.core.records import Record
from custom_labels.s3.store import S3Store
from custom_labels.training.retraining import AttemptState
from custom_labels.training.trainings import Trainings

TRAININGS = Record("registry/trainings.json", Trainings)


def read_trainings(store: S3Store) -> Trainings:
    """Read all trainings of a project."""
    return TRAININGS.read(store) or Trainings()


def change_trainings(store: S3Store, change: Callable[[Trainings], Trainings]) -> Trainings:
    """Change the record, also while others do.

    :param change: gives the new value; it is asked again where another run was faster.
    :return: the value that counts.
    """
    return TRAININGS.change(store, lambda trainings: change(trainings or Trainings())) or Trainings()


def finish_training(store: S3Store, digest: str, version_name: str, state: AttemptState, detail: str) -> None:
    """Record how the training of a snapshot ended, see :meth:`Trainings.finish`."""
    change_trainings(store, lambda trainings: trainings.finish(digest, version_name, state, detail))
