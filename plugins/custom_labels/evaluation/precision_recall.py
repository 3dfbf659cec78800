"""Precision against recall of each label, as the page of a decision draws it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from custom_labels.core.codec import from_json
from custom_labels.evaluation.answers import PrecisionRecall

SIDE = 150
"""Of a panel, in pixels."""
MOST_PANELS = 24
"""Labels whose curves are drawn; of more, those of which the challenger misses most."""

Curves = Mapping[str, Sequence[PrecisionRecall]]


@dataclass(frozen=True)
class Line:
    """The curve of one version.

    :param path: of an SVG, from the surest predictions to the last that reaches the assumed threshold, at ``end``.
    :param words: what it says, for people who do not see it.
    """

    who: str
    path: str
    end: tuple[float, float]
    words: str


@dataclass(frozen=True)
class Panel:
    """The curves of one label."""

    label: str
    lines: tuple[Line, ...]


def panels(record: Mapping[str, Any]) -> list[Panel]:
    """Give the curves of a decision record: of both versions on the same images, else of the challenger alone."""
    same, own = record["same_images"], record["own"]
    if same:
        by_version = {who: _read(same[f"{who}_curves"]) for who in ("champion", "challenger")}
    else:
        by_version = {"challenger": _read(own["curves"])} if own else {}
    labels = sorted({label for curves in by_version.values() for label in curves})
    if len(labels) > MOST_PANELS:
        labels = sorted(sorted(labels, key=lambda label: _recall(by_version["challenger"], label))[:MOST_PANELS])
    return [Panel(label, tuple(_lines(by_version, label))) for label in labels]


def _read(curves: Any) -> Curves:
    return from_json(dict[str, tuple[PrecisionRecall, ...]], curves)


def _recall(curves: Curves, label: str) -> float:
    return max((point.recall for point in curves.get(label, ())), default=0.0)


def _lines(by_version: Mapping[str, Curves], label: str) -> Iterator[Line]:
    for who, curves in by_version.items():
        points = curves.get(label, ())
        if not points:
            yield Line(who, "", (0, 0), f"{who}: never predicted")
            continue
        last = points[-1]
        places = [(point.recall, point.precision) for point in points]
        # Of what is surer than the surest prediction nothing is known: its precision is taken to hold.
        drawn = [_pixels(0, places[0][1]), *(_pixels(*place) for place in places)]
        path = "M" + "L".join(f"{x} {y}" for x, y in drawn)
        words = f"{who}: precision {last.precision:.3f} at recall {last.recall:.3f}"
        yield Line(who, path, drawn[-1], words)


def _pixels(recall: float, precision: float) -> tuple[float, float]:
    return round(recall * SIDE, 1), round((1 - precision) * SIDE, 1)
