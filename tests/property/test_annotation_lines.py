"""Whatever a line holds, it is read or refused; and what is read is written so that it is read alike, also by the
embedded AWS, which knows nothing of our reader."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from custom_labels.core.project_task import ProjectTask
from custom_labels.datasets.annotations.annotation import MAXIMUM_BOXES, Annotation, Code, Refusal
from custom_labels.datasets.annotations.kinds import KINDS, AnnotationKind
from custom_labels.datasets.manifest import MAXIMUM_LINE, annotated_line
from include.local_aws.rekognition.manifest_lines import parse_line
from tests.kit.annotation_lines import boxes_line, labels_line, native_line
from tests.kit.odd_json import spoilt_anywhere

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


@pytest.mark.parametrize("task", KINDS)
@settings(max_examples=400)
@given(data=st.data())
def test_a_line_with_anything_anywhere_is_read_or_refused(task: ProjectTask, data: st.DataObject) -> None:
    kind = KINDS[task]
    holds(kind, kind.parse(json.dumps(data.draw(spoilt_anywhere(LINES[task])))))


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
