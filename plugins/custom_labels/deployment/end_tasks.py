"""The last step of the train DAG: how the run ended, on the record and in words."""

from __future__ import annotations

import logging
from typing import Any, TypeVar

from botocore.exceptions import BotoCoreError, ClientError

from custom_labels.core.context import ProjectContext
from custom_labels.core.finish_tasks import finish_run
from custom_labels.core.outcome import Outcome, RunOutcome
from custom_labels.core.steps import step
from custom_labels.datasets.refusals_tasks import mention_refusals
from custom_labels.deployment.preconditions import require_live
from custom_labels.deployment.settings import TrainSettings
from custom_labels.errors import CustomLabelsError, NotDecided, NotPermitted
from custom_labels.evaluation.approval_records import read_approval
from custom_labels.evaluation.judgement import AfterEvaluation, AfterJudging, EvaluatedVersion, Judgement
from custom_labels.evaluation.learning_curve_records import write_learning_curve
from custom_labels.training.retraining import AttemptState, PreparedTraining, Retrain, RunDecision
from custom_labels.training.training_records import finish_training

log = logging.getLogger(__name__)

T = TypeVar("T")


@step
def finish(
    ctx: ProjectContext,
    settings: TrainSettings,
    decided: RunDecision,
    prepared: PreparedTraining | None,
    evaluated: EvaluatedVersion | None,
    judged: Judgement | None,
) -> RunOutcome:
    """Record how the run ended, draw the versions' metrics, and tell whoever wants to know.

    Each decision says which way this run went on; what lies on another way is of an earlier try of it.
    """
    if decided.outcome is not None:
        return finish_run(ctx, settings, decided.outcome, decided.detail)
    images = _there(prepared, "prepare_images")
    if images.choice is Retrain.NOTHING:
        return finish_run(ctx, settings, Outcome.NOTHING_TO_DO, images.reason)
    version = _there(evaluated, "evaluate")
    if version.choice is AfterEvaluation.NOTHING:
        return _trained(ctx, settings, version)
    return _judged(ctx, settings, version.digest, _there(judged, "judge_version"))


def _there(value: T | None, task_id: str) -> T:
    if value is None:
        raise NotDecided(
            f"Task 'finish' got nothing from '{task_id}', which was marked by hand or skipped. How the run ended was "
            f"not recorded. Clear '{task_id}' with the tasks downstream of it."
        )
    return value


def _trained(ctx: ProjectContext, settings: TrainSettings, version: EvaluatedVersion) -> RunOutcome:
    """Record a version that a backfill trained to be measured; a run that may deploy can go on with it."""
    name, measured = version.version_name, version.evaluation.sentence
    finish_training(ctx.store, version.digest, name, AttemptState.TRAINED, measured)
    _draw(ctx, settings)
    return finish_run(ctx, settings, Outcome.TRAINED, *mention_refusals(ctx, name, f"version {name}: {measured}", {}))


def _judged(ctx: ProjectContext, settings: TrainSettings, digest: str, judged: Judgement) -> RunOutcome:
    """Record a version that serves, or was refused by a gate or a person: the same images are not tried again."""
    name = judged.candidate.version_name
    live = ctx.registry.live()
    facts: dict[str, Any] = {"Metrics": judged.headline}
    if judged.choice is AfterJudging.NOTHING:
        state, outcome, why, detail = AttemptState.GATE_FAILED, Outcome.GATE_FAILED, judged.reason, judged.reason
        facts = {"Version": name, **facts, "Still serving": live.version_name if live else "no version"}
    elif (sentence := _rejection(ctx, judged)) is not None:
        state, outcome, why, detail = AttemptState.REJECTED, Outcome.REJECTED, sentence, f"version {name}: {sentence}"
        facts["Still serving"] = live.version_name if live else "no version"
    else:
        require_live(live, name)
        state, outcome, why = AttemptState.DEPLOYED, Outcome.DEPLOYED, judged.reason
        detail = f"{judged.reason}; version {name}"
        facts["Replaced"] = live.previous_version_name if live and live.previous_version_name else "no version"
    finish_training(ctx.store, digest, name, state, why)
    _draw(ctx, settings)
    return finish_run(ctx, settings, outcome, *mention_refusals(ctx, name, detail, facts))


def _draw(ctx: ProjectContext, settings: TrainSettings) -> None:
    """Draw the metric of all versions; where that cannot be written the run ends as it does all the same."""
    try:
        write_learning_curve(ctx.registry, ctx.project.name, settings.headline_metric)
    except (CustomLabelsError, ClientError, BotoCoreError):
        if not ctx.run.is_last_try:
            raise
        log.exception("The versions of project '%s' could not be drawn.", ctx.project.name)


def _rejection(ctx: ProjectContext, judged: Judgement) -> str | None:
    """Give the words of a person who rejected the version, or that no answer came in time; ``None`` otherwise."""
    if judged.choice is AfterJudging.DEPLOY:
        return None
    approval = read_approval(ctx.registry, judged.candidate, judged.reason)
    if approval is None:
        raise NotPermitted(
            f"How the run about version '{judged.candidate.version_name}' ended was not recorded: a person was to be "
            f"asked, and 'registry/versions/{judged.candidate.version_name}.json' holds no answer. Its training stays "
            "open. Clear task 'judge_version' with the tasks downstream of it."
        )
    return None if approval.approved else approval.sentence
