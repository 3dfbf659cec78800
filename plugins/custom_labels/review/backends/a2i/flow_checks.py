"""The bootstrap DAG's checks of what reviews at Amazon A2I need."""

from __future__ import annotations

from collections.abc import Iterator

from custom_labels.core.checks import Check, CheckFailed
from custom_labels.core.context import ProjectContext
from custom_labels.review.backends.a2i.backend import loop_input
from custom_labels.review.backends.a2i.project_file import A2IPart
from custom_labels.review.backends.a2i.setup import A2ISetup, plan_review, read_review_record, reviewer_counts
from custom_labels.review.backends.page_check import WorkerPage, check_page
from custom_labels.review.backends.registry import review_of
from custom_labels.review.backends.workforce_checks import WorkforceChecks


class FlowChecks(WorkforceChecks):
    """The checks of one project's workteam, flows and page.

    :param ctx: the project, as a task sees it.
    """

    def __init__(self, ctx: ProjectContext) -> None:
        super().__init__(ctx, review_of(ctx.project).part_of(A2IPart), "a2i")

    def all(self) -> Iterator[Check]:
        """Give each check."""
        yield from super().all()
        yield Check("review flows", "a2i", self.flows)
        yield Check("review page", "a2i", self.page)

    def flows(self) -> str:
        """See whether the flows that the settings ask for are Active and recorded."""
        store = self.ctx.store
        reviewers = reviewer_counts(store, self.ctx.settings("reviewers_per_image").reviewers_per_image)
        setup = A2ISetup(self.project, store, self.hook, plan_review(self.project, store, reviewers))
        record = read_review_record(store)
        bad = [
            f"{name} is {found.status or 'missing'}{f' ({found.message})' if found.message else ''}"
            for name, found in setup.describe().items()
            if found.status != "Active"
        ]
        bad += [
            f"{name} is not recorded in registry/review.json"
            for count, name in setup.plan.flows.items()
            if (record.current or {}).get(count) != name
        ]
        if bad:
            raise CheckFailed(f"Reviews cannot be opened: {'; '.join(bad)}. Read the log of set_up_review in this run.")
        return ", ".join(f"{name} asks {count}" for count, name in setup.plan.flows.items())

    def page(self) -> str:
        """Render the page that reviewers see with an image of the project: a page that fails fails every review."""
        part, task, live = review_of(self.project).part_of(A2IPart), self.project.task, self.ctx.registry.live()
        template = plan_review(self.project, self.ctx.store, [1]).template
        source = part.template or part.template_path(task)
        where = f"'review.a2i.template' of {self.project.name}.yaml is '{source}'"
        page = WorkerPage("A2I", "a2i", loop_input, template, task, live.labels if live else (), where)
        return check_page(self.ctx.store, self.hook, page, part.role_arn)
