"""Files of annotations that have not changed are read once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from custom_labels.core.keys import LINES_READ
from custom_labels.core.project_task import ProjectTask
from custom_labels.datasets.annotated_snapshot_records import count_annotated, frozen_annotated
from custom_labels.datasets.annotated_table import AnnotatedTable
from custom_labels.datasets.annotation_records import AnnotationReader
from custom_labels.datasets.annotations.annotation import Annotation
from custom_labels.datasets.annotations.kinds import KINDS
from custom_labels.datasets.annotations.report import AnnotationReport
from custom_labels.datasets.images import Tally
from custom_labels.s3.store import S3Store
from tests.kit.annotated_bucket import AnnotatedBucket

BOXES = ProjectTask.OBJECT_DETECTION


class Found(NamedTuple):
    """The lines that count, and what is said of the others."""

    lines: list[Any]
    tally: Tally
    report: AnnotationReport


class Reads:
    """Reads the annotations of a project again and again, keeping the lines as runs of the train DAG do."""

    def __init__(self, store: S3Store, folder: Path, now: datetime) -> None:
        self.store, self.folder, self.now = store, folder, now

    def again(self, task: ProjectTask = BOXES) -> tuple[Found, list[str]]:
        """Give what was found, and the images whose lines were read now."""
        read: list[str] = []
        kind = KINDS[task]

        def note(text: str) -> Annotation:
            found = kind.read(text)
            read.append(found.source_ref.rpartition("/")[2])
            return found

        (self.folder / "newest.sqlite").unlink(missing_ok=True)
        with AnnotatedTable(Path(":memory:")) as table:
            table.use_lines(self.folder / "newest.sqlite", self.folder / "lines.sqlite")
            reader = AnnotationReader(self.store, replace(kind, read=note), Tally(), AnnotationReport(), self.folder)
            reader.read_all(table, self.now)
            assert reader.is_changed or not read
            lines = table._all("SELECT * FROM lines.newest ORDER BY key")
        return Found(lines, reader.tally, reader.report), read


@pytest.fixture
def annotated(store: S3Store) -> AnnotatedBucket:
    """Two files; the second has faults of each kind."""
    annotated = AnnotatedBucket(store)
    annotated.write("a", [annotated.boxes("1.png"), annotated.boxes("2.png", [("Dot", 1, 1, 9, 9)])])
    off_frame = [("Dot", 500.0, 20.0, 30.0, 40.0), ("Echo", 1.0, 1.0, 9.0, 9.0)]
    annotated.write("b", [annotated.boxes("2.png"), "{", b"\xff", "", annotated.boxes("3.png", off_frame)])
    return annotated


@pytest.fixture
def reads(annotated: AnnotatedBucket, tmp_path: Path, now: datetime) -> Reads:
    return Reads(annotated.store, tmp_path, now)


def test_files_that_have_not_changed_are_not_read_and_nothing_else_differs(reads: Reads) -> None:
    first, read = reads.again()
    second, read_again = reads.again()

    assert (len(read), read_again) == (4, [])
    assert second == first
    assert sum(first.report.faults.values()) == 3


def change(annotated: AnnotatedBucket) -> None:
    annotated.write("b", [annotated.boxes("4.png")])


def remove(annotated: AnnotatedBucket) -> None:
    annotated.store.call("delete_object", "annotations/b.manifest")


def add(annotated: AnnotatedBucket) -> None:
    annotated.write("reviewed/c", [annotated.boxes("5.png")])


@pytest.mark.parametrize(
    ("alter", "images", "read"),
    [
        (change, ["1.png", "2.png", "4.png"], ["4.png"]),
        (remove, ["1.png", "2.png"], []),
        (add, ["1.png", "2.png", "3.png", "5.png"], ["5.png"]),
    ],
)
def test_only_what_is_new_is_read(
    annotated: AnnotatedBucket,
    reads: Reads,
    tmp_path: Path,
    now: datetime,
    alter: Callable[[AnnotatedBucket], None],
    images: list[str],
    read: list[str],
) -> None:
    reads.again()
    alter(annotated)

    found, read_now = reads.again()

    assert ([line[0] for line in found.lines], read_now) == (images, read)
    anew = tmp_path / "anew"
    anew.mkdir()
    assert Reads(annotated.store, anew, now).again()[0] == found


@pytest.mark.parametrize("left", [0, 100, 10_000])
def test_lines_that_were_kept_badly_are_read_anew(reads: Reads, left: int) -> None:
    first = reads.again()
    kept = reads.folder / "lines.sqlite"
    assert kept.stat().st_size > left
    kept.write_bytes(kept.read_bytes()[:left])

    assert reads.again() == first


def test_lines_are_read_anew_where_they_are_another_kind_of_projects(reads: Reads) -> None:
    reads.again()

    found, _ = reads.again(ProjectTask.MULTI_LABEL_CLASSIFICATION)

    assert (found.lines, found.report.lines) == ([], 6)
    assert len(reads.again()[1]) == 4


# -- in S3 -----------------------------------------------------------------------------------------


def freeze(store: S3Store, as_of: datetime, *, publish: bool = True) -> None:
    with frozen_annotated(store, BOXES, as_of, publish=publish):
        pass


def kept(store: S3Store) -> str | None:
    return store.uploaded_sha256(LINES_READ)


def test_lines_are_kept_by_what_is_published_and_by_nothing_else(
    annotated: AnnotatedBucket, store: S3Store, now: datetime
) -> None:
    annotated.annotated("c", {f"images/{number}.png": (("Echo", 1, 1, 9, 9),) for number in range(5)})
    counted = count_annotated(store, BOXES, now)
    freeze(store, now, publish=False)
    assert kept(store) is None

    freeze(store, now)
    first = kept(store)
    assert first is not None
    assert count_annotated(store, BOXES, now).digest == counted.digest
    freeze(store, now + timedelta(minutes=1))
    assert kept(store) == first

    annotated.write("d", [annotated.boxes("images/1.png", [("Echo", 2, 2, 9, 9)])])
    assert count_annotated(store, BOXES, now).digest != counted.digest
    freeze(store, now - timedelta(seconds=1))
    assert kept(store) == first
    freeze(store, now + timedelta(minutes=2))
    assert kept(store) not in {None, first}
