"""Annotations in S3: which lines are read, which of several counts, and what is said of the others."""

from __future__ import annotations

import io
import json
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from custom_labels.core.project_task import ProjectTask
from custom_labels.datasets.annotated_table import AnnotatedTable
from custom_labels.datasets.annotation_records import AnnotationReader
from custom_labels.datasets.annotations.annotation import Code
from custom_labels.datasets.annotations.kinds import KINDS, LONGEST_LINE_BYTES, lines_of
from custom_labels.datasets.annotations.report import AnnotationReport
from custom_labels.datasets.images import LeftOut, Tally
from custom_labels.s3.store import S3Store
from tests.kit.annotated_bucket import AnnotatedBucket
from tests.kit.annotation_lines import spoilt


@pytest.fixture
def annotated(store: S3Store) -> AnnotatedBucket:
    return AnnotatedBucket(store)


class Read:
    """What was read."""

    def __init__(self, table: AnnotatedTable, tally: Tally, report: AnnotationReport) -> None:
        rows = table._all("SELECT key, labels, place FROM lines.newest ORDER BY key")
        self.labels = {key: json.loads(labels) for key, labels, _ in rows}
        self.places = {key: place for key, _, place in rows}
        self.tally, self.report, self.folders = tally, report, table.folders()


@contextmanager
def reading(
    store: S3Store, folder: Path, as_of: datetime, task: ProjectTask = ProjectTask.OBJECT_DETECTION
) -> Iterator[Read]:
    with AnnotatedTable(folder / "images.sqlite") as table:
        table.use_lines(folder / "newest.sqlite", folder / "lines.sqlite")
        tally, report = Tally(), AnnotationReport()
        AnnotationReader(store, KINDS[task], tally, report, folder).read_all(table, as_of)
        yield Read(table, tally, report)


def test_nothing_is_read_where_there_is_nothing(store: S3Store, tmp_path: Path, now: datetime) -> None:
    with reading(store, tmp_path, now) as read:
        assert (read.labels, read.report, read.folders) == ({}, AnnotationReport(), [])


def test_lines_of_several_files_are_read(annotated: AnnotatedBucket, tmp_path: Path, now: datetime) -> None:
    annotated.write("a", [annotated.boxes("images/1.png"), annotated.boxes("2.png", [("Dot", 1, 1, 9, 9)])])
    annotated.write("reviewed/b", [annotated.boxes("images/deep/3.png")])

    with reading(annotated.store, tmp_path, now) as read:
        assert read.labels == {"images/1.png": ["Echo"], "2.png": ["Dot"], "images/deep/3.png": ["Echo"]}
        assert (read.report.files, read.report.lines, read.folders) == (2, 3, ["", "images/"])


def test_files_that_are_no_manifests_or_too_new_are_counted(
    annotated: AnnotatedBucket, tmp_path: Path, now: datetime
) -> None:
    annotated.write("a", [annotated.boxes("1.png")])
    for name in ("annotations/", "annotations/notes.txt", "annotations/a.manifest.json"):
        annotated.store.call("put_object", name, Body=b"x" if "." in name else b"")

    with reading(annotated.store, tmp_path, now) as read:
        assert read.tally.counts == {LeftOut.FOLDER_MARKER: 1, LeftOut.OTHER_FILE: 2}
    earlier = tmp_path / "earlier"
    earlier.mkdir()
    with reading(annotated.store, earlier, now - timedelta(hours=1)) as read:
        assert (read.labels, read.report.files, read.tally.counts[LeftOut.TOO_NEW]) == ({}, 0, 4)


LATER, LATEST = "2026-02-01T00:00:00", "2026-02-01T00:00:01Z"


