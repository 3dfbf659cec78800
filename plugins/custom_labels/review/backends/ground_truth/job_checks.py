"""The bootstrap DAG's checks of what labeling jobs need."""

from __future__ import annotations

from collections.abc import Iterator

from custom_labels.aws.hooks.labeling import ACCOUNTS
from custom_labels.core.checks import Check, CheckFailed
from custom_labels.core.context import ProjectContext
from custom_labels.review.backends.ground_truth.backend import GroundTruthReviewBackend
from custom_labels.review.backends.ground_truth.job import task_input
from custom_labels.review.backends.ground_truth.project_file import GroundTruthPart
from custom_labels.review.backends.page_check import WorkerPage, check_page
from custom_labels.review.backends.registry import review_of
from custom_labels.review.backends.workforce_checks import WorkforceChecks


class JobChecks(WorkforceChecks):
    """The checks of one project's workteam, region and page.

    :param ctx: the project, as a task sees it.
    """

    def __init__(self, ctx: ProjectContext) -> None:
        super().__init__(ctx, review_of(ctx.project).part_of(GroundTruthPart), "ground_truth")
        self.backend = GroundTruthReviewBackend(ctx.project, ctx.store)

    def all(self) -> Iterator[Check]:
        """Give each check."""
        yield from super().all()
        yield Check("labeling jobs", "ground_truth", self.jobs)
        yield Check("review page", "ground_truth", self.page)

    def jobs(self) -> str:
        """List the project's open jobs, where AWS has functions for them at all."""
        region = self.backend.hook.region
        if region not in ACCOUNTS:
            raise CheckFailed(
                f"Ground Truth has no functions for labeling jobs in {region}. Set 'region_name' in "
                f"{self.project.name}.yaml to one of {', '.join(sorted(ACCOUNTS))}, or choose another 'backend'."
            )
        return f"{len(list(self.backend.open_jobs()))} in progress in {region}"

    def page(self) -> str:
        """Render the page that reviewers see with an image of the project: a page that fails fails every review."""
        part, task, live = review_of(self.project).part_of(GroundTruthPart), self.project.task, self.ctx.registry.live()
        source = part.template or part.template_path(task)
        where = f"'review.ground_truth.template' of {self.project.name}.yaml is '{source}'"
        template, labels = self.backend.template(), live.labels if live else ()
        page = WorkerPage("SageMaker", "ground_truth", task_input, template, task, labels, where)
        return check_page(self.ctx.store, self.hook, page, part.role_arn)
