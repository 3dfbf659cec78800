"""Exports of snapshots: what is written is read back as the same labels and boxes, in both formats, of every task."""

from __future__ import annotations

import io
import itertools
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from custom_labels.core.project_task import ProjectTask
from custom_labels.core.settings import PROJECTS_DIR_VARIABLE
from custom_labels.datasets.annotations.annotation import Annotation, Box, ImageLabel, ImageSize, Provenance
from custom_labels.datasets.annotations.boxes import judge_box
from custom_labels.datasets.annotations.kinds import KINDS
from custom_labels.datasets.imports import coco
from custom_labels.datasets.project_snapshot_records import frozen_project
from custom_labels.s3.store import S3Store
from include.export.__main__ import main
from include.export.coco import write_coco
from tests.kit.annotated_bucket import AnnotatedBucket
from tests.kit.local_source import LocalSource, annotated

MULTI_LABEL, BOXES = ProjectTask.MULTI_LABEL_CLASSIFICATION, ProjectTask.OBJECT_DETECTION
PREFIX = "s3://bucket/some/project/"
WHEN = datetime(2026, 1, 31, tzinfo=UTC)
PROVENANCE = Provenance("2026-01-31T00:00:00", "yes")
names = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Zs", "Cf", "Mn"]), min_size=1, max_size=20)
shares = st.floats(0, 1) | st.just(1)
label_names = st.sampled_from(["cat", "dog", "naïve 犬", "<script>", "{{ label }}", "x" * 256])


@st.composite
def with_boxes(draw: st.DrawFn) -> Annotation:
    size = ImageSize(draw(st.integers(64, 4096)), draw(st.integers(64, 4096)))
    sides = (st.floats(0, size.width), st.floats(0, size.height), st.floats(0, size.width), st.floats(0, size.height))
    boxes = draw(st.lists(st.builds(Box, label_names, *sides, shares), max_size=5))
    used = tuple(box for box in boxes if judge_box(box, size) is None)
    return Annotation(PREFIX + draw(names), PROVENANCE, WHEN, used, size=size)


with_labels = st.builds(
    lambda name, labels: Annotation(PREFIX + name, PROVENANCE, WHEN, image_labels=tuple(labels)),
    names,
    st.lists(st.builds(ImageLabel, label_names, shares), min_size=1, max_size=4, unique_by=lambda each: each.label),
)


@pytest.mark.parametrize(("task", "each"), [(BOXES, with_boxes()), (MULTI_LABEL, with_labels)], ids=["boxes", "labels"])
def test_what_is_exported_as_coco_is_read_back(
    tmp_path: Path, task: ProjectTask, each: st.SearchStrategy[Annotation]
) -> None:
    runs = itertools.count()

    @settings(deadline=None, derandomize=True)
    @given(st.lists(each, max_size=4, unique_by=lambda annotation: annotation.source_ref))
    def check(exported: list[Annotation]) -> None:
        file = io.StringIO()
        labels = sorted({label for annotation in exported for label in annotation.labels})
        assert write_coco(file, exported, labels, PREFIX, WHEN.isoformat()) == len(exported)
        source = LocalSource(tmp_path / str(next(runs))).put("export.json", file.getvalue())
        if exported:
            assert list(annotated(coco.read, source, task).values()) == exported

    check()


@pytest.fixture
def project(store: S3Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[ProjectTask], S3Store]:
    """Makes a project with images and annotations, and stores a snapshot of it."""
    monkeypatch.setenv(PROJECTS_DIR_VARIABLE, str(tmp_path))

    def make(task: ProjectTask) -> S3Store:
        fields = {"bucket": store.bucket, "prefix": store.prefix, "task": task.value, "aws_conn_id": "storage_tests"}
        (tmp_path / "animals.yaml").write_text(json.dumps(fields))
        images = AnnotatedBucket(store)
        keys = [f"images_labeled_by_folder/{label}/{number} é.png" for label in ("cat", "dog") for number in range(4)]
        images.put_many(*keys)
        if task is BOXES:
            drawn = [("cat", 1.5, 2, 30.25, 40), ("dog", 50, 20, 30, 40)]
            images.write("a", [images.boxes(key, drawn) for key in keys])
        elif task is MULTI_LABEL:
            images.write("a", [images.labels(key, "cat", "dog") for key in keys])
        with frozen_project(store, task, datetime.now(UTC) + timedelta(minutes=1), publish=True):
            return store

    return make


@pytest.mark.parametrize("task", ProjectTask)
def test_both_formats_say_the_same(
    project: Callable[[ProjectTask], S3Store], tmp_path: Path, task: ProjectTask, capsys: pytest.CaptureFixture[str]
) -> None:
    project(task)

    codes = [main(["animals", str(tmp_path / name), "--format", name]) for name in ("ground_truth", "coco")]

    assert (codes, capsys.readouterr().err) == ([0, 0], "")
    kind = KINDS[BOXES if task is BOXES else MULTI_LABEL]
    lines = [kind.read(line) for line in (tmp_path / "ground_truth").read_text().splitlines()]
    source = LocalSource(tmp_path / "source").put("export.json", (tmp_path / "coco").read_bytes())
    found = annotated(coco.read, source, task)
    assert len(lines) == 8
    assert [_content(each) for each in found.values()] == [_content(each) for each in lines]
    by_label = {each.source_ref: each.labels for each in lines}
    assert all(
        labels == ((ref.split("/")[-2],) if task is ProjectTask.IMAGE_CLASSIFICATION else ("cat", "dog"))
        for ref, labels in by_label.items()
    )
    assert json.loads((tmp_path / "coco").read_text())["images"][0]["file_name"].startswith("images_labeled_by_folder/")


def _content(annotation: Annotation) -> tuple[object, ...]:
    return annotation.source_ref, annotation.boxes, annotation.image_labels, annotation.size


@pytest.mark.parametrize("snapshot", ["now", "latest"])
def test_a_snapshot_of_now_needs_none_that_is_stored(
    project: Callable[[ProjectTask], S3Store], tmp_path: Path, snapshot: str, capsys: pytest.CaptureFixture[str]
) -> None:
    store = project(BOXES)
    for entry in store.call("list_objects_v2")["Contents"]:
        if "/snapshots/" in entry["Key"]:
            store.client.delete_object(Bucket=store.bucket, Key=entry["Key"])

    code = main(["animals", str(tmp_path / "out"), "--snapshot", snapshot])

    if snapshot == "now":
        assert (code, len((tmp_path / "out").read_text().splitlines())) == (0, 8)
    else:
        assert code == 1
        assert "--snapshot now" in capsys.readouterr().err
        assert not (tmp_path / "out").exists()


def test_errors_name_what_is_wrong_and_nothing_is_written_over(
    project: Callable[[ProjectTask], S3Store], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    project(BOXES)
    (tmp_path / "there").write_text("mine")
    for arguments, expected in (
        (["animals", str(tmp_path / "there")], "--overwrite"),
        (["animals", str(tmp_path / "no/folder")], "Make the folder first"),
        (["plants", str(tmp_path / "out")], "There is no project 'plants'"),
        (["animals", str(tmp_path / "out"), "--snapshot", "0" * 64], "is not in the bucket"),
    ):
        assert main(arguments) == 1
        assert expected in capsys.readouterr().err

    assert (tmp_path / "there").read_text() == "mine"
    assert main(["animals", str(tmp_path / "there"), "--overwrite"]) == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["animals.yaml", "there"]
