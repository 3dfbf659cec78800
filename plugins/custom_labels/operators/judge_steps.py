"""The steps that judge a trained version: what Custom Labels measured, the gates, and the record of the decision."""

from __future__ import annotations

import json
import logging
from typing import Any

from custom_labels.domain.errors import ModelError
from custom_labels.domain.evaluation import Evaluation, parse_summary
from custom_labels.domain.gate import Comparison, Gate, Metric, all_gates
from custom_labels.domain.gate import judge as judge_by_gates
from custom_labels.operators.project import ProjectContext, branch, step, values

log = logging.getLogger(__name__)


@step
def evaluate(project: str, attempt: dict[str, Any]) -> dict[str, Any]:
    """Read what Custom Labels measured on the test dataset, and record it."""
    place = ProjectContext(project)
    place.lock.renew()
    described = place.rekognition.describe_version(attempt["project_arn"], attempt["version_name"])
    evaluation = _read_evaluation(place, described.raw)
    place.registry.record_trained(attempt["digest"], attempt["version_name"])
    place.registry.update_version(
        attempt["version_name"],
        {
            "version_arn": described.arn,
            "status": "TRAINING_COMPLETED",
            "billable_training_seconds": described.raw.get("BillableTrainingTimeInSeconds"),
            "evaluation": evaluation.to_json(),
        },
    )
    return {"version_arn": described.arn, "evaluation": evaluation.to_json()}


def _read_evaluation(place: ProjectContext, described: Any) -> Evaluation:
    summary = described.get("EvaluationResult", {}).get("Summary", {}).get("S3Object")
    if summary is None:
        raise ModelError(
            f"Custom Labels gives no evaluation of {described.get('ProjectVersionArn', 'the version')}, which is "
            f"{described.get('Status', 'not there any more')}: it cannot be judged and does not serve. Look at it in "
            "the console (link on task 'train'); trigger the DAG with 'force' to train these images again."
        )
    body = place.store.client.get_object(Bucket=summary["Bucket"], Key=summary["Name"])["Body"].read()
    return parse_summary(json.loads(body))


@values
def judge(project: str, settings: dict[str, Any], attempt: dict[str, Any], evaluated: dict[str, Any]) -> dict[str, Any]:
    """Judge the version by every gate and record the decision.

    The result is the candidate for the deployment: ``version_name``, ``version_arn``, ``project_arn``, ``digest``,
    ``f1`` and ``labels``, with ``passed``, ``reason`` and ``champion_arn``, the version it was compared with.
    """
    place = ProjectContext(project)
    place.lock.renew()
    champion = place.registry.live()
    evaluation = Evaluation.from_json(evaluated["evaluation"])
    gates = all_gates(settings["minimum_f1_score"], [Gate.from_json(gate) for gate in settings["gates"]])
    comparison = Comparison(evaluation.scores)
    decision = judge_by_gates(gates, comparison, headline=Metric(settings["headline_metric"]))
    log.info("%s", decision.reason)
    place.registry.update_version(attempt["version_name"], {"gate": decision.to_json()})
    return {
        "version_name": attempt["version_name"],
        "version_arn": evaluated["version_arn"],
        "project_arn": attempt["project_arn"],
        "digest": attempt["digest"],
        "f1": evaluation.f1,
        "labels": [metrics.label for metrics in evaluation.labels],
        "passed": decision.passed,
        "reason": decision.reason,
        "champion_arn": champion.version_arn if champion else None,
    }


@branch
def is_version_good_enough(judged: dict[str, Any]) -> str:
    """Deploy the version if every gate holds."""
    return "acquire_deployment_lock" if judged["passed"] else "gate_failed"
