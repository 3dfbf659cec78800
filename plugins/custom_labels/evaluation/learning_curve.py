"""How good a project's versions are against the images they were trained on, and against time; and the picture of it.

The picture is two panels of SVG, the same bytes for the same curve. A plotting library would be the
largest package of the project: the template draws, and here are only scales and ticks.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import starmap
from typing import Any

from custom_labels.core.gate import NAMES, Metric, Metrics
from custom_labels.evaluation.judged_record import JudgedRecord
from custom_labels.evaluation.templates import render

MOST_POINTS = 1000
"""Versions drawn at most; of more, every n-th and the newest."""
WIDTH, HEIGHT = 440, 310
"""Of a panel, in pixels."""
_TICKS = 5


@dataclass(frozen=True)
class CurvePoint(Metrics):
    """One version that was evaluated, with its metrics over all labels.

    :param as_of: up to when its images were seen.
    :param training_images: images trained on; ``testing_images`` measured it.
    :param deployed: whether it serves or ever served.
    """

    version_name: str
    as_of: datetime
    digest: str
    training_images: int
    testing_images: int
    deployed: bool


@dataclass(frozen=True)
class LearningCurve:
    """All versions of a project that were evaluated, from the oldest images to the newest.

    :param metric: the one that the picture shows.
    """

    project: str
    metric: Metric
    versions: tuple[CurvePoint, ...]


def learning_curve(project: str, metric: Metric, records: Iterable[tuple[str, JudgedRecord]]) -> LearningCurve:
    """Make the curve of the registry's version records; those of versions that were never evaluated are passed over.

    :param records: each name with its record; only what the curve needs of one is kept.
    """
    points = [point for point in starmap(_point, records) if point]
    return LearningCurve(project, metric, tuple(sorted(points, key=lambda each: (each.as_of, each.version_name))))


def _point(version_name: str, record: JudgedRecord) -> CurvePoint | None:
    measured = record.evaluation
    if measured is None or not record.as_of:
        return None
    return CurvePoint(
        f1=measured.f1,
        precision=measured.precision,
        recall=measured.recall,
        version_name=version_name,
        as_of=datetime.fromisoformat(record.as_of),
        digest=record.digest or "",
        training_images=measured.training_images,
        testing_images=measured.testing_images,
        deployed=bool(record.serves_since),
    )


# -- the picture -----------------------------------------------------------------------------------


def to_svg(curve: LearningCurve) -> str:
    """Draw the metric against the number of training images, and against the date of the images."""
    step = math.ceil(len(curve.versions) / MOST_POINTS) or 1
    points, metric = curve.versions[::-1][::step], curve.metric
    by_images = ("images trained on", lambda p: float(p.training_images), 1.0, lambda x: f"{x:,.0f}")
    by_date = ("date of the newest images (UTC)", lambda p: p.as_of.timestamp(), 86_400.0, _date)
    return render(
        "learning_curve.svg.j2",
        title=f"{curve.project}: {NAMES[metric]} of {len(curve.versions)} versions",
        width=WIDTH,
        height=HEIGHT,
        panels=[_panel(points, metric, *axis) for axis in (by_images, by_date)] if points else [],
    )


def _panel(
    points: Sequence[CurvePoint],
    metric: Metric,
    title: str,
    place: Callable[[CurvePoint], float],
    unit: float,
    word: Callable[[float], str],
) -> dict[str, Any]:
    """Give one panel: its title, the ticks of both axes, and the points in the order of their places."""
    places, values = [place(point) for point in points], [point.value(metric) for point in points]
    across, to_x = _axis(min(places), max(places), unit, (0, WIDTH))
    up, to_y = _axis(max(0.0, min(values) - 0.02), min(1.0, max(values) + 0.02), 0.01, (HEIGHT, 0))
    drawn = sorted(zip(places, values, points, strict=True), key=lambda each: (each[0], each[2].as_of))
    return {
        "title": title,
        "across": [(to_x(tick), word(tick)) for tick in across],
        "up": [(to_y(tick), f"{tick:.2f}") for tick in up],
        "points": [(to_x(each), to_y(value), point) for each, value, point in drawn],
    }


def _axis(
    low: float, high: float, unit: float, pixels: tuple[int, int]
) -> tuple[list[float], Callable[[float], float]]:
    """Give about five ticks, a round number of units apart, which hold all values, and the scale to pixels."""
    steps = (unit * factor * 10**power for power in itertools.count() for factor in (1, 2, 5))
    step = next(step for step in steps if step * _TICKS >= (high - low) * (1 - 1e-9))
    first = math.floor(low / step)
    ticks = [number * step for number in range(first, max(math.ceil(high / step), first + 1) + 1)]
    begin, end = pixels
    return ticks, lambda value: round(begin + (value - ticks[0]) / (ticks[-1] - ticks[0]) * (end - begin), 1)


def _date(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d")
