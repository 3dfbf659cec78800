"""The step that records what a finished training gave, and puts the live version beside it."""

from __future__ import annotations

import json
import logging
from dataclasses import replace
from typing import Any

from custom_labels.core.context import ProjectContext
from custom_labels.core.metrics import Gauge, send_gauges
from custom_labels.core.steps import decision
from custom_labels.datasets.refusals_tasks import note_refusals
from custom_labels.errors import ModelError
from custom_labels.evaluation.comparison_tasks import compare_with_champion
from custom_labels.evaluation.evaluation import Evaluation, answers_uri, parse_summary
from custom_labels.evaluation.judged_record import JudgedRecord
from custom_labels.evaluation.judgement import AfterEvaluation, EvaluatedVersion
from custom_labels.training.retraining import TrainingAttempt
from custom_labels.training.settings import TrainingSettings
from custom_labels.training.training_records import change_trainings

log = logging.getLogger(__name__)


@decision
def evaluate(ctx: ProjectContext, settings: TrainingSettings, attempt: TrainingAttempt) -> EvaluatedVersion:
    """Read what Custom Labels measured and which images it refused, record both, and compare with the live version.

    A version that a backfill only wants to measure is not judged; nor is one that was trained on older images than the
    version that serves: the intervals of a backfill come in no fixed order.
    """
    name = attempt.version_name
    described = ctx.rekognition.describe_version(attempt.project_arn, name)
    evaluation, seconds = _read_evaluation(ctx, described.raw), described.raw.get("BillableTrainingTimeInSeconds")
    trainings = change_trainings(ctx.store, lambda trainings: trainings.count_as_trained(attempt))
    refused = note_refusals(ctx, attempt.digest, described.raw)
    ctx.registry.change_version(
        name,
        JudgedRecord,
        lambda record: replace(
            record,
            version_arn=described.arn,
            status="TRAINING_COMPLETED",
            billable_training_seconds=seconds,
            evaluation=evaluation,
            answers=answers_uri(described.raw),
            refused_images=refused,
        ),
    )
    send_gauges(
        ctx,
        {
            Gauge.TRAINED_F1: evaluation.f1,
            Gauge.TRAINED_PRECISION: evaluation.precision,
            Gauge.TRAINED_RECALL: evaluation.recall,
            Gauge.TRAINED_SECONDS: seconds,
        },
    )
    ctx.describe_event(
        version=name,
        f1=evaluation.f1,
        precision=evaluation.precision,
        recall=evaluation.recall,
        digest=attempt.digest,
        training_images=evaluation.training_images,
        testing_images=evaluation.testing_images,
        training_seconds=seconds,
    )
    live = ctx.registry.live()
    evaluated = EvaluatedVersion(
        AfterEvaluation.NOTHING, attempt.project_arn, name, described.arn, attempt.digest, evaluation
    )
    if live is not None and trainings.is_outdated(attempt, live.digest):
        log.info("%s serves, which was trained on newer images.", live.version_name)
        return evaluated
    if not attempt.deploys:
        return evaluated
    judged = replace(evaluated, choice=AfterEvaluation.JUDGE)
    if live is not None and live.version_name == name:
        return judged
    scores = compare_with_champion(ctx, settings, live, described.raw, name, attempt.digest)
    return replace(judged, champion=live, champion_scores=scores)


def _read_evaluation(ctx: ProjectContext, described: Any) -> Evaluation:
    summary = described.get("EvaluationResult", {}).get("Summary", {}).get("S3Object")
    if summary is None:
        raise ModelError(
            f"Custom Labels gives no evaluation of {described.get('ProjectVersionArn', 'the version')}, which is "
            f"{described.get('Status', 'not there any more')}: it cannot be judged and does not serve. Inspect it in "
            "the console (link on task 'training_is_done'); trigger the DAG with 'force' to train these images again."
        )
    body = ctx.store.client.get_object(Bucket=summary["Bucket"], Key=summary["Name"])["Body"].read()
    return parse_summary(json.loads(body))
