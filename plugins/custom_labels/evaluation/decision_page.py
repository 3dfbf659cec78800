"""The page that shows a decision to people: one file of HTML without scripts, which needs nothing from elsewhere.

Airflow serves it in a sandbox, since it comes out of the bucket: what can be chosen on it is chosen by radio buttons.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from custom_labels.core.codec import from_json
from custom_labels.core.gate import NAMES, Metric
from custom_labels.core.project_task import ProjectTask
from custom_labels.evaluation.drawing import STYLES, Mark
from custom_labels.evaluation.flip_view import view_flip
from custom_labels.evaluation.precision_recall import SIDE, panels
from custom_labels.evaluation.templates import render
from custom_labels.evaluation.verdicts import Flip, VerdictChange

SHOWN_FLIPS = 60
"""Images that the page shows; the record holds all."""
WIDEST_MATRIX = 25
"""Labels up to which the confusion is a matrix; above, a list of the most frequent ones."""
LONGEST_LIST = 50
_SHADES = 5
_MARKS = (Mark.TRUTH, Mark.HIT, Mark.MISS, Mark.FALSE_ALARM)
_SIGNS = {
    VerdictChange.REGRESSION: "\N{BLACK DOWN-POINTING TRIANGLE}",
    VerdictChange.IMPROVEMENT: "\N{BLACK UP-POINTING TRIANGLE}",
    VerdictChange.STILL_WRONG: "\N{BLACK SQUARE}",
}
"""Before the name of a change, so that it needs no colour."""

Row = tuple[str | None, list[tuple[float | None, float | None]]]
"""A label, ``None`` for all of them together, and for each metric the challenger's value and the champion's."""


def flips_to_show(record: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Give the images of a decision record that its page shows, the worst first."""
    same = record["same_images"]
    return list(same["flips"][:SHOWN_FLIPS]) if same else []


def decision_page(record: Mapping[str, Any], thumbnails: Mapping[str, str]) -> str:
    """Write the page of a decision record.

    Labels and keys come from a bucket that others write to; they are text here, whatever they hold.

    :param record: as ``registry/decisions/<version>.json`` holds it.
    :param thumbnails: ``data:`` URIs of small pictures, by the images' URIs.
    """
    same = record["same_images"]
    flips = from_json(tuple[Flip, ...], same["flips"] if same else ())
    shown = enumerate(flips[:SHOWN_FLIPS], start=1)
    return render(
        "decision.html.j2",
        record=record,
        same=same,
        metrics=[NAMES[metric] for metric in Metric],
        rows=list(_rows(record)),
        matrices=list(_matrices(record)),
        views=[view_flip(flip, thumbnails.get(flip.image), number) for number, flip in shown],
        changes={change: sum(flip.change is change for flip in flips) for change in VerdictChange},
        box_changes={change: sum(flip.of_boxes(change) for flip in flips) for change in VerdictChange},
        signs=_SIGNS,
        styles=STYLES,
        marks=_MARKS,
        panels=panels(record),
        side=SIDE,
        has_boxes=record["task"] == ProjectTask.OBJECT_DETECTION,
    )


def _rows(record: Mapping[str, Any]) -> Iterator[Row]:
    """Give the metrics of both versions: on the same images where there are any, else by their own evaluations."""
    scores = record["same_images"] or record["evaluation"]
    challenger, champion = scores["challenger"], scores["champion"] or {"overall": {}, "labels": {}}
    ours, theirs = ({None: each["overall"], **each["labels"]} for each in (challenger, champion))
    for label in [None, *sorted({*challenger["labels"], *champion["labels"]})]:
        yield label, [(ours.get(label, {}).get(each), theirs.get(label, {}).get(each)) for each in Metric]


def _matrices(record: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    same, own = record["same_images"], record["own"]
    if same:
        for who in ("challenger", "champion"):
            yield _matrix(f"The {who}", same["images"], same[f"{who}_confusion"])
    elif own:
        yield _matrix("The challenger", own["images"], own["confusion"])


def _matrix(title: str, images: int, cells: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Give a version's confusion matrix, or the most frequent confusions where there are too many labels.

    :return: ``columns``, the labels that were predicted, ``None`` for nothing, and ``rows``, each label that images
        show with its cells: images, the depth of the shade from 0 for none of the label's images to 5 for all of
        them, and whether it is on the diagonal; or else ``confusions``, triples of label, predicted label and images.
    """
    counts = {(cell["actual"], cell["predicted"]): int(cell["count"]) for cell in cells}
    rows, columns = (_in_order(pair[side] for pair in counts) for side in (0, 1))
    if len({*rows, *columns} - {None}) > WIDEST_MATRIX:
        wrong = [(actual, predicted, count) for (actual, predicted), count in counts.items() if actual != predicted]
        wrong.sort(key=lambda each: (-each[2], str(each[0]), str(each[1])))
        return {"title": title, "images": images, "confusions": wrong[:LONGEST_LIST]}
    table = []
    for actual in rows:
        row = [(counts.get((actual, predicted), 0), actual == predicted) for predicted in columns]
        whole = max(1, sum(number for number, _ in row))
        table.append((actual, [(number, min(_SHADES, -(-number * _SHADES // whole)), right) for number, right in row]))
    return {"title": title, "images": images, "columns": columns, "rows": table}


def _in_order(labels: Iterator[str | None]) -> list[str | None]:
    return sorted(set(labels), key=lambda label: (label is None, label or ""))
