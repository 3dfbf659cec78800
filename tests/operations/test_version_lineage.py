"""The lineage of a version: its images with what it said of each, in memory that does not grow with them."""

from __future__ import annotations

import json
import tracemalloc
from pathlib import Path

import pytest

from custom_labels.core.project_task import ProjectTask
from custom_labels.datasets.snapshot_records import fetch_snapshot
from custom_labels.datasets.split import Subset
from custom_labels.evaluation.label_answers import LabelAnswer
from custom_labels.operations.lineage import LineageError, Show, VersionImage, VersionLineage
from custom_labels.operations.lineage_records import version_lineage
from custom_labels.operations.lineage_table import VersionTable
from custom_labels.s3.store import S3Store
from custom_labels.training.retraining import AttemptState, TrainingAttempt
from custom_labels.training.training_records import change_trainings
from custom_labels.training.trainings import Trainings
from tests.kit.lineage import ONE, V1, V2, Lineage


@pytest.fixture(params=ProjectTask)
def lineage(store: S3Store, request: pytest.FixtureRequest) -> Lineage:
    """A project of each kind."""
    return Lineage(store, request.param)


@pytest.fixture
def folders(store: S3Store) -> Lineage:
    """A project of labels by folders."""
    return Lineage(store, ONE)


def read(lineage: Lineage, name: str, show: Show = Show.ALL, **page: int) -> tuple[VersionLineage, list[VersionImage]]:
    with version_lineage(lineage.store, lineage.project, name) as (found, table):
        return found, list(table.shown(show, **page)) if table else []


def test_each_image_has_its_side_its_labels_and_what_the_version_said(lineage: Lineage) -> None:
    keys = lineage.put(range(8))
    lineage.train(V1, said=lambda _: "cat")

    found, images = read(lineage, V1)

    assert found.troubles == ()
    assert [each.image.key for each in images] == sorted(keys)
    for each in images:
        label = each.image.key.split("/")[1]
        assert each.image.labels == (label,)
        if each.image.subset is Subset.TRAIN:
            assert (each.seen, each.right) == (None, None)
        else:
            assert each.right is (label == "cat")
            assert [(seen.label, seen.right) for seen in each.seen or ()] == [("cat", label == "cat")]
    tests = [each for each in images if each.image.subset is Subset.TEST]
    wrong = [each for each in tests if each.right is False]
    assert wrong
    assert found.counts == {
        "all": 16,
        "train": 16 - len(tests),
        "test": len(tests),
        "wrong": len(wrong),
        "right": len(tests) - len(wrong),
    }
    assert read(lineage, V1, Show.WRONG)[1] == wrong
    assert read(lineage, V1, Show.TEST, skip=1, most=2)[1] == tests[1:3]


def test_what_is_on_record_of_the_version_is_there_in_short(folders: Lineage) -> None:
    folders.put(range(8))
    folders.train(V1)
    folders.train(V2, champion=V1, begun_by="animals_train/run", as_of="2026-11-22T12:00:00+00:00")
    digest = folders.freeze()[0]
    attempt = TrainingAttempt(digest, "arn", V2, "run", AttemptState.GATE_FAILED, "F1 is below")
    change_trainings(folders.store, lambda _: Trainings((attempt,)))

    facts = dict(read(folders, V2)[0].version.facts)

    assert facts["Attempt"] == "gate_failed: F1 is below"
    assert (facts["Trained by"], facts["Snapshot"], facts["Judged against"]) == ("animals_train/run", digest, V1)
    assert facts["Gates"] == "passed: F1 holds"
    assert facts["Measured"].startswith("F1 0.900")
    assert "Deleted at AWS" not in facts


def test_a_version_whose_snapshot_is_gone_is_shown_without_its_images(folders: Lineage) -> None:
    folders.put(range(8))
    folders.train(V1)
    folders.remove(f"snapshots/{folders.freeze()[0]}/images.sqlite")

    found, images = read(folders, V1)

    assert (found.version.name, found.counts, images) == (V1, {}, [])
    [trouble] = found.troubles
    assert "images.sqlite" in trouble


def test_damaged_answers_are_named_and_the_others_are_shown(lineage: Lineage) -> None:
    lineage.put(range(8))
    tests = [each for each in lineage.train(V1) if each.subset is Subset.TEST]
    lineage.say(V1, [json.dumps(lineage.line(tests[0], "cat")), "{", lineage.line(tests[1], "dog")])

    found, images = read(lineage, V1, Show.TEST)

    assert sum(each.seen is not None for each in images) == 2
    [trouble] = found.troubles
    assert f"line 2 of s3://{lineage.store.bucket}/" in trouble


def test_a_version_that_is_not_there_is_refused(folders: Lineage) -> None:
    with (
        pytest.raises(LineageError, match="There is no version 'v9' of project 'animals'"),
        version_lineage(folders.store, folders.project, "v9"),
    ):
        pass


def test_memory_does_not_grow_with_the_number_of_images(folders: Lineage, tmp_path: Path) -> None:
    folders.put(range(8))
    digest, _ = folders.freeze()
    snapshot = fetch_snapshot(folders.store, digest, tmp_path)
    prefix = folders.store.uri()
    with VersionTable(snapshot.path, snapshot.header, prefix) as table:
        rows = ((f"cat/{number:06}.png", f"{number:032x}", f"{number * 7919:032x}") for number in range(20_000))
        table._database.executemany("INSERT INTO image (label, key, etag, position) VALUES ('cat', ?, ?, ?)", rows)
        tracemalloc.start()
        table.add_answers(LabelAnswer(f"{prefix}cat/{n:06}.png", ("cat",), ("dog",), (0.5,)) for n in range(20_000))
        wrong = sum(1 for _ in table.shown(Show.WRONG))
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()

    assert wrong == 20_000
    assert most < 1_000_000
