"""How good a project's versions are against the images they were trained on, and against time."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime
from itertools import starmap
from typing import Any

from custom_labels.core.gate import Metric
from custom_labels.evaluation.judged_record import JudgedRecord


@dataclass(frozen=True)
class CurvePoint:
    """One version that was evaluated.

    :param as_of: up to when its images were seen, ISO 8601.
    :param training_images: images trained on; ``test_images`` measured it.
    :param f1: over all labels, 0 to 1; likewise ``precision`` and ``recall``.
    :param deployed: whether it serves or ever served.
    """

    version_name: str
    as_of: str
    digest: str
    training_images: int
    test_images: int
    f1: float
    precision: float
    recall: float
    deployed: bool

    @property
    def moment(self) -> datetime:
        """Up to when its images were seen."""
        return datetime.fromisoformat(self.as_of)

    def value(self, metric: Metric) -> float:
        """Give one of the three metrics."""
        return float(getattr(self, metric.value))


@dataclass(frozen=True)
class LearningCurve:
    """All versions of a project that were evaluated, from the oldest images to the newest.

    :param metric: the one that the picture shows.
    """

    project: str
    metric: Metric
    points: tuple[CurvePoint, ...]

    def to_record(self) -> dict[str, Any]:
        """Give it as JSON types; the same versions give the same JSON."""
        return {
            "project": self.project,
            "metric": self.metric.value,
            "versions": [asdict(point) for point in self.points],
        }


def learning_curve(project: str, metric: Metric, records: Iterable[tuple[str, JudgedRecord]]) -> LearningCurve:
    """Make the curve of the registry's version records; those of versions that were never evaluated are passed over.

    :param records: each name with its record; only what the curve needs of one is kept.
    """
    points = [point for point in starmap(_point, records) if point]
    return LearningCurve(project, metric, tuple(sorted(points, key=lambda each: (each.moment, each.version_name))))


def _point(version_name: str, record: JudgedRecord) -> CurvePoint | None:
    if record.evaluation is None or not record.as_of:
        return None
    return CurvePoint(
        version_name=version_name,
        as_of=record.as_of,
        digest=record.digest or "",
        training_images=record.evaluation.training_images,
        test_images=record.evaluation.testing_images,
        f1=record.evaluation.f1,
        precision=record.evaluation.precision,
        recall=record.evaluation.recall,
        deployed=bool(record.serves_since),
    )
