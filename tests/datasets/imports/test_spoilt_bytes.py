"""Files of every format with bytes changed anywhere: each is read to its end, and what is given can be used."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from custom_labels.core.project_task import ProjectTask
from custom_labels.datasets.annotations.boxes import judge_box
from custom_labels.datasets.annotations.kinds import KINDS
from custom_labels.datasets.imports import coco, cvat, label_studio, pascal_voc, yolo
from custom_labels.datasets.imports.source import ReadSource
from custom_labels.datasets.manifest import annotated_line
from tests.datasets.imports import test_coco, test_cvat, test_label_studio, test_pascal_voc
from tests.kit.local_source import LocalSource, read_all

TASKS = [test_label_studio.task(test_label_studio.answer(test_label_studio.rectangle()), image="a.jpg")]
COCO = test_coco.coco(test_coco.image(1), test_coco.shape(1))
CASES: list[tuple[ReadSource, str, str]] = [
    (coco.read, "a.json", json.dumps(COCO)),
    (cvat.read, "a.xml", test_cvat.cvat(test_cvat.image(*test_cvat.REAL, '<tag label="dog"></tag>'))),
    (label_studio.read, "a.json", json.dumps(TASKS)),
    (pascal_voc.read, "a.xml", test_pascal_voc.voc(test_pascal_voc.drawn())),
    (yolo.read, "data.yaml", "names:\n  0: person\n  1: bicycle\nkpt_shape: [2, 3]\n"),
    (yolo.read, "labels/a.txt", "0 0.5 0.5 0.25 0.5\n1 0.25 0.25 0.1 0.1 0.8\n"),
]
PIECES = [
    b"",
    b"\0",
    b"\xff",
    b'"',
    b"\\",
    b"{",
    b"]",
    b"<",
    b"&a;",
    b"&#0;",
    b"-",
    b"9" * 400,
    b"1e999",
    b"NaN",
    b"null",
    b"..",
    b"/",
    b"\n",
]


@pytest.mark.parametrize(
    ("read", "name", "content"), CASES, ids=["coco", "cvat", "label_studio", "voc", "classes", "yolo"]
)
def test_no_bytes_stop_a_reader(
    tmp_path_factory: pytest.TempPathFactory, read: ReadSource, name: str, content: str
) -> None:
    source = LocalSource(tmp_path_factory.mktemp("source")).put("images/a.jpg").put("a.jpg", size=(64, 64))
    for other, text in {"data.yaml": CASES[4][2], "labels/a.txt": CASES[5][2]}.items():
        if read is yolo.read and other != name:
            source.put(other, text)
    change = st.tuples(st.integers(0, len(content)), st.integers(0, 8), st.sampled_from(PIECES))

    @settings(deadline=None, derandomize=True)
    @given(st.lists(change, min_size=1, max_size=4))
    def check(changes: list[tuple[int, int, bytes]]) -> None:
        spoilt = content.encode()
        for start, length, piece in changes:
            spoilt = spoilt[:start] + piece + spoilt[start + length :]
        source.put(name, spoilt)
        for task in ProjectTask:
            found, unusable = read_all(read, source, task)
            assert all(each.detail and each.where.isprintable() for each in unusable)
            for each in found:
                if task is ProjectTask.OBJECT_DETECTION:
                    size = each.annotation.size
                    assert size is not None
                    assert [judge_box(box, size) for box in each.annotation.boxes] == [None] * len(
                        each.annotation.boxes
                    )
                if task.has_several:  # as the next training reads it
                    kind = KINDS[task]
                    written = annotated_line(each.annotation.source_ref, kind.body(each.annotation))
                    assert kind.read(written).digest == each.annotation.digest

    check()
