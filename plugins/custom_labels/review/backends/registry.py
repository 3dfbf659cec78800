"""The review backends by the name that a project file gives."""

from __future__ import annotations

from custom_labels.core.settings import Project
from custom_labels.review.backends.a2i.setup import review_of
from custom_labels.review.backends.base import ReviewBackend
from custom_labels.s3.store import S3Store


def make_backend(project: Project, store: S3Store) -> ReviewBackend:
    """Make the backend that a project's reviews are opened at; no call is made to AWS yet.

    :raises ReviewBackendNotReady: the project file has no ``review`` part.
    """
    from custom_labels.review.backends.a2i.backend import A2IReviewBackend

    review_of(project)
    return A2IReviewBackend(project, store)
