"""The step that judges a trained version: the gates, the record of the decision, and whether a person is asked."""

from __future__ import annotations

import functools
import logging
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from custom_labels.core.codec import from_json
from custom_labels.core.context import ProjectContext
from custom_labels.core.gate import GateResult
from custom_labels.core.keys import manifest_key
from custom_labels.core.live_version import Candidate
from custom_labels.core.step_operators import DecisionOperator
from custom_labels.core.steps import Step
from custom_labels.datasets.split import Subset
from custom_labels.evaluation.approval_records import read_approval
from custom_labels.evaluation.decision_page import decision_page, flips_to_show
from custom_labels.evaluation.decision_record import decision_record, same_decision
from custom_labels.evaluation.decision_records import Decisions
from custom_labels.evaluation.judged_record import GateVerdict, JudgedRecord
from custom_labels.evaluation.judgement import AfterJudging, EvaluatedVersion, Judgement
from custom_labels.evaluation.links import DecisionLink
from custom_labels.evaluation.settings import JudgeSettings
from custom_labels.evaluation.thumbnail_records import thumbnails

log = logging.getLogger(__name__)


class JudgeOperator(DecisionOperator):
    """Judge a version; with a link to the page that shows why it was put into service or refused."""

    operator_extra_links = (DecisionLink(),)


@functools.partial(Step, operator=JudgeOperator)
def judge_version(ctx: ProjectContext, settings: JudgeSettings, evaluated: EvaluatedVersion) -> Judgement:
    """Judge a trained version by every gate, and record the decision before anything else is done with the version."""
    ctx.lock.hold()
    decisions = Decisions(ctx.store, evaluated.version_name)
    record = _decided_before(ctx, decisions, evaluated) or _decide(ctx, settings, decisions, evaluated)
    log.info("%s: %s", record["headline"], record["reason"])
    # Of the record: where the version serves already, that says what it replaced, and no comparison does.
    champion = record["champion"]
    gate = GateVerdict(
        version_arn=record["version_arn"],
        champion_arn=champion["version_arn"] if champion else None,
        passed=record["passed"],
        reason=record["reason"],
        headline=record["headline"],
        gates=from_json(tuple[GateResult, ...], record["gates"]),
        decision=ctx.store.uri(decisions.record_key),
    )
    ctx.registry.change_version(evaluated.version_name, JudgedRecord, lambda known: replace(known, gate=gate))
    candidate = Candidate(
        project_arn=evaluated.project_arn,
        version_name=evaluated.version_name,
        version_arn=evaluated.version_arn,
        digest=evaluated.digest,
        f1=evaluated.evaluation.f1,
        labels=tuple(metrics.label for metrics in evaluated.evaluation.labels),
        champion_arn=gate.champion_arn,
    )
    ctx.describe_event(version=candidate.version_name, digest=candidate.digest, passed=record["passed"])
    after = _after(ctx, settings, record, candidate)
    return Judgement(after, candidate, record["passed"], record["reason"], record["headline"])


def _after(ctx: ProjectContext, settings: JudgeSettings, record: dict[str, Any], candidate: Candidate) -> AfterJudging:
    """Ask a person, unless none has to be asked or one has answered an earlier run."""
    if not record["passed"]:
        return AfterJudging.NOTHING
    if not settings.require_approval:
        return AfterJudging.DEPLOY
    given = read_approval(ctx.registry, candidate, record["reason"])
    if given is None:
        return AfterJudging.ASK
    return AfterJudging.DEPLOY if given.approved else AfterJudging.REJECTED


def _decided_before(ctx: ProjectContext, decisions: Decisions, evaluated: EvaluatedVersion) -> dict[str, Any] | None:
    """Give the decision on a version that serves already: a run before this one died after the swap."""
    live = ctx.registry.live()
    return decisions.record() if live and live.version_arn == evaluated.version_arn else None


def _decide(
    ctx: ProjectContext, settings: JudgeSettings, decisions: Decisions, evaluated: EvaluatedVersion
) -> dict[str, Any]:
    manifest = manifest_key(evaluated.digest, Subset.TEST.value)
    record = decision_record(
        evaluated,
        decisions.comparison(),
        settings.all_gates(),
        settings.headline_metric,
        project=ctx.project.name,
        task=ctx.project.task,
        run=ctx.run_name,
        judged_at=datetime.now(UTC).isoformat(timespec="seconds"),
        test_manifest={"uri": ctx.store.uri(manifest), "sha256": ctx.store.uploaded_sha256(manifest)},
    )
    present = decisions.record()
    if present is not None and same_decision(present, record):
        return present
    pictures = thumbnails(ctx.store, (flip["image"] for flip in flips_to_show(record)))
    decisions.save(record, decision_page(record, pictures))
    return record
