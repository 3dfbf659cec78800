"""Label Studio as a review backend: one of its tasks for each review."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from custom_labels.core.project_task import ProjectTask
from custom_labels.core.settings import Project
from custom_labels.review.backends.base import Abilities, Announcements, ReviewBackend
from custom_labels.review.backends.label_studio.project_file import LabelStudioPart
from custom_labels.s3.store import S3Store

if TYPE_CHECKING:
    from custom_labels.core.checks import Check
    from custom_labels.core.context import ProjectContext


class LabelStudio:
    """The parts of this folder, each imported when it is needed."""

    name = "label_studio"
    part = LabelStudioPart
    # Label Studio itself has no limit; more people than this are asked about no image in earnest.
    abilities = Abilities(frozenset(ProjectTask), most_reviewers=9, together=50)
    why_not = abilities.why_not

    def make(self, project: Project, store: S3Store) -> ReviewBackend:
        """Make what adds tasks and reads annotations."""
        from custom_labels.review.backends.label_studio.backend import LabelStudioBackend

        return LabelStudioBackend(project, store)

    def setup_tasks(self, project: Project, reviewers: Any, arguments: Mapping[str, Any]) -> Sequence[Any]:
        """Add the task that makes the projects and their storages."""
        from custom_labels.review.backends.label_studio.setup_tasks import set_up_label_studio

        having = set_up_label_studio.having(task_id="set_up_review", pool=arguments["pool"])
        added: Any = having(project, reviewers)
        return [added.operator]

    def checks(self, ctx: ProjectContext) -> Iterable[Check]:
        """Check the server, its projects and their storages."""
        from custom_labels.review.backends.label_studio.server_checks import server_checks

        return server_checks(ctx)

    def announcements(self, queue: str, project: Project) -> Announcements:
        """Describe the objects that Label Studio writes."""
        from custom_labels.core.keys import LABEL_STUDIO_ANSWERS

        if project.review is None or not project.review.part_of(LabelStudioPart).answers_to_s3:
            return Announcements(f"nothing, since 'review.label_studio.answers_to_s3' is false ({queue})")
        return Announcements(f"new objects below {LABEL_STUDIO_ANSWERS}", folder=LABEL_STUDIO_ANSWERS)

    def tear_down(self, project: Project, store: S3Store, *, dry_run: bool) -> Iterator[str]:
        """Stop the open reviews, and take the storages away; projects and answers stay."""
        from custom_labels.review.backends.label_studio.teardown import tear_down

        return tear_down(project, store, dry_run=dry_run)

    def where(self, project: Project) -> str:
        """Give the address of the list of projects."""
        part = project.review.part_of(LabelStudioPart) if project.review else LabelStudioPart()
        if part.url:
            return f"{part.url.rstrip('/')}/projects/"
        return f"Label Studio at the host of the Airflow connection '{part.conn_id}'"


BACKEND = LabelStudio()
