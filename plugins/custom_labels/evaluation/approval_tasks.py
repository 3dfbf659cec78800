"""A person's approval before a version is put into service: the question, and what is made of the answer."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from airflow.providers.standard.operators.hitl import HITLBranchOperator
from airflow.sdk import Param, conf

from custom_labels.aws.inputs import require_inputs
from custom_labels.core.codec import from_json
from custom_labels.core.context import ProjectContext, final
from custom_labels.core.names import PAGES
from custom_labels.core.notifications import announce
from custom_labels.core.outcome import Outcome, RunOutcome
from custom_labels.evaluation.approval import Approval, ask
from custom_labels.evaluation.approval_records import read_approval, record_approval
from custom_labels.evaluation.decision_records import Decisions
from custom_labels.evaluation.judgement import Judgement
from custom_labels.evaluation.links import decision_path

if TYPE_CHECKING:
    from airflow.sdk import Context

log = logging.getLogger(__name__)

APPROVE, REJECT = "Approve", "Reject"
MARGIN_SECONDS = 3600
"""How much longer than the wait the project is held: the scheduler may check late whether the time is over."""


class ApproveVersionOperator(HITLBranchOperator):
    """Wait for a person's Approve or Reject, in Airflow's state for that: no worker slot, no triggerer.

    The question shows the decision in short and leads to the whole of it. No answer in time is a rejection. Who
    answered, when and with what comment is in the registry before anything else happens. The project is held meanwhile,
    so that no other training begins; a rollback needs another lock and does not wait.

    :param project: name of the project (templated).
    :param judged: the :class:`Judgement` (templated).
    :param hours: how long an answer is waited for (templated).
    :param approved: id of the task to go on with after *Approve*, and ``rejected`` after *Reject*.
    """

    template_fields: Sequence[str] = ("project", "judged", "hours")
    ui_color = "#f6efdb"

    def __init__(
        self, *, project: str, judged: Judgement, hours: float, approved: str, rejected: str, **kwargs: Any
    ) -> None:
        comment = Param("", type="string", source="task", description="Why; it goes on record with your name.")
        kwargs["params"] = {"comment": comment}  # instead of the DAG's, which the form would not show either
        super().__init__(
            subject="May the version serve?",
            options=[APPROVE, REJECT],
            options_mapping={APPROVE: approved, REJECT: rejected},
            defaults=REJECT,
            **kwargs,
        )
        self.project = project
        self.judged = judged
        self.hours = hours

    @final
    def execute(self, context: Context) -> Any:
        """Hold the project for as long as it may take, word the question, notify that it is asked, and wait."""
        require_inputs(self.task_id, {"judged": self.judged, "hours": self.hours})
        ctx, judged = ProjectContext(self.project, context), from_json(Judgement, self.judged)
        given = read_approval(ctx.registry, judged.candidate, judged.reason)
        if given is not None:  # answered to a try that was killed right after
            return self.do_branch(context, self.options_mapping[APPROVE if given.approved else REJECT])
        ctx.lock.hold(self.hours * 3600 + MARGIN_SECONDS)
        record = Decisions(ctx.store, judged.candidate.version_name).record() or {}
        self.subject = f"{self.project}: may version {judged.candidate.version_name} serve?"
        self.body = ask(judged, record, self._page(judged), self.hours)
        self.response_timeout = timedelta(hours=self.hours)
        self._announce(ctx, judged, context)
        return super().execute(context)

    def _page(self, judged: Judgement) -> str:
        base = (conf.get("api", "base_url", fallback="") or "").rstrip("/")
        return f"{base}{PAGES}{decision_path(self.project, judged.candidate.version_name)}"

    def _announce(self, ctx: ProjectContext, judged: Judgement, context: Context) -> None:
        facts = {"Metrics": judged.headline, "Decision": self._page(judged)}
        if conf.get("api", "base_url", fallback=""):
            facts["Answer"] = self.generate_link_to_ui_from_context(context=context)
        detail = f"{judged.reason}; version {judged.candidate.version_name} waits for a person's approval"
        announce(ctx, RunOutcome(Outcome.APPROVAL_WANTED, self.project, detail, ctx.run_name, facts))

    def execute_complete(self, context: Context, event: dict[str, Any]) -> Any:
        """Record the answer, then go on with what it says."""
        ctx, judged = ProjectContext(self.project, context), from_json(Judgement, self.judged)
        ctx.lock.hold()
        if "error" not in event:
            user = event["responded_by_user"] or {}
            approval = Approval(
                approved=event["chosen_options"] == [APPROVE],
                by=user.get("name") or user.get("id"),
                at=(event["responded_at"] or datetime.now(UTC)).isoformat(timespec="seconds"),
                comment=str((event["params_input"] or {}).get("comment") or "").strip(),
                reason=judged.reason,
                champion_arn=judged.candidate.champion_arn,
                hours=self.hours,
                run=ctx.run_name,
            )
            record_approval(ctx.registry, judged.candidate.version_name, approval)
            self.log.info("Version '%s' was %s.", judged.candidate.version_name, approval.sentence)
        return super().execute_complete(context, event)