@pytest.mark.parametrize(
    ("dates", "wins"),
    [
        pytest.param({"a": LATEST, "b": LATER}, "a", id="by creation"),
        pytest.param({"a": LATER, "b": LATEST}, "b", id="by creation, the other way round"),
        pytest.param({"a": "2026-02-01T02:00:02+02:00", "b": LATEST}, "a", id="across time zones"),
        pytest.param({"a": LATER, "b": LATER}, "b", id="by name, of files that are equally old"),
        pytest.param({"a": LATER, "A": LATER}, "a", id="by name, as S3 sorts"),
    ],
)
def test_the_newest_line_of_an_image_counts(
    annotated: AnnotatedBucket, tmp_path: Path, now: datetime, dates: dict[str, str], wins: str
) -> None:
    for name, created in sorted(dates.items()):
        annotated.write(name, [annotated.boxes("1.png", [(f"of {name}", 1, 1, 9, 9)], created=created)])
    with AnnotatedTable(tmp_path / "images.sqlite") as table:
        table.use_lines(tmp_path / "newest.sqlite", tmp_path / "lines.sqlite")
        reader = AnnotationReader(
            annotated.store, KINDS[ProjectTask.OBJECT_DETECTION], Tally(), AnnotationReport(), tmp_path
        )
        for name in dates:  # moto's LastModified has whole seconds; here all are of the same moment
            reader.read_file(table, f"annotations/{name}.manifest", "etag", datetime(2026, 11, 1, tzinfo=UTC))
        table.pick_newest(reader.report)
        read = Read(table, reader.tally, reader.report)

    assert read.labels == {"1.png": [f"of {wins}"]}
    assert read.report.disagreements == 1
    assert read.report.disagreeing == ["1.png"]


def test_a_later_file_wins_over_a_date_that_is_ahead_of_its_file(annotated: AnnotatedBucket, tmp_path: Path) -> None:
    annotated.write("z", [annotated.boxes("1.png", [("wrong clock", 1, 1, 9, 9)], created="2999-01-01T00:00:00")])
    annotated.write("a", [annotated.boxes("1.png", [("right", 1, 1, 9, 9)], created="2026-11-02T00:00:00")])
    with AnnotatedTable(tmp_path / "images.sqlite") as table:
        table.use_lines(tmp_path / "newest.sqlite", tmp_path / "lines.sqlite")
        reader = AnnotationReader(
            annotated.store, KINDS[ProjectTask.OBJECT_DETECTION], Tally(), AnnotationReport(), tmp_path
        )
        reader.read_file(table, "annotations/z.manifest", "etag", datetime(2026, 11, 1, tzinfo=UTC))
        reader.read_file(table, "annotations/a.manifest", "etag", datetime(2026, 11, 3, tzinfo=UTC))
        table.pick_newest(reader.report)
        read = Read(table, reader.tally, reader.report)

    assert read.labels == {"1.png": ["right"]}


def test_of_two_lines_in_a_file_the_last_counts_and_no_disagreement_is_reported(
    annotated: AnnotatedBucket, tmp_path: Path, now: datetime
) -> None:
    annotated.write("a", [annotated.boxes("1.png", [(label, 1, 1, 9, 9)]) for label in ("first", "second")])
    annotated.write("b", [annotated.boxes("2.png")])

    with reading(annotated.store, tmp_path, now) as read:
        assert read.labels["1.png"] == ["second"]
        assert read.places["1.png"] == "annotations/a.manifest line 2"
        assert read.report.disagreements == 0


def test_a_line_that_cannot_be_used_counts_for_nothing(
    annotated: AnnotatedBucket, tmp_path: Path, now: datetime
) -> None:
    annotated.write("a", [annotated.boxes("1.png")])
    wrong = annotated.boxes("1.png", [("Dot", 1, 1, 9, 9)], created=LATEST)
    annotated.write("b", [spoilt(wrong, "bounding-box-metadata/class-map", {})])

    with reading(annotated.store, tmp_path, now) as read:
        assert read.labels == {"1.png": ["Echo"]}


