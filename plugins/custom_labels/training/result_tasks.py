"""The step that records what a finished training gave: its evaluation, and the images that it did not use."""

from __future__ import annotations

import json
from typing import Any

from custom_labels.core.codec import to_json
from custom_labels.core.context import ProjectContext, step
from custom_labels.datasets.refusals_tasks import note_refusals
from custom_labels.errors import ModelError
from custom_labels.evaluation.evaluation import Evaluation, parse_summary
from custom_labels.training.attempt_records import TrainingRecords


@step
def evaluate(project: str, attempt: dict[str, Any]) -> dict[str, Any]:
    """Read what Custom Labels measured on the test dataset, and which images it refused, and record both."""
    ctx = ProjectContext(project)
    ctx.lock.renew()
    described = ctx.rekognition.describe_version(attempt["project_arn"], attempt["version_name"])
    evaluation = _read_evaluation(ctx, described.raw)
    TrainingRecords(ctx.registry).record_trained(attempt["digest"], attempt["version_name"], deploys=attempt["deploys"])
    ctx.registry.update_version(
        attempt["version_name"],
        {
            "version_arn": described.arn,
            "status": "TRAINING_COMPLETED",
            "billable_training_seconds": described.raw.get("BillableTrainingTimeInSeconds"),
            "evaluation": to_json(evaluation),
        },
    )
    note_refusals(ctx, attempt, described.raw)
    return {"version_arn": described.arn, "evaluation": to_json(evaluation)}


def _read_evaluation(ctx: ProjectContext, described: Any) -> Evaluation:
    summary = described.get("EvaluationResult", {}).get("Summary", {}).get("S3Object")
    if summary is None:
        raise ModelError(
            f"Custom Labels gives no evaluation of {described.get('ProjectVersionArn', 'the version')}, which is "
            f"{described.get('Status', 'not there any more')}: it cannot be judged and does not serve. Look at it in "
            "the console (link on task 'train'); trigger the DAG with 'force' to train these images again."
        )
    body = ctx.store.client.get_object(Bucket=summary["Bucket"], Key=summary["Name"])["Body"].read()
    return parse_summary(json.loads(body))
