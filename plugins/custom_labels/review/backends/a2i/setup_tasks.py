"""The operator that makes what a project's human review needs at Amazon A2I."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, cast

from airflow.providers.amazon.aws.utils.mixins import aws_template_fields
from airflow.sdk.exceptions import AirflowFailException

from custom_labels.aws.hooks.sagemaker import ReviewSetupHook
from custom_labels.aws.links import ReviewFlowLink, persist_link
from custom_labels.aws.operators.base import WaitingOperator
from custom_labels.aws.statuses import Described, Verdict
from custom_labels.aws.triggers.review import ReviewFlowTrigger
from custom_labels.core.registry import project_store
from custom_labels.core.settings import load_project
from custom_labels.review.backends.a2i.setup import FLOW_ACTIVE, A2ISetup, plan_review, reviewer_counts
from custom_labels.review.backends.base import ReviewBackendNotReady

if TYPE_CHECKING:
    from airflow.sdk import Context


class CustomLabelsSetupReviewOperator(WaitingOperator):
    """Make a project's worker page and review flows at Amazon A2I, or adopt them, and record them in the registry.

    There is a flow for each number of people that a review may ask: ``reviewers_per_image`` at first, one in each
    further round, and what earlier values of that setting asked for. Page and flows cannot be changed at AWS, so their
    names hold a hash of their content: another instruction makes another page and other flows, and the old flows stay
    for the reviews that were opened with them.
    XCom: the page's and the flows' names.

    :param project: name of the project (templated); its file names the reviewers and their instructions.
    :param reviewers: people who are asked about an image at first (templated).
    """

    aws_hook_class = ReviewSetupHook  # type: ignore[assignment]
    table = FLOW_ACTIVE
    final_failure = True
    template_fields: Sequence[str] = aws_template_fields(*WaitingOperator.template_fields, "project", "reviewers")
    needed: ClassVar[tuple[str, ...]] = ("reviewers",)
    operator_extra_links = (ReviewFlowLink(),)

    polls = (5, 120)

    def __init__(self, *, project: str, reviewers: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.project = project
        self.reviewers = reviewers
        self.flow_name = ""

    @property
    def subject(self) -> str:
        """Name the flow that is waited for."""
        return f"Review flow '{self.flow_name}' of project '{self.project}'"

    @cached_property
    def a2i(self) -> A2ISetup:
        """What the project needs, planned once in each process that runs the task."""
        project = load_project(self.project)
        store = project_store(project)
        try:
            plan = plan_review(project, store, reviewer_counts(store, self.reviewers))
        except ReviewBackendNotReady as error:
            raise AirflowFailException(str(error)) from error
        return A2ISetup(project, store, cast("ReviewSetupHook", self.hook), plan)

    def submit(self, context: Context) -> Described:
        """Create what is missing; what no retry can mend fails the task for good."""
        try:
            self.a2i.create()
        except ReviewBackendNotReady as error:
            raise AirflowFailException(str(error)) from error
        flows = self.a2i.plan.flows
        persist_link(ReviewFlowLink, context, self, flow_name=flows[max(flows)])
        return self.describe()

    def describe(self) -> Described:
        """Describe the flow that is farthest from Active: one that failed, else one that is being made."""
        order = [Verdict.FAILED, Verdict.WAIT, Verdict.DONE]
        flows = self.a2i.describe()
        self.flow_name = min(flows, key=lambda name: order.index(self.table.judge(flows[name].status)))
        return flows[self.flow_name]

    def trigger(self) -> ReviewFlowTrigger:
        """Wait for the flow."""
        return ReviewFlowTrigger(flow_name=self.flow_name, **self.trigger_parameters())

    def explain(self, described: Described) -> str:  # noqa: ARG002
        """Explain how to get rid of a flow that cannot be used."""
        return (
            f"Its name stays taken: correct 'review' in {self.project}.yaml, which makes flows of other names; or, "
            "where the cause was elsewhere, mend that, run 'aws sagemaker delete-flow-definition "
            f"--flow-definition-name {self.flow_name}' and clear this task."
        )

    def result(self, described: Described, context: Context) -> dict[str, Any]:  # noqa: ARG002
        """Record the flows, now that all are Active."""
        self.a2i.record(self.a2i.describe())
        plan = self.a2i.plan
        self.log.info("Review flows of project '%s': %s.", self.project, plan.flows)
        return {"task_ui": plan.task_ui, "flows": {str(n): name for n, name in plan.flows.items()}}
