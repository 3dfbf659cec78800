"""The question about one image, in Airflow's own form."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, cast

from airflow.providers.standard.operators.hitl import HITLOperator
from airflow.sdk import conf
from airflow.sdk.exceptions import AirflowSkipException

from custom_labels.core.context import ProjectContext, final
from custom_labels.core.step_operators import write_event_facts
from custom_labels.core.steps import each_of
from custom_labels.datasets.label_names import NONE_OF_THE_ABOVE
from custom_labels.review.backends.airflow_page.page_records import PageRecords
from custom_labels.review.backends.airflow_page.page_review import PageReview, given_answer
from custom_labels.review.backends.airflow_page.places import image_page
from custom_labels.review.backends.airflow_page.project_file import AirflowPart
from custom_labels.review.backends.airflow_page.question import word
from custom_labels.review.backends.registry import review_of
from custom_labels.review.review import ReviewStatus

if TYPE_CHECKING:
    from airflow.sdk import Asset, Context

    from custom_labels.core.settings import Project

HAS_RESPONSE_TIMEOUT = "response_timeout" in inspect.signature(HITLOperator.__init__).parameters
"""Whether the provider takes the time for an answer apart from that for the task; the older ones do not."""


def ask_people(project: Project, reviews: Sequence[str], outlet: Asset) -> Sequence[str]:
    """Add the mapped task that asks the reviews of a run; give what stands for the names of those that were answered.

    :param outlet: what each answer announces by itself, while other questions still wait.
    """
    mapped = AskPersonOperator.partial(
        task_id="ask", project=project.name, outlets=[outlet], map_index_template="{{ task.review }}"
    ).expand(review=each_of(reviews))
    return cast("Sequence[str]", mapped.output)


class AskPersonOperator(HITLOperator):
    """Ask people about one image, and record the answer as soon as one of them has given it.

    The task waits in Airflow's state for that: no worker slot, and since Airflow 3.3 no triggerer. Without an answer in
    time it is skipped, and a later run may ask again. Of the review nothing but its name passes through Airflow's
    templates: labels and keys are of others.

    :param project: name of the project (templated).
    :param review: name of the review (templated).
    """

    template_fields: Sequence[str] = ("project", "review")
    ui_color = "#f6efdb"

    def __init__(self, *, project: str, review: str, **kwargs: Any) -> None:
        super().__init__(subject="What does the image show?", options=[NONE_OF_THE_ABOVE], **kwargs)
        self.project = project
        self.review = review

    @final
    def execute(self, context: Context) -> Any:
        """Take the review for this run, word the question, and wait.

        A second try asks again, unless the first one recorded the answer.
        """
        ctx = ProjectContext(self.project, context)
        setup, records = review_of(ctx.project), PageRecords(ctx.store)
        part, now = setup.part_of(AirflowPart), datetime.now(UTC)
        review = records.take(self.review, ctx.run_name, now + timedelta(hours=part.question_hours))
        if review is None:
            return self._answered(records.read(self.review))
        base = conf.get("api", "base_url", fallback="") or ""
        question = word(review, setup, ctx.project.name, image_page(ctx.project.name, self.review, base))
        self.subject, self.body = question.subject, question.body
        self.options, self.multiple = list(question.options), question.multiple
        self.defaults = list(question.defaults) if question.defaults else None
        self.assigned_users = [{"id": each.id, "name": each.name} for each in part.assigned_users] or None
        time = datetime.fromisoformat(review.asked_until) - now
        setattr(self, "response_timeout" if HAS_RESPONSE_TIMEOUT else "execution_timeout", time)
        return super().execute(context)

    def execute_complete(self, context: Context, event: dict[str, Any]) -> Any:
        """Record the answer, unless the review has ended otherwise before."""
        if "error" in event and event.get("error_type") != "timeout":
            self.process_trigger_event_error(event)
        ctx = ProjectContext(self.project, context)
        answer = given_answer(event, ctx.project.name)
        if answer is None:
            raise AirflowSkipException(f"Nobody answered review '{self.review}' in time; it may be asked again.")
        ended = PageRecords(ctx.store).answer(self.review, answer)
        if ended is not None and ended.answer != answer:
            raise AirflowSkipException(
                f"The answer to review '{self.review}' came late: the review is {ended.status} already, so that it "
                "does not count. Airflow keeps it with this task."
            )
        ctx.describe_event(review=self.review)
        write_event_facts(context, self, ctx)
        return self._answered(ended)

    def _answered(self, review: PageReview | None) -> str:
        """Give the review's name if it is answered, else skip the task."""
        if review is None or review.status is not ReviewStatus.COMPLETED:
            state = "asked by another run" if review and review.status is ReviewStatus.OPEN else "no longer open"
            raise AirflowSkipException(f"Review '{self.review}' is {state}.")
        self.log.info("Review '%s' is answered.", self.review)
        return self.review
