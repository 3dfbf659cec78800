"""The page that shows a decision to people: one file of HTML without scripts, which needs nothing from elsewhere."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from custom_labels.core.gate import NAMES, Metric
from custom_labels.evaluation.comparison import VerdictChange
from custom_labels.evaluation.templates import render

SHOWN_FLIPS = 60
"""Images that the page shows; the record holds all."""
WIDEST_MATRIX = 25
"""Labels up to which the confusion is a matrix; above, a list of the most frequent ones."""
LONGEST_LIST = 50
_SHADES = 5


@dataclass(frozen=True)
class Value:
    """A metric of both versions.

    :param difference: the challenger's less the champion's, ``None`` where one of them has none.
    """

    challenger: float | None
    champion: float | None

    @property
    def difference(self) -> float | None:
        """The challenger's less the champion's, rounded as it is shown."""
        if self.challenger is None or self.champion is None:
            return None
        return round(self.challenger, 3) - round(self.champion, 3)


@dataclass(frozen=True)
class Row:
    """The metrics of one label, or of all of them where there is none."""

    label: str | None
    values: tuple[Value, ...]


@dataclass(frozen=True)
class Shade:
    """A cell of a confusion matrix.

    :param depth: 0 for none of its label's images to 5 for all of them.
    :param right: whether it is on the diagonal.
    """

    images: int
    depth: int
    right: bool


@dataclass(frozen=True)
class Matrix:
    """A version's confusion matrix, or the most frequent confusions where there are too many labels.

    :param columns: labels that were predicted, ``None`` for nothing.
    :param rows: each label that images show, with its cells.
    :param confusions: triples of label, what was predicted, and images.
    """

    title: str
    images: int
    columns: tuple[str | None, ...]
    rows: tuple[tuple[str | None, tuple[Shade, ...]], ...]
    confusions: tuple[tuple[str | None, str | None, int], ...]


def flips_to_show(record: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Give the images of a decision record that its page shows, the worst first."""
    same = record["same_images"]
    return list(same["flips"][:SHOWN_FLIPS]) if same else []


def decision_page(record: Mapping[str, Any], thumbnails: Mapping[str, str]) -> str:
    """Write the page of a decision record.

    Labels and keys are what somebody put into a bucket; they are text here, whatever they look like.

    :param record: as ``registry/decisions/<version>.json`` holds it.
    :param thumbnails: ``data:`` URIs of small pictures, by the images' URIs.
    """
    same = record["same_images"]
    flips = same["flips"] if same else []
    return render(
        "decision.html.j2",
        record=record,
        same=same,
        metrics=[NAMES[metric] for metric in Metric],
        rows=list(_rows(record)),
        matrices=list(_matrices(record)),
        flips=[{**flip, "picture": thumbnails.get(flip["image"])} for flip in flips_to_show(record)],
        flips_in_all=len(flips),
        changes={change.value: sum(flip["change"] == change for flip in flips) for change in VerdictChange},
        better=VerdictChange.IMPROVEMENT.value,
        worse=VerdictChange.REGRESSION.value,
    )


def _rows(record: Mapping[str, Any]) -> Iterator[Row]:
    """Give the metrics of both versions: on the same images where there are any, else by their own evaluations."""
    scores = record["same_images"] or record["evaluation"]
    challenger, champion = scores["challenger"], scores["champion"] or {"overall": {}, "labels": {}}
    yield Row(None, _values(challenger["overall"], champion["overall"]))
    for label in sorted({*challenger["labels"], *champion["labels"]}):
        yield Row(label, _values(challenger["labels"].get(label, {}), champion["labels"].get(label, {})))


def _values(challenger: Mapping[str, float], champion: Mapping[str, float]) -> tuple[Value, ...]:
    return tuple(Value(challenger.get(metric), champion.get(metric)) for metric in Metric)


def _matrices(record: Mapping[str, Any]) -> Iterator[Matrix]:
    same, own = record["same_images"], record["own"]
    if same:
        for who in ("challenger", "champion"):
            yield _matrix(f"The {who}", same["images"], same[f"{who}_confusion"])
    elif own:
        yield _matrix("The challenger", own["images"], own["confusion"])


def _matrix(title: str, images: int, cells: Sequence[Mapping[str, Any]]) -> Matrix:
    counts = {(cell["actual"], cell["predicted"]): int(cell["images"]) for cell in cells}
    rows, columns = (_in_order(pair[side] for pair in counts) for side in (0, 1))
    if len({*rows, *columns} - {None}) > WIDEST_MATRIX:
        wrong = [(actual, predicted, count) for (actual, predicted), count in counts.items() if actual != predicted]
        wrong.sort(key=lambda each: (-each[2], str(each[0]), str(each[1])))
        return Matrix(title, images, (), (), tuple(wrong[:LONGEST_LIST]))
    table = []
    for actual in rows:
        total = sum(counts.get((actual, predicted), 0) for predicted in columns)
        table.append(
            (
                actual,
                tuple(_shade(counts.get((actual, predicted), 0), total, actual == predicted) for predicted in columns),
            )
        )
    return Matrix(title, images, tuple(columns), tuple(table), ())


def _in_order(labels: Iterator[str | None]) -> list[str | None]:
    return sorted(set(labels), key=lambda label: (label is None, label or ""))


def _shade(images: int, total: int, right: bool) -> Shade:
    return Shade(images, min(_SHADES, -(-images * _SHADES // max(1, total))), right)
