"""Whatever a line of an evaluation snapshot holds, it is read or refused; what is read can be judged and kept."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from custom_labels.core.codec import from_json, to_json
from custom_labels.core.project_task import ProjectTask
from custom_labels.datasets.annotations.annotation import Box
from custom_labels.evaluation.answer_kinds import LINE_READERS
from custom_labels.evaluation.comparison import SameImages, compare
from tests.kit.evaluation_lines import boxes_evaluated, labels_evaluated
from tests.kit.odd_json import spoilt_anywhere

A, B = Box("Echo", 1, 2, 30, 40), Box("Dot", 100, 100, 64, 48, 0.5)
LABELS = [
    labels_evaluated(["cat"], {"cat": (0.9, True)}),
    labels_evaluated(["cat", "dog"], {"cat": (0.9, True), "emu": (0.4, True), "dog": (0.1, False)}),
    labels_evaluated([], {}),
]
BOXES = [boxes_evaluated([A], [A, B]), boxes_evaluated([A, B], [A], [B]), boxes_evaluated([], [])]
LINES = {task: BOXES if task is ProjectTask.OBJECT_DETECTION else LABELS for task in ProjectTask}


@pytest.mark.parametrize("task", ProjectTask)
@settings(max_examples=300)
@given(data=st.data())
def test_a_line_with_anything_anywhere_is_read_or_refused(task: ProjectTask, data: st.DataObject) -> None:
    holds(task, json.dumps(data.draw(spoilt_anywhere(LINES[task]))).encode())


@pytest.mark.parametrize("task", ProjectTask)
@given(text=st.binary() | st.sampled_from([b"[" * 100_000, b'{"a":' * 20_000, b'"\\ud800"', b"1" * 5000]))
def test_any_bytes_are_read_or_refused(task: ProjectTask, text: bytes) -> None:
    holds(task, text)


def holds(task: ProjectTask, line: bytes) -> None:
    try:
        answer = LINE_READERS[task](line)
    except ValueError:
        return
    same = compare(
        [(answer, answer), (answer.predicted_as(()), answer)], ["cat"], test_images=2, digest="d", left_out={}
    )
    assert from_json(SameImages, json.loads(json.dumps(to_json(same)))) == same
