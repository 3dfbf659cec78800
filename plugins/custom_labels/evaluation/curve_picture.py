"""The learning curve as a picture: two panels of SVG, the same bytes for the same curve."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape

from custom_labels.core.gate import NAMES
from custom_labels.evaluation.learning_curve import CurvePoint, LearningCurve

WIDTH, HEIGHT = 1080, 460
MOST_POINTS = 1000
"""Versions drawn at most; of more, every so manieth and the newest."""
_PANEL_WIDTH, _PANEL_HEIGHT, _TOP = 440, 310, 80
_LEFTS = (70, 600)
_TICKS = 5
_INK, _GRID, _LINE = "#1f2933", "#e1e5ea", "#2b6cb0"
_DAY = 86_400.0


@dataclass(frozen=True)
class _Axis:
    """A scale from values to pixels, with its ticks."""

    low: float
    high: float
    ticks: tuple[float, ...]
    pixels: tuple[float, float]

    def at(self, value: float) -> float:
        share = (value - self.low) / (self.high - self.low)
        return self.pixels[0] + share * (self.pixels[1] - self.pixels[0])


def to_svg(curve: LearningCurve) -> str:
    """Draw the metric against the number of training images, and against the date of the images."""
    points = _thin(curve.points)
    name = NAMES[curve.metric]
    values = [point.value(curve.metric) for point in points]
    title = escape(f"{curve.project}: {name} of {len(curve.points)} versions")
    size = f'viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}"'
    font = f'font-family="Helvetica, Arial, sans-serif" font-size="12" fill="{_INK}"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} {font} role="img" aria-label="{title}">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>',
        f'<text x="{_LEFTS[0]}" y="32" font-size="18" font-weight="bold">{title}</text>',
        *_legend(),
    ]
    if points:
        parts += _panel(
            _LEFTS[0],
            "images trained on",
            points,
            [float(p.training_images) for p in points],
            values,
            lambda x: f"{x:,.0f}",
        )
        parts += _panel(
            _LEFTS[1],
            "date of the newest images (UTC)",
            points,
            [p.moment.timestamp() for p in points],
            values,
            _date,
            smallest_step=_DAY,
        )
    else:
        parts.append(f'<text x="{_LEFTS[0]}" y="{_TOP + 40}">No version was evaluated yet.</text>')
    return "\n".join([*parts, "</svg>", ""])


def _thin(points: Sequence[CurvePoint]) -> Sequence[CurvePoint]:
    step = math.ceil(len(points) / MOST_POINTS) or 1
    return points[::-1][::step][::-1]


def _legend() -> list[str]:
    y = 56
    return [
        f'<circle cx="{_LEFTS[0] + 6}" cy="{y - 4}" r="5" fill="{_LINE}" stroke="{_LINE}" stroke-width="2"/>',
        f'<text x="{_LEFTS[0] + 18}" y="{y}">put into service</text>',
        f'<circle cx="{_LEFTS[0] + 136}" cy="{y - 4}" r="5" fill="#ffffff" stroke="{_LINE}" stroke-width="2"/>',
        f'<text x="{_LEFTS[0] + 148}" y="{y}">only trained, or refused</text>',
    ]


def _panel(
    left: int,
    title: str,
    points: Sequence[CurvePoint],
    places: Sequence[float],
    values: Sequence[float],
    word: Callable[[float], str],
    smallest_step: float = 1.0,
) -> list[str]:
    """Draw one panel: grid, axes, a line through the points in the order of their places, and the points."""
    bottom = _TOP + _PANEL_HEIGHT
    across = _axis(min(places), max(places), (left, left + _PANEL_WIDTH), smallest_step)
    up = _axis(max(0.0, min(values) - 0.02), min(1.0, max(values) + 0.02), (bottom, _TOP), 0.01)
    parts = []
    for tick in up.ticks:
        y = up.at(tick)
        parts.append(f'<path d="M{left} {y:.1f}H{left + _PANEL_WIDTH}" stroke="{_GRID}"/>')
        parts.append(f'<text x="{left - 8}" y="{y + 4:.1f}" text-anchor="end">{tick:.2f}</text>')
    for tick in across.ticks:
        x = across.at(tick)
        parts.append(f'<path d="M{x:.1f} {bottom}v5" stroke="{_INK}"/>')
        parts.append(f'<text x="{x:.1f}" y="{bottom + 20}" text-anchor="middle">{word(tick)}</text>')
    parts.append(f'<path d="M{left} {_TOP}V{bottom}H{left + _PANEL_WIDTH}" fill="none" stroke="{_INK}"/>')
    parts.append(f'<text x="{left + _PANEL_WIDTH / 2}" y="{bottom + 44}" text-anchor="middle">{title}</text>')
    drawn = sorted(zip(places, values, points, strict=True), key=lambda each: (each[0], each[2].as_of))
    line = " ".join(f"{across.at(x):.1f},{up.at(y):.1f}" for x, y, _ in drawn)
    parts.append(f'<polyline points="{line}" fill="none" stroke="{_LINE}" stroke-width="1.5" stroke-opacity="0.5"/>')
    for x, y, point in drawn:
        fill = _LINE if point.deployed else "#ffffff"
        parts.append(
            f'<circle cx="{across.at(x):.1f}" cy="{up.at(y):.1f}" r="5" fill="{fill}" stroke="{_LINE}" '
            f'stroke-width="2"><title>{escape(_words(point))}</title></circle>'
        )
    return parts


def _words(point: CurvePoint) -> str:
    return (
        f"{point.version_name}: F1 {point.f1:.3f}, precision {point.precision:.3f}, recall {point.recall:.3f}; trained "
        f"on {point.training_images}, measured on {point.test_images} images as of {point.as_of}"
    )


def _axis(low: float, high: float, pixels: tuple[float, float], smallest_step: float) -> _Axis:
    """Make an axis with about five round ticks, which holds all values."""
    step = max(smallest_step, _round_step((high - low) / _TICKS, smallest_step))
    first, last = math.floor(low / step), max(math.ceil(high / step), math.floor(low / step) + 1)
    ticks = tuple(number * step for number in range(first, last + 1))
    return _Axis(ticks[0], ticks[-1], ticks, pixels)


def _round_step(step: float, unit: float) -> float:
    """Round a step up to 1, 2 or 5 times a power of ten of the unit."""
    if step <= unit:
        return unit
    power = 10.0 ** math.floor(math.log10(step / unit))
    return next(unit * power * factor for factor in (1, 2, 5, 10) if unit * power * factor >= step * (1 - 1e-9))


def _date(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d")
