"""Label Studio's own converter writes its tasks in other formats: each is read as the tasks themselves are."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from custom_labels.datasets.annotations.annotation import Box
from custom_labels.datasets.imports import coco, label_studio, pascal_voc, yolo
from custom_labels.datasets.imports.source import ReadSource
from include.label_studio.server import VENV, installed
from tests.datasets.imports.test_label_studio import answer, rectangle, task
from tests.kit.local_source import LocalSource, annotated, rounded

CONVERT = """
import sys
from label_studio_sdk.converter import Converter
labels = "".join(f'<Label value="{name}"/>' for name in ("cat", "dog"))
rectangles = f'<RectangleLabels name="tag" toName="img">{labels}</RectangleLabels>'
config = f'<View><Image name="img" value="$image"/>{rectangles}</View>'
tasks, out = sys.argv[1:]
converter = Converter(config, out, download_resources=False)
converter.convert_to_coco(tasks, f"{out}/coco", output_image_dir=f"{out}/coco/images", is_dir=False)
converter.convert_to_voc(tasks, f"{out}/voc", output_image_dir=f"{out}/voc/images", is_dir=False)
converter.convert_to_yolo(tasks, f"{out}/yolo", output_image_dir=f"{out}/yolo/images", is_dir=False)
converter.convert(tasks, f"{out}/min", "JSON_MIN", is_dir=False)
"""
TASKS = [
    task(answer(rectangle("cat", 10.5, 20, 30, 40), rectangle("dog", 1, 1, 50, 50)), image="s3://bucket/a.jpg"),
    task(answer(rectangle("dog", 33.3333, 12.5, 10, 20)), image="s3://bucket/b.jpg", id_=2),
]


@pytest.mark.slow
def test_other_formats_of_label_studio_say_what_its_tasks_say(tmp_path: Path) -> None:
    if why := installed():
        pytest.skip(why)
    tasks = tmp_path / "tasks" / "tasks.json"
    LocalSource(tmp_path).put("tasks/tasks.json", json.dumps(TASKS))
    command = [str(VENV / "bin" / "python"), "-c", CONVERT, str(tasks), str(tmp_path)]
    subprocess.run(command, check=True, capture_output=True, timeout=120)

    def boxes(folder: str, read: ReadSource) -> dict[str, tuple[Box, ...]]:
        source = LocalSource(tmp_path / folder)
        for name in ("a.jpg", "b.jpg"):
            source.put(f"images/{name}")
        return {name.split("/")[-1]: each.boxes for name, each in annotated(read, source).items()}

    expected = boxes("tasks", label_studio.read)
    assert {name: len(found) for name, found in expected.items()} == {"a.jpg": 2, "b.jpg": 1}
    assert boxes("min", label_studio.read) == expected
    for folder, read in (("coco", coco.read), ("yolo", yolo.read)):
        found = boxes(folder, read)
        assert {name: rounded(each) for name, each in found.items()} == {
            name: rounded(each) for name, each in expected.items()
        }
    for name, drawn in boxes("voc", pascal_voc.read).items():  # in whole pixels, from 0
        for one, other in zip(drawn, expected[name], strict=True):
            assert one.label == other.label
            sides = ((one.left, other.left), (one.top, other.top), (one.width, other.width), (one.height, other.height))
            assert all(abs(left - right) <= 2 for left, right in sides)
