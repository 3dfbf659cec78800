"""Making what a project's reviews need at Label Studio."""

from __future__ import annotations

from collections.abc import Iterable

from custom_labels.review.backends.label_studio.backend import LabelStudioBackend
from custom_labels.review.backends.label_studio.storages import Storages


def set_up(backend: LabelStudioBackend, reviewers: int, labels: Iterable[str]) -> dict[str, str]:
    """Make a project at Label Studio for each number of people that a review may ask, or adopt it, with its storages.

    One person is asked in further rounds; numbers of earlier settings stay, for the reviews that ask so many.

    :param labels: of the version that serves; reviews add theirs when they are opened.
    :return: the projects' addresses by what they ask.
    :raises ReviewBackendNotReady: somebody changed one of them, or Label Studio does not reach the bucket.
    """
    wanted, client = tuple(labels), backend.client
    storages = Storages(backend.project, backend.store, client)
    present = backend.projects.find()
    made: dict[str, str] = {}
    for count in sorted({1, reviewers, *present}):
        asking = backend.projects.ensure(count, wanted, present.get(count))
        storages.ensure(asking.id)
        made[f"{count} people" if count > 1 else "1 person"] = f"{client.connection.url}/projects/{asking.id}"
    return made
