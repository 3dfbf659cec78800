"""Taking away what reviews at Label Studio were set up with."""

from __future__ import annotations

from collections.abc import Iterator

from custom_labels.core.settings import Project
from custom_labels.review.backends.label_studio.backend import LabelStudioBackend
from custom_labels.review.backends.label_studio.storages import Storages
from custom_labels.s3.store import S3Store


def tear_down(project: Project, store: S3Store, *, dry_run: bool) -> Iterator[str]:
    """Stop the open reviews, and take Label Studio's access to the bucket away.

    Its projects stay, since they hold the answers; whoever wants them gone deletes them there.

    :param dry_run: take nothing away.
    :return: a sentence for each thing that is, or would be, taken away.
    """
    backend = LabelStudioBackend(project, store)
    storages = Storages(project, store, backend.client)
    open_reviews = list(backend.open_reviews())
    if open_reviews:
        yield f"{len(open_reviews)} open reviews at Label Studio are stopped"
        if not dry_run:
            backend.cancel(open_reviews)
    for asking in backend.asking.values():
        if storages.has_any(asking.id):
            yield f"the storages of project {asking.id} of Label Studio are removed"
            if not dry_run:
                storages.remove(asking.id)
