"""How good a trained version is: Custom Labels' evaluation summary and manifest summary as values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from custom_labels.core.gate import Metrics, Scores


@dataclass(frozen=True)
class LabelMetrics:
    """One label's metrics on the test dataset, all from 0 to 1.

    :param threshold: the assumed threshold, above which DetectCustomLabels reports the label by default.
    :param test_images: number of test images that carry the label.
    """

    label: str
    f1: float
    precision: float
    recall: float
    threshold: float
    test_images: int


@dataclass(frozen=True)
class Evaluation:
    """What Custom Labels measured on the test dataset.

    :param f1: overall F1 score, 0 to 1; likewise ``precision`` and ``recall``.
    :param training_images: number of images trained on.
    :param testing_images: number of images measured on.
    :param labels: metrics a label, sorted by label.
    """

    f1: float
    precision: float
    recall: float
    training_images: int
    testing_images: int
    labels: tuple[LabelMetrics, ...]

    @property
    def sentence(self) -> str:
        """The measure in words."""
        return f"F1 {self.f1:.3f}, trained on {self.training_images} and measured on {self.testing_images} images"

    @property
    def scores(self) -> Scores:
        """Give what gates judge; a label that no test image shows has none."""
        labels = {each.label: Metrics(each.f1, each.precision, each.recall) for each in self.labels if each.test_images}
        return Scores(Metrics(self.f1, self.precision, self.recall), labels)


def answers_uri(described: Mapping[str, Any]) -> str | None:
    """Give the URI of the evaluation snapshot, which has a version's answers to its own test images.

    :param described: the version as DescribeProjectVersions gives it.
    :return: ``None`` where Custom Labels names none.
    """
    assets = described.get("TestingDataResult", {}).get("Output", {}).get("Assets", [])
    places = [asset["GroundTruthManifest"]["S3Object"] for asset in assets if "GroundTruthManifest" in asset]
    return f"s3://{places[0]['Bucket']}/{places[0]['Name']}" if places else None


def parse_summary(summary: Mapping[str, Any]) -> Evaluation:
    """Read an evaluation summary file.

    The developer guide shows the aggregated metrics in two shapes, flat and below ``Metrics``; both are accepted.

    :param summary: the JSON of the file that ``EvaluationResult.Summary`` names.
    """
    aggregated = summary["AggregatedEvaluationResults"]
    metrics = aggregated.get("Metrics", aggregated)
    details = summary.get("EvaluationDetails", {})
    return Evaluation(
        f1=float(metrics["F1Score"]),
        precision=float(metrics.get("Precision", 0.0)),
        recall=float(metrics.get("Recall", 0.0)),
        training_images=int(details.get("NumberOfTrainingImages", 0)),
        testing_images=int(details.get("NumberOfTestingImages", 0)),
        labels=tuple(sorted(map(_label, summary.get("LabelEvaluationResults", [])), key=lambda m: m.label)),
    )


def _label(result: Mapping[str, Any]) -> LabelMetrics:
    metrics = result["Metrics"]
    return LabelMetrics(
        label=str(result["Label"]),
        f1=float(metrics["F1Score"]),
        precision=float(metrics["Precision"]),
        recall=float(metrics["Recall"]),
        threshold=float(metrics["Threshold"]),
        test_images=int(result.get("NumberOfTestingImages", 0)),
    )