def test_every_fault_in_one_file_is_named_with_line_and_code_and_stops_no_other(
    annotated: AnnotatedBucket, tmp_path: Path, now: datetime
) -> None:
    line = annotated.boxes("1.png")
    off = [("Dot", 500.0, 20.0, 30.0, 40.0), ("Dot", 10.0, 20.0, 0.5, 40.0), ("Echo", 1.0, 1.0, 9.0, 9.0)]
    wrong: list[tuple[str | bytes, Code]] = [
        ("{", Code.INVALID_JSON_LINE),
        (b"\xff", Code.INVALID_JSON_LINE),
        ("x" * 4_000_000, Code.INVALID_JSON_LINE),
        (spoilt(line, "source-ref", gone=True), Code.MISSING_SOURCE_REF),
        (spoilt(line, "source-ref", "1.png"), Code.INVALID_SOURCE_REF_FORMAT),
        (spoilt(line, "source-ref", "s3://another-bucket/1.png"), Code.IMAGES_IN_MULTIPLE_S3_BUCKETS),
        (spoilt(line, "bounding-box", gone=True), Code.NO_LABEL_ATTRIBUTES),
        (spoilt(line, "bounding-box", 7), Code.INVALID_LABEL_ATTRIBUTE_FORMAT),
        (spoilt(line, "bounding-box-metadata", 7), Code.INVALID_LABEL_ATTRIBUTE_METADATA_FORMAT),
        (spoilt(line, "bounding-box-metadata/type", "groundtruth/x"), Code.UNSUPPORTED_USE_CASE_TYPE),
        (spoilt(line, "bounding-box-metadata/class-map/0", "x" * 257), Code.INVALID_LABEL_NAME_LENGTH),
        (spoilt(line, "bounding-box-metadata/class-map", {}), Code.MISSING_CLASS_MAP_ID),
        (spoilt(line, "bounding-box-metadata/objects/0", {}), Code.MISSING_BOUNDING_BOX_CONFIDENCE),
        (spoilt(line, "bounding-box/image_size/0/width", 63), Code.INVALID_IMAGE_DIMENSION),
        (json.dumps(annotated.boxes("1.png", [("Echo", 1, 1, 9, 9)] * 51)), Code.TOO_MANY_BOUNDING_BOXES),
        (json.dumps(annotated.boxes("1.png", off[:2])), Code.NO_VALID_ANNOTATIONS),
    ]
    texts: list[str | bytes] = [
        "",
        *(text for text, _ in wrong),
        " \t\r",
        json.dumps(annotated.boxes("1.png", off)) + "\r",
    ]
    annotated.write("all", texts)

    with reading(annotated.store, tmp_path, now) as read:
        assert read.labels == {"1.png": ["Echo"]}
        assert read.tally.counts == {LeftOut.ANNOTATION: len(wrong)}
        for number, (_, code) in enumerate(wrong, start=2):
            assert any(
                each.startswith(f"annotations/all.manifest line {number}: ") for each in read.report.examples[code]
            )
        assert read.report.faults[Code.INVALID_BOUNDING_BOX] == read.report.faults[Code.BOUNDING_BOX_TOO_SMALL] == 1
        assert read.report.lines == len(wrong) + 1
        words = "\n".join(read.report.in_words())
        assert all(code in words for _, code in wrong)
        assert len(words) < 10_000


def test_a_line_that_would_be_too_long_in_a_manifest_stops_no_other(
    annotated: AnnotatedBucket, tmp_path: Path, now: datetime
) -> None:
    boxes = [(f"{number:03}{'😀' * 253}", 1, 1, 9, 9) for number in range(40)]
    annotated.write("a", [json.dumps(annotated.boxes("1.png", boxes), ensure_ascii=False), annotated.boxes("2.png")])

    with reading(annotated.store, tmp_path, now) as read:
        assert read.labels == {"2.png": ["Echo"]}
        assert read.report.faults == {Code.INVALID_JSON_LINE: 1}


def test_several_labels_are_read_of_both_kinds_of_lines(
    annotated: AnnotatedBucket, tmp_path: Path, now: datetime
) -> None:
    annotated.write("a", [annotated.labels("1.png", "ball", "bat"), annotated.boxes("2.png")])

    with reading(annotated.store, tmp_path, now, ProjectTask.MULTI_LABEL_CLASSIFICATION) as read:
        assert read.labels == {"1.png": ["ball", "bat"]}
        assert list(read.report.faults) == [Code.NO_LABEL_ATTRIBUTES]


def test_folders_are_not_named_one_by_one_where_they_are_many(
    annotated: AnnotatedBucket, tmp_path: Path, now: datetime
) -> None:
    annotated.write("a", [annotated.boxes(f"{number}/1.png") for number in range(101)])

    with reading(annotated.store, tmp_path, now) as read:
        assert read.folders is None


def test_a_line_without_end_is_not_held_in_memory() -> None:
    file = io.BytesIO(b"first\n" + b"x" * 50_000_000 + b"\nlast")
    tracemalloc.start()
    lengths = [len(line) for line in lines_of(file)]
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert lengths == [6, LONGEST_LINE_BYTES + 1, 4]
    assert peak < 4 * LONGEST_LINE_BYTES
