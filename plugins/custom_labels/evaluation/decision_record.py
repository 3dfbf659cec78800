"""The record of a decision about a version: everything that it rests on, as JSON types."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from custom_labels.core.codec import to_json
from custom_labels.core.gate import Comparison, GateDecision, Metric, Scores
from custom_labels.evaluation.comparison import SameImages, headline_words


@dataclass(frozen=True)
class Judged:
    """A version and what it is judged on.

    :param version: its ``version_name``, ``version_arn`` and ``digest``, that of the snapshot it was trained on.
    :param champion: the ``version_name`` and ``version_arn`` of the version that serves, ``None`` where none does.
    :param evaluation: the version's scores by Custom Labels' evaluation; ``champion_evaluation`` is the champion's.
    :param own: how many test images the version was evaluated on, and its confusion matrix on all of them.
    :param same_images: both versions on the same images, where that could be had.
    :param why_not: why it could not.
    :param test_manifest: ``uri`` of the manifest of the test set, and its ``sha256``.
    """

    version: Mapping[str, str]
    champion: Mapping[str, str] | None
    evaluation: Scores
    champion_evaluation: Scores | None
    own: Mapping[str, Any] | None
    same_images: SameImages | None
    why_not: str | None
    test_manifest: Mapping[str, Any]

    @property
    def comparison(self) -> Comparison:
        """Give what the gates judge: both versions on the same images, else each on its own."""
        if self.champion is None:
            return Comparison(self.evaluation)
        if self.same_images is not None:
            return Comparison(self.evaluation, self.same_images.champion, self.same_images.challenger)
        unknown = self.champion_evaluation is None
        return Comparison(self.evaluation, self.champion_evaluation, champion_is_unknown=unknown)

    def headline(self, metric: Metric) -> str:
        """Word the values of the metric by which the project compares versions."""
        return headline_words(metric, self.comparison, self.same_images.images if self.same_images else 0)


def decision_record(
    judged: Judged, decision: GateDecision, *, project: str, headline_metric: Metric, run: str, judged_at: str
) -> dict[str, Any]:
    """Put the record together.

    :param run: who decided, as ``dag_id/run_id``; ``judged_at`` is when, ISO 8601 in UTC.
    """
    return {
        "project": project,
        **judged.version,
        "champion": judged.champion,
        "run": run,
        "judged_at": judged_at,
        "headline_metric": headline_metric.value,
        "headline": judged.headline(headline_metric),
        "passed": decision.passed,
        "reason": decision.reason,
        "gates": [to_json(result) for result in decision.results],
        "evaluation": to_json({"challenger": judged.evaluation, "champion": judged.champion_evaluation}),
        "test_manifest": judged.test_manifest,
        "own": judged.own,
        "same_images": to_json(judged.same_images) if judged.same_images else None,
        "why_not_same_images": judged.why_not,
    }


def same_decision(record: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Say whether two records hold the same but for the moment that they were made."""
    return {**record, "judged_at": None} == {**other, "judged_at": None}
