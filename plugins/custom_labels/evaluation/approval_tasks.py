"""A person's approval before a version is put into service: the branch, the question and the end of a rejected one."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from airflow.providers.standard.operators.hitl import HITLBranchOperator
from airflow.sdk import Param, conf

from custom_labels.aws.inputs import require_inputs
from custom_labels.core.codec import from_json
from custom_labels.core.context import ProjectContext, branch, final
from custom_labels.core.notifications import announce
from custom_labels.core.outcome import RunOutcome
from custom_labels.core.preconditions import when_chosen
from custom_labels.evaluation.approval import Approval, Question, ask
from custom_labels.evaluation.decision_records import Decisions
from custom_labels.evaluation.links import PAGES, decision_path

if TYPE_CHECKING:
    from airflow.sdk import Context

log = logging.getLogger(__name__)

APPROVE, REJECT = "Approve", "Reject"
NEXT = {APPROVE: "acquire_deployment_lock", REJECT: "rejected"}
MARGIN_SECONDS = 3600
"""How much longer than the wait the project is held: the scheduler may look late whether the time is over."""


@branch
def is_approval_needed(project: str, settings: dict[str, Any], judged: dict[str, Any]) -> str:
    """Ask a user, unless none has to be asked or one has answered an earlier run."""
    ctx = ProjectContext(project)
    if not settings["require_approval"]:
        return NEXT[APPROVE]
    given = _given(ctx, judged)
    return "approve_version" if given is None else _next(given)


def _given(ctx: ProjectContext, judged: dict[str, Any]) -> Approval | None:
    """Give the answer that is on record for this very decision, ``None`` if there is none."""
    value = ctx.registry.version(judged["version_name"]).get("approval")
    approval = from_json(Approval, value) if value else None
    if approval is None or not approval.covers(judged):
        return None
    log.info("The answer to %s counts: %s.", approval.run, approval.sentence)
    return approval


def _next(approval: Approval) -> str:
    return NEXT[APPROVE if approval.approved else REJECT]


class ApproveVersionOperator(HITLBranchOperator):
    """Wait for a person's Approve or Reject, in Airflow's state for that: no worker slot, no triggerer.

    The question shows the decision in short and leads to the whole of it. No answer in time is a rejection. Who
    answered, when and with what comment is in the registry before anything else happens. The project is held meanwhile,
    so that no other training begins; a rollback needs another lock and does not wait.

    :param project: name of the project (templated).
    :param judged: the candidate that ``judge`` returned (templated).
    """

    template_fields: Sequence[str] = ("project", "judged")
    ui_color = "#f6efdb"

    def __init__(self, *, project: str, judged: dict[str, Any], **kwargs: Any) -> None:
        comment = Param("", type="string", source="task", description="Why; it goes on record with your name.")
        kwargs["params"] = {"comment": comment}  # instead of the DAG's, which the form would not show either
        super().__init__(
            subject="May the version serve?",
            options=[APPROVE, REJECT],
            options_mapping=NEXT,
            defaults=REJECT,
            pre_execute=when_chosen,
            **kwargs,
        )
        self.project = project
        self.judged = judged

    def execute(self, context: Context) -> Any:
        """Hold the project for as long as it may take, word the question, notify that it is asked, and wait."""
        final(require_inputs)(self.task_id, {"judged": self.judged})
        ctx = ProjectContext(self.project, context)
        if (given := _given(ctx, self.judged)) is not None:  # answered to a try that was killed right after
            return self.do_branch(context, _next(given))
        hours = _hours(context)
        ctx.lock.renew(training_seconds=hours * 3600 + MARGIN_SECONDS)
        question = self._question(ctx, hours)
        self.subject, self.body = question.subject, question.body
        self.response_timeout = timedelta(hours=hours)
        self._announce(ctx, context)
        return super().execute(context)

    def _question(self, ctx: ProjectContext, hours: float) -> Question:
        decision = Decisions(ctx.store, self.judged["version_name"]).record() or {}
        return ask(self.project, self.judged, decision, self._page(), hours)

    def _page(self) -> str:
        base = (conf.get("api", "base_url", fallback="") or "").rstrip("/")
        return f"{base}{PAGES}{decision_path(self.project, self.judged['version_name'])}"

    def _announce(self, ctx: ProjectContext, context: Context) -> None:
        facts = {"Metrics": self.judged["headline"], "Decision": self._page()}
        if conf.get("api", "base_url", fallback=""):
            facts["Answer"] = self.generate_link_to_ui_from_context(context=context)
        detail = f"{self.judged['reason']}; version {self.judged['version_name']} waits for a person's approval"
        announce(ctx, RunOutcome("approval_wanted", self.project, detail, ctx.run_name, facts))

    def execute_complete(self, context: Context, event: dict[str, Any]) -> Any:
        """Record the answer, then go on with what it says."""
        ctx = ProjectContext(self.project, context)
        ctx.lock.renew()
        if "error" not in event:
            user = event["responded_by_user"] or {}
            approval = Approval(
                approved=event["chosen_options"] == [APPROVE],
                by=user.get("name") or user.get("id"),
                at=(event["responded_at"] or datetime.now(UTC)).isoformat(timespec="seconds"),
                comment=str((event["params_input"] or {}).get("comment") or "").strip(),
                reason=self.judged["reason"],
                champion_arn=self.judged["champion_arn"],
                hours=_hours(context),
                run=ctx.run_name,
            )
            ctx.registry.update_version(self.judged["version_name"], {"approval": approval.to_record()})
            self.log.info("Version '%s' was %s.", self.judged["version_name"], approval.sentence)
        return super().execute_complete(context, event)


def _hours(context: Context) -> float:
    settings = context["ti"].xcom_pull(task_ids="load_settings")
    final(require_inputs)("approve_version", {"load_settings": settings})
    return float(settings["approval_timeout_hours"])
