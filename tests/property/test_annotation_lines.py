"""Whatever a line holds, it is read or refused; and what is read is written so that it is read alike, also by the
embedded AWS, which knows nothing of our reader."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from custom_labels.core.project_task import ProjectTask
from custom_labels.datasets.annotations.annotation import MAXIMUM_BOXES, Annotation, Code, Refusal
from custom_labels.datasets.annotations.kinds import KINDS, AnnotationKind
from custom_labels.datasets.manifest import MAXIMUM_LINE, annotated_line
from include.local_aws.rekognition.manifest_lines import parse_line
from tests.kit.annotation_lines import boxes_line, labels_line, native_line

NUMBERS = [0, -1, 0.5, 1e308, -1e308, 10**30, 63, 64, 480, 481, 640, 4096, 4097, True]
TEXTS = ["", "Echo", "<script>", "{{ }}", "x" * 256, "x" * 257, "Cafe\u0301", "\0", "yes", "2026-01-31", "s3://a/b"]
odd: st.SearchStrategy[Any] = st.recursive(
    st.sampled_from([None, *NUMBERS, *TEXTS]) | st.floats(-10, 700) | st.integers(-10, 700),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["0", "1", "type", "left"]), inner),
    max_leaves=4,
)
LINES = {
    ProjectTask.OBJECT_DETECTION: [
        boxes_line(boxes=[("Echo", 1, 2, 30, 40), ("Dot", 0, 0, 640, 480)]),
        boxes_line() | boxes_line(boxes=[("Dot", 5, 5, 5, 5)], name="more", created="2026-03-01T00:00:00"),
        boxes_line(boxes=[]),
    ],
    ProjectTask.MULTI_LABEL_CLASSIFICATION: [
        labels_line("ball", "bat"),
        native_line(labels={"ball": 0.5, "net": 1}, absent=["bat"]),
        labels_line("ball") | native_line(absent=["bat"], name="again", created="2026-03-01T00:00:00"),
    ],
}


def places(value: Any) -> list[tuple[Any, Any]]:
    """Give all places of a JSON value where something can be put: container and key."""
    found = []
    keys = list(value) if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else []
    for key in keys:
        found += [(value, key), *places(value[key])]
    return found


@pytest.mark.parametrize("task", KINDS)
@settings(max_examples=400)
@given(data=st.data())
def test_a_line_with_anything_anywhere_is_read_or_refused(task: ProjectTask, data: st.DataObject) -> None:
    kind = KINDS[task]
    line = json.loads(json.dumps(data.draw(st.sampled_from(LINES[task]))))
    for _ in range(data.draw(st.integers(1, 3))):
        container, key = data.draw(st.sampled_from(places(line)))
        if data.draw(st.booleans()):
            container[key] = data.draw(odd)
        else:
            del container[key]
        if not places(line):
            break
    holds(kind, kind.parse(json.dumps(line)))


@pytest.mark.parametrize("task", KINDS)
@given(text=st.text() | st.binary() | st.sampled_from(["[" * MAXIMUM_LINE, '{"a":' * 20_000, "\ud800", "1" * 5000]))
def test_any_text_is_read_or_refused(task: ProjectTask, text: str | bytes) -> None:
    holds(KINDS[task], KINDS[task].parse(text))


def holds(kind: AnnotationKind, found: Annotation | Refusal) -> None:
    if isinstance(found, Refusal):
        assert found.code in Code
        assert found.detail.isprintable()
        return
    for box in found.boxes:
        assert found.size is not None
        assert box.left >= 0 <= box.top
        assert box.left + box.width <= found.size.width
        assert box.top + box.height <= found.size.height
        assert min(box.width, box.height) > 1
    written = annotated_line(found.source_ref, kind.body(found))
    if found.labels and len(written) <= MAXIMUM_LINE:
        taken = parse_line(written, MAXIMUM_LINE, MAXIMUM_BOXES)
        assert not taken.flawed, taken.text
        assert (sorted(taken.labels), len(taken.boxes)) == (list(found.labels), len(found.boxes))
    again = kind.parse(written)
    assert isinstance(again, Annotation), again
    assert (again.digest, again.provenance, again.labels) == (found.digest, found.provenance, found.labels)
