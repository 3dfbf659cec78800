"""The table of annotated images: what counts, joins, digests and limits, against doing it with dictionaries."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from custom_labels.datasets import annotated_table
from custom_labels.datasets.annotated_table import AnnotatedTable, LineRow
from custom_labels.datasets.annotations.report import AnnotationReport
from custom_labels.datasets.images import LeftOut, Tally
from custom_labels.datasets.split import SplitRule, Subset, position
from tests.kit.snapshots import NOW

keys = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=3)
labels = st.lists(st.sampled_from(["a", "B", "é", "日本", "<b>", "'"]), unique=True, max_size=4).map(sorted)
dates = st.sampled_from(["2026-01-01", "2026-02-01"])
lines = st.lists(st.tuples(keys, dates, dates, st.sampled_from("xyz"), labels), max_size=25)
annotated = st.dictionaries(keys, labels.filter(bool), max_size=30)


def row(number: int, key: str, created: str, modified: str, file: str, names: list[str]) -> LineRow:
    digest = hashlib.sha256(json.dumps(names).encode()).hexdigest()[:32]
    return LineRow(key, created, modified, file, number, digest, json.dumps(names), None, None, f'"{number}":0}}')


@contextmanager
def table_of(rows: list[LineRow], images: Mapping[str, str], folder: Path) -> Iterator[tuple[AnnotatedTable, Tally]]:
    """Give a table of checked images, by key with the position of each, joined with the lines that are newest."""
    (folder / "lines.sqlite").unlink(missing_ok=True)
    with AnnotatedTable(Path(":memory:")) as table:
        table.use_lines(Path(":memory:"), folder / "lines.sqlite")
        table.use_checks(folder / "nothing.sqlite")
        for file in {row.file for row in rows}:
            table.add_lines(file, "1", (row for row in rows if row.file == file), str)
        table.pick_newest(AnnotationReport())
        (folder / "rows").write_bytes("".join(f"{key}\tetag of {key}\n" for key in images).encode())
        table.load("", folder / "rows")
        tally = Tally()
        table.join(tally, AnnotationReport())
        listed = table.some(len(images), known=False)
        table.settle([(image, images[image.key], None) for image in listed], Tally())
        table.finish_checks(NOW)
        table.annotate(AnnotationReport())
        table.leave_out(tally)
        yield table, tally


def place(text: str) -> str:
    return position(hashlib.md5(text.encode()).hexdigest())


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("table")


@given(lines, st.sets(keys, max_size=20))
def test_the_newest_lines_are_joined_with_the_images_that_are_there(
    folder: Path, lines: list[tuple[str, str, str, str, list[str]]], images: set[str]
) -> None:
    rows = [row(number, *line) for number, line in enumerate(lines)]
    newest: dict[str, LineRow] = {}
    for each in rows:
        newest[each.key] = max(newest.get(each.key, each), each, key=lambda one: one[1:5])

    with table_of(rows, {key: place(key) for key in images}, folder) as (table, tally):
        found = dict(table._all("SELECT key, annotation FROM image"))

    there = {key: each for key, each in newest.items() if key in images}
    assert found == {key: each.digest for key, each in there.items() if each.labels != "[]"}
    assert dict(tally.counts) == {
        reason: count
        for reason, count in (
            (LeftOut.UNANNOTATED, len(images - set(newest))),
            (LeftOut.NOTHING_THERE, sum(each.labels == "[]" for each in there.values())),
            (LeftOut.NO_IMAGE, len(set(newest) - images)),
        )
        if count
    }


@given(annotated)
def test_labels_are_counted_and_digested_by_their_images(folder: Path, images: dict[str, list[str]]) -> None:
    rows = [row(0, key, "", "", "x", names) for key, names in images.items()]
    with (
        table_of(rows, {key: place(key) for key in images}, folder) as (table, tally),
        patch.object(annotated_table, "MINIMUM_IMAGES_A_LABEL", 1),
    ):
        assert table.use_annotations(tally, lambda *_: pytest.fail("no label is on too few images")) == []
        found = {label: table.digest(label) for label in table.counts()}
        assert table.counts() == Counter(label for names in images.values() for label in names)
        assert table.images == len(images)

    for label, digest in found.items():
        ordered = sorted((each for each in rows if label in images[each.key]), key=lambda each: each.key.encode())
        content = "".join(f"{each.key}\tetag of {each.key}\t{each.digest}\n" for each in ordered)
        assert digest == hashlib.sha256(content.encode()).hexdigest()


@given(annotated, st.integers(1, 4))
def test_test_images_are_used_up_to_the_limit_of_each_label_and_not_one_fewer(
    folder: Path, images: dict[str, list[str]], most: int
) -> None:
    rows = [row(0, key, "", "", "x", names) for key, names in images.items()]
    rule = SplitRule(0.7)
    with (
        table_of(rows, {key: place(key) for key in images}, folder) as (table, tally),
        patch.object(annotated_table, "MAXIMUM_TEST_IMAGES", most),
        patch.object(annotated_table, "MINIMUM_IMAGES_A_LABEL", 1),
    ):
        table.use_annotations(tally, lambda *_: pytest.fail("no label is on too few images"))
        counts = table.limit_tests(rule)
        sides = {side: {key for block in table.bodies(rule, side) for key, _ in block} for side in Subset}
        unused = table.unused_tests

    used = Counter(label for key in sides[Subset.TEST] for label in images[key])
    assert +Counter(counts) == used
    assert max(used.values(), default=0) <= most
    assert sides[Subset.TRAIN] == {key for key in images if not rule.is_test(place(key))}
    left = set(images) - sides[Subset.TRAIN] - sides[Subset.TEST]
    assert len(left) == unused
    assert all(any(used[label] == most for label in images[key]) for key in left)
