"""Amazon A2I as a review backend: one human loop for each review."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from custom_labels.core.project_task import ProjectTask
from custom_labels.core.settings import Project
from custom_labels.review.backends.a2i.events import announced
from custom_labels.review.backends.a2i.project_file import A2IPart
from custom_labels.review.backends.base import Abilities, Announcements, ReviewBackend
from custom_labels.s3.store import S3Store

if TYPE_CHECKING:
    from custom_labels.core.checks import Check
    from custom_labels.core.context import ProjectContext


class A2I:
    """The parts of this folder, each imported when it is needed."""

    name = "a2i"
    part = A2IPart
    # TaskCount is 1 to 3 (SageMaker API reference, HumanLoopConfig).
    abilities = Abilities(frozenset(ProjectTask), most_reviewers=3, together=50)
    why_not = abilities.why_not

    def make(self, project: Project, store: S3Store) -> ReviewBackend:
        """Make what starts loops and reads their answers."""
        from custom_labels.review.backends.a2i.backend import A2IReviewBackend

        return A2IReviewBackend(project, store)

    def setup_tasks(self, project: Project, reviewers: Any, arguments: Mapping[str, Any]) -> Sequence[Any]:
        """Add the operator that makes the worker page and the flows."""
        from custom_labels.review.backends.a2i.setup_tasks import CustomLabelsSetupReviewOperator

        return [
            CustomLabelsSetupReviewOperator(
                task_id="set_up_review", project=project.name, reviewers=reviewers, **arguments
            )
        ]

    def checks(self, ctx: ProjectContext) -> Iterable[Check]:
        """Check role, workteam, CORS, flows and the worker page."""
        from custom_labels.review.backends.a2i.flow_checks import FlowChecks

        return FlowChecks(ctx).all()

    def announcements(self, queue: str, project: Project) -> Announcements:
        """Describe the events about the project's loops."""
        return announced(queue, project.name)

    def tear_down(self, project: Project, store: S3Store, *, dry_run: bool) -> Iterator[str]:
        """Delete the flows and the worker pages; open loops are stopped before."""
        from custom_labels.review.backends.a2i.teardown import tear_down

        return tear_down(project, store, dry_run=dry_run)

    def where(self, project: Project) -> str:
        """Name the worker portal."""
        team = project.review.part_of(A2IPart).workteam_arn.rpartition("/")[2] if project.review else ""
        return f"the worker portal of the workteam {team} (SageMaker console, Labeling workforces)"


BACKEND = A2I()
