"""SageMaker Ground Truth as a review backend: one labeling job for all reviews that a run opens."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from custom_labels.core.project_task import ProjectTask
from custom_labels.core.settings import Project
from custom_labels.review.backends.base import Abilities, Announcements, ReviewBackend
from custom_labels.review.backends.ground_truth.events import announced
from custom_labels.review.backends.ground_truth.project_file import GroundTruthPart
from custom_labels.s3.store import S3Store

if TYPE_CHECKING:
    from custom_labels.core.checks import Check
    from custom_labels.core.context import ProjectContext


class GroundTruth:
    """The parts of this folder, each imported when it is needed."""

    name = "ground_truth"
    part = GroundTruthPart
    # NumberOfHumanWorkersPerDataObject is 1 to 9 (SageMaker API reference, HumanTaskConfig).
    abilities = Abilities(frozenset(ProjectTask), most_reviewers=9, together=500)
    why_not = abilities.why_not

    def make(self, project: Project, store: S3Store) -> ReviewBackend:
        """Make what creates jobs and reads what they write."""
        from custom_labels.review.backends.ground_truth.backend import GroundTruthReviewBackend

        return GroundTruthReviewBackend(project, store)

    def setup_tasks(self, project: Project, reviewers: Any, arguments: Mapping[str, Any]) -> Sequence[Any]:  # noqa: ARG002
        """Add nothing: each job brings its page, its labels and its number of people."""
        return []

    def checks(self, ctx: ProjectContext) -> Iterable[Check]:
        """Check role, workteam, CORS, the region and the worker page."""
        from custom_labels.review.backends.ground_truth.job_checks import JobChecks

        return JobChecks(ctx).all()

    def announcements(self, queue: str, project: Project) -> Announcements:  # noqa: ARG002
        """Describe the events about files with answers, each of which is of one review."""
        return announced(project)

    def tear_down(self, project: Project, store: S3Store, *, dry_run: bool) -> Iterator[str]:
        """Stop the jobs that have not ended."""
        from custom_labels.review.backends.ground_truth.teardown import tear_down

        return tear_down(project, store, dry_run=dry_run)

    def where(self, project: Project) -> str:
        """Name the worker portal."""
        team = project.review.part_of(GroundTruthPart).workteam_arn.rpartition("/")[2] if project.review else ""
        return f"the worker portal of the workteam {team} (SageMaker console, Labeling workforces)"


BACKEND = GroundTruth()
