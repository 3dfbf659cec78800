"""The steps that judge a trained version: what Custom Labels measured, the gates, and the record of the decision."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator

from custom_labels.aws.inputs import require_inputs
from custom_labels.aws.links import DecisionLink
from custom_labels.core.codec import from_json
from custom_labels.core.context import ProjectContext, branch, final
from custom_labels.core.gate import Metric, Scores, gates_of
from custom_labels.core.gate import judge as judge_by_gates
from custom_labels.core.keys import manifest_key
from custom_labels.datasets.split import Subset
from custom_labels.evaluation.comparison import SameImages
from custom_labels.evaluation.decision_page import decision_page, flips_to_show
from custom_labels.evaluation.decision_record import Judged, decision_record, same_decision
from custom_labels.evaluation.decision_records import Decisions
from custom_labels.evaluation.evaluation import Evaluation
from custom_labels.evaluation.thumbnail_records import thumbnails

if TYPE_CHECKING:
    from airflow.sdk import Context

log = logging.getLogger(__name__)


class JudgeVersionOperator(BaseOperator):
    """Judge a trained version by every gate, and record the decision before anything else is done with the version.

    XCom: the candidate for the deployment - ``version_name``, ``version_arn``, ``project_arn``, ``digest``, ``f1`` and
    ``labels`` - with ``passed``, ``reason``, ``headline`` and ``champion_arn``, the version it was compared with.

    :param project: name of the project (templated, as all others).
    :param settings: what ``load_settings`` returned.
    :param attempt: the training attempt.
    :param evaluated: what ``evaluate`` returned.
    :param compared: what ``compare_with_champion`` returned.
    """

    template_fields: Sequence[str] = ("project", "settings", "attempt", "evaluated", "compared")
    operator_extra_links = (DecisionLink(),)
    ui_color = "#e7f0fa"

    def __init__(
        self,
        *,
        project: str,
        settings: dict[str, Any],
        attempt: dict[str, Any],
        evaluated: dict[str, Any],
        compared: dict[str, Any],
        **kwargs: Any,
    ) -> None:
        super().__init__(multiple_outputs=True, **kwargs)
        self.project = project
        self.settings = settings
        self.attempt = attempt
        self.evaluated = evaluated
        self.compared = compared

    @final
    def execute(self, context: Context) -> dict[str, Any]:
        """Judge, record, and hand on."""
        require_inputs(self.task_id, {name: getattr(self, name) for name in self.template_fields})
        ctx = ProjectContext(self.project, context)
        ctx.lock.renew()
        decisions = Decisions(ctx.store, self.attempt["version_name"])
        record = self._decided_before(ctx, decisions) or self._decide(ctx, decisions)
        log.info("%s: %s", record["headline"], record["reason"])
        short = {name: record[name] for name in ("passed", "reason", "headline", "gates")}
        ctx.registry.update_version(
            self.attempt["version_name"], {"gate": {**short, "decision": ctx.store.uri(decisions.record_key)}}
        )
        evaluation = from_json(Evaluation, self.evaluated["evaluation"])
        # Of the record: where the version serves already, that says what it replaced, and no comparison does.
        champion = record["champion"]
        return {
            "version_name": self.attempt["version_name"],
            "version_arn": self.evaluated["version_arn"],
            "project_arn": self.attempt["project_arn"],
            "digest": self.attempt["digest"],
            "f1": evaluation.f1,
            "labels": [metrics.label for metrics in evaluation.labels],
            "passed": record["passed"],
            "reason": record["reason"],
            "headline": record["headline"],
            "champion_arn": champion["version_arn"] if champion else None,
        }

    def _decided_before(self, ctx: ProjectContext, decisions: Decisions) -> dict[str, Any] | None:
        """Give the decision on a version that serves already: a run before this one died after the swap."""
        live = ctx.registry.live()
        return decisions.record() if live and live.version_arn == self.evaluated["version_arn"] else None

    def _decide(self, ctx: ProjectContext, decisions: Decisions) -> dict[str, Any]:
        settings = self.settings
        judged = self._judged(ctx, decisions)
        metric = Metric(settings["headline_metric"])
        record = decision_record(
            judged,
            judge_by_gates(gates_of(settings), judged.comparison, headline=metric),
            project=self.project,
            headline_metric=metric,
            run=ctx.run_name,
            judged_at=datetime.now(UTC).isoformat(timespec="seconds"),
        )
        present = decisions.record()
        if present is not None and same_decision(present, record):
            return present
        pictures = thumbnails(ctx.store, (flip["image"] for flip in flips_to_show(record)))
        decisions.save(record, decision_page(record, pictures))
        return record

    def _judged(self, ctx: ProjectContext, decisions: Decisions) -> Judged:
        """Gather what the decision rests on."""
        found = decisions.comparison()
        champion = self.compared["champion"]
        scores = self.compared["champion_scores"]
        digest = self.attempt["digest"]
        manifest = manifest_key(digest, Subset.TEST.value)
        return Judged(
            version={
                "version_name": self.attempt["version_name"],
                "version_arn": self.evaluated["version_arn"],
                "digest": digest,
            },
            champion={name: champion[name] for name in ("version_name", "version_arn")} if champion else None,
            evaluation=from_json(Evaluation, self.evaluated["evaluation"]).scores,
            champion_evaluation=from_json(Scores, scores) if scores else None,
            own=found.get("own"),
            same_images=from_json(SameImages, found["same_images"]) if found.get("same_images") else None,
            why_not=found.get("why_not"),
            test_manifest={"uri": ctx.store.uri(manifest), "sha256": ctx.store.uploaded_sha256(manifest)},
        )


@branch
def is_version_good_enough(judged: dict[str, Any]) -> str:
    """Deploy the version if every gate holds."""
    return "is_approval_needed" if judged["passed"] else "gate_failed"
