"""Airflow's own page as a review backend: one human-in-the-loop question for each review."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from custom_labels.core.project_task import ProjectTask
from custom_labels.core.settings import Project
from custom_labels.review.backends.airflow_page.places import answer_page
from custom_labels.review.backends.airflow_page.project_file import KIND, AirflowPart
from custom_labels.review.backends.base import Abilities, Announcements, ReviewBackend
from custom_labels.s3.store import S3Store

if TYPE_CHECKING:
    from custom_labels.core.checks import Check
    from custom_labels.core.context import ProjectContext


class AirflowPage:
    """The parts of this folder, each imported when it is needed."""

    name = "airflow"
    part = AirflowPart
    # A question of Airflow's takes one answer, and it has no means to draw.
    abilities = Abilities(
        frozenset({ProjectTask.IMAGE_CLASSIFICATION, ProjectTask.MULTI_LABEL_CLASSIFICATION}),
        most_reviewers=1,
        together=50,
    )
    why_not = abilities.why_not

    def make(self, project: Project, store: S3Store) -> ReviewBackend:
        """Make what records reviews and reads their answers."""
        from custom_labels.review.backends.airflow_page.backend import AirflowReviewBackend

        return AirflowReviewBackend(project, store)

    def setup_tasks(self, project: Project, reviewers: Any, arguments: Mapping[str, Any]) -> Sequence[Any]:  # noqa: ARG002
        """Add nothing: the DAG that asks is there with the project file."""
        return ()

    def checks(self, ctx: ProjectContext) -> Iterable[Check]:
        """Check the operator, and that images can be read by a link."""
        from custom_labels.review.backends.airflow_page.page_checks import PageChecks

        return PageChecks(ctx).all()

    def announcements(self, queue: str, project: Project) -> Announcements:  # noqa: ARG002
        """Say that no queue is needed."""
        return Announcements(f"nothing has to: {project.name}_{KIND} triggers the harvest itself")

    def tear_down(self, project: Project, store: S3Store, *, dry_run: bool) -> Iterator[str]:
        """End the reviews that are open; there is nothing else to take away."""
        from custom_labels.review.backends.airflow_page.backend import AirflowReviewBackend

        backend = AirflowReviewBackend(project, store)
        names = backend.records.open_names()
        if names:
            yield f"{len(names)} open reviews on Airflow's page are ended"
        if not dry_run:
            backend.cancel(names)

    def where(self, project: Project) -> str:
        """Give the page of the DAG's open questions."""
        from airflow.sdk import conf

        return answer_page(project.name, conf.get("api", "base_url", fallback="") or "")


BACKEND = AirflowPage()
