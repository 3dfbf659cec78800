"""Inspections of boxes and of several labels: a box, or a label, that contradicts the others of its name."""

from __future__ import annotations

import io
import random
from datetime import datetime
from typing import Any

import pytest
from PIL import Image

from custom_labels.core.project_task import ProjectTask
from custom_labels.datasets.annotated_snapshot_records import frozen_annotated
from custom_labels.datasets.inspection.inspection import Inspection, Problem
from custom_labels.s3.store import S3Store
from tests.kit.annotated_bucket import AnnotatedBucket
from tests.kit.annotation_lines import boxes_line, labels_line
from tests.kit.support import SIDE, picture

BOXES, SEVERAL = ProjectTask.OBJECT_DETECTION, ProjectTask.MULTI_LABEL_CLASSIFICATION
SIZE = (4 * SIDE, 2 * SIDE)
PLACES = {"rows": (SIDE // 4, SIDE // 4), "columns": (5 * SIDE // 2, SIDE // 2)}
IMAGES = 40


def composed(number: int, *labels: str) -> bytes:
    """Draw stripes of each label at its place, on noise."""
    grain = random.Random(number).randbytes(SIZE[0] * SIZE[1])
    page = Image.frombytes("L", SIZE, grain).point(lambda value: 80 + value // 6).convert("RGB")
    for label in labels:
        page.paste(Image.open(io.BytesIO(picture(label, number))).convert("RGB"), PLACES[label])
    out = io.BytesIO()
    page.save(out, "PNG")
    return out.getvalue()


def box(label: str, named: str | None = None) -> tuple[str, float, float, float, float]:
    return (named or label, *PLACES[label], SIDE, SIDE)


@pytest.fixture
def annotated(store: S3Store) -> AnnotatedBucket:
    return AnnotatedBucket(store)


def inspect(store: S3Store, task: ProjectTask, now: datetime, **how: Any) -> Inspection:
    with frozen_annotated(store, task, now, publish=True, inspects=True, **how) as (frozen, _):
        assert frozen.inspection is not None
        return frozen.inspection


def test_a_box_with_the_wrong_label_is_suspected(store: S3Store, annotated: AnnotatedBucket, now: datetime) -> None:
    lines = []
    for number in range(IMAGES):
        annotated.put(f"images/{number:03}.png", composed(number, "rows", "columns"))
        boxes = [box("rows", "columns" if number == 7 else None), box("columns")]
        lines.append(boxes_line(store.uri(f"images/{number:03}.png"), boxes, size=SIZE))
    annotated.write("all", lines)

    found = inspect(store, BOXES, now)

    worst = found.suspects[0]
    assert (worst.key, worst.label, worst.believed) == ("images/007.png", "columns", "rows")
    assert worst.box is not None
    assert (worst.box.left, worst.box.top) == PLACES["rows"]
    assert [(each.label, each.images, each.why_not) for each in found.labels] == [
        ("columns", IMAGES, ""),
        ("rows", IMAGES - 1, ""),
    ]
    assert "box at" in worst.words


def test_other_boxes_are_looked_at_anew_and_the_same_image_once(
    store: S3Store, annotated: AnnotatedBucket, now: datetime
) -> None:
    for number in range(IMAGES):
        annotated.put(f"images/{number:03}.png", composed(number, "rows", "columns"))
    uris = [store.uri(f"images/{number:03}.png") for number in range(IMAGES)]
    annotated.write("all", [boxes_line(uri, [box("rows"), box("columns")], size=SIZE) for uri in uris])
    first = inspect(store, BOXES, now)
    later = [
        boxes_line(uris[0], [box("rows", "columns"), box("columns", "rows")], size=SIZE, created="2026-11-19T00:00:00")
    ]
    annotated.write("later", later)

    second = inspect(store, BOXES, now)

    assert (first.suspect_count, first.digest == second.digest) == (0, False)
    assert {each.key for each in second.suspects[:2]} == {"images/000.png"}


def test_of_several_labels_a_missing_one_is_suspected(
    store: S3Store, annotated: AnnotatedBucket, now: datetime
) -> None:
    lines = []
    for number in range(2 * IMAGES):
        shown = [label for bit, label in enumerate(PLACES) if (number + 1) >> bit & 1] or ["rows"]
        annotated.put(f"images/{number:03}.png", composed(number, *shown))
        named = [label for label in shown if not (number == 2 and label == "columns")]
        lines.append(labels_line(*named, source_ref=store.uri(f"images/{number:03}.png")))
    annotated.write("all", lines)

    found = inspect(store, SEVERAL, now)

    worst = found.suspects[0]
    assert (worst.key, worst.label, worst.problem) == ("images/002.png", "columns", Problem.MISSING)
    assert "lacks 'columns'" in worst.words
