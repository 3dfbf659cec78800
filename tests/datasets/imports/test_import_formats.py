"""Imports of other programs' files from S3: found out what they are, and taken with their images."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from custom_labels.core.project_task import ProjectTask
from tests.datasets.imports import test_coco, test_cvat, test_label_studio, test_pascal_voc
from tests.datasets.imports.test_import_steps import OTHER, buckets, lines, put
from tests.kit.import_runs import TAKEN, import_by_steps, import_context
from tests.kit.support import s3

if TYPE_CHECKING:
    from include.local_aws.process import LocalAws

__all__ = ["buckets"]

TASKS = [test_label_studio.task(test_label_studio.answer(test_label_studio.rectangle()), image="a.png")]
COCO = test_coco.coco(test_coco.image(1, "a.png"), test_coco.shape(1))


@pytest.mark.parametrize(
    ("files", "label"),
    [
        pytest.param({"coco.json": json.dumps(COCO)}, "cat", id="coco"),
        pytest.param({"a.xml": test_pascal_voc.voc(test_pascal_voc.drawn(), name="a.png")}, "cat", id="pascal_voc"),
        pytest.param({"data.yaml": "names: [cat]", "labels/a.txt": "0 0.5 0.5 0.25 0.5"}, "cat", id="yolo"),
        pytest.param({"tasks.json": json.dumps(TASKS)}, "Moonwalker", id="label_studio"),
        pytest.param({"a.xml": test_cvat.cvat(test_cvat.image(test_cvat.box(), name="a.png"))}, "car", id="cvat"),
    ],
)
def test_files_of_other_programs_become_lines(buckets: LocalAws, files: dict[str, str], label: str) -> None:
    put(buckets, "set/images/a.png", 1)
    for name, content in files.items():
        s3(buckets).put_object(Bucket=OTHER, Key=f"set/{name}", Body=content.encode())

    done = import_by_steps(import_context(ProjectTask.OBJECT_DETECTION, source=f"s3://{OTHER}/set/"))

    assert (done.fates, done.codes) == ({TAKEN: 1}, {})
    (line,) = lines(buckets)
    assert list(line["bounding-box-metadata"]["class-map"].values()) == [label]
    assert "1970" not in line["bounding-box-metadata"]["creation-date"]
