"""Taking away what reviews at Ground Truth were opened with."""

from __future__ import annotations

from collections.abc import Iterator

from custom_labels.core.settings import Project
from custom_labels.review.backends.ground_truth.backend import GroundTruthReviewBackend
from custom_labels.s3.store import S3Store


def tear_down(project: Project, store: S3Store, *, dry_run: bool) -> Iterator[str]:
    """Stop the jobs that have not ended; AWS keeps each, and what was answered stays in the bucket.

    :param dry_run: stop nothing.
    :return: a sentence for each job that is, or would be, stopped.
    """
    backend = GroundTruthReviewBackend(project, store)
    for job in list(backend.open_jobs()):
        yield f"labeling job {job} is stopped"
        if not dry_run:
            backend.stop(job)
