"""The review backends by the name that a project file gives."""

from __future__ import annotations

from typing import cast

from custom_labels.core.review_setup import ReviewSetup
from custom_labels.core.settings import Project
from custom_labels.review.backends.base import BackendDefinition, ReviewBackend, ReviewBackendNotReady
from custom_labels.s3.store import S3Store


def review_of(project: Project) -> ReviewSetup:
    """Give what a project asks people, and where.

    :raises ReviewBackendNotReady: the project file has no ``review`` part.
    """
    if project.review is None:
        raise ReviewBackendNotReady(
            f"Nobody answers reviews of project '{project.name}': 'review' is missing in {project.name}.yaml. Add it "
            f"with a 'backend', then trigger {project.name}_bootstrap."
        )
    return project.review


def definition_of(project: Project) -> BackendDefinition:
    """Give the backend that a project's reviews are opened at.

    :raises ReviewBackendNotReady: the project file has no ``review`` part.
    """
    return cast("BackendDefinition", review_of(project).definition)


def make_backend(project: Project, store: S3Store) -> ReviewBackend:
    """Make what opens and reads a project's reviews; no call is made yet.

    :raises ReviewBackendNotReady: the project file has no ``review`` part.
    """
    return definition_of(project).make(project, store)
