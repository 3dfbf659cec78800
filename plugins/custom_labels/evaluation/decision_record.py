"""The record of a decision about a version: everything that it rests on, as JSON types."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from custom_labels.core.codec import to_json
from custom_labels.core.gate import Comparison, Gate, Metric, judge
from custom_labels.core.project_task import ProjectTask
from custom_labels.evaluation.comparison import Compared, headline_words
from custom_labels.evaluation.judgement import EvaluatedVersion


def judged_by(evaluated: EvaluatedVersion, compared: Compared) -> Comparison:
    """Give what the gates judge: both versions on the same images, else each on its own."""
    own = evaluated.evaluation.scores
    if evaluated.champion is None:
        return Comparison(own)
    if compared.same_images is not None:
        return Comparison(own, compared.same_images.champion, compared.same_images.challenger)
    return Comparison(own, evaluated.champion_scores, champion_is_unknown=evaluated.champion_scores is None)


def decision_record(
    evaluated: EvaluatedVersion,
    compared: Compared,
    gates: tuple[Gate, ...],
    headline_metric: Metric,
    *,
    project: str,
    task: ProjectTask,
    run: str,
    judged_at: str,
    test_manifest: Mapping[str, Any],
) -> dict[str, Any]:
    """Judge a version by every gate, and put the record together.

    :param headline_metric: the one by which the project compares versions.
    :param task: the project's, which says whether images or objects are counted.
    :param run: who decided, as ``dag_id/run_id``; ``judged_at`` is when, ISO 8601 in UTC.
    :param test_manifest: ``uri`` of the manifest of the test set, and its ``sha256``.
    """
    comparison, champion, same = judged_by(evaluated, compared), evaluated.champion, compared.same_images
    decision = judge(gates, comparison, headline=headline_metric)
    return {
        "project": project,
        "task": task.value,
        "version_name": evaluated.version_name,
        "version_arn": evaluated.version_arn,
        "digest": evaluated.digest,
        "champion": {"version_name": champion.version_name, "version_arn": champion.version_arn} if champion else None,
        "run": run,
        "judged_at": judged_at,
        "headline_metric": headline_metric.value,
        "headline": headline_words(headline_metric, comparison, same.images if same else 0),
        "passed": decision.passed,
        "reason": decision.reason,
        "gates": [to_json(result) for result in decision.results],
        "evaluation": to_json({"challenger": comparison.evaluated, "champion": evaluated.champion_scores}),
        "test_manifest": test_manifest,
        "own": to_json(compared)["own"],
        "same_images": to_json(compared)["same_images"],
        "why_not_same_images": compared.why_not,
    }


def same_decision(record: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Say whether two records hold the same but for the moment that they were made."""
    return {**record, "judged_at": None} == {**other, "judged_at": None}
