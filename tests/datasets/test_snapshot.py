"""The snapshot's value, its digest, and what cannot be trained."""

from __future__ import annotations

import json
from contextlib import nullcontext
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from custom_labels.core.codec import from_json, to_json
from custom_labels.core.project_task import ProjectTask
from custom_labels.datasets.snapshot import (
    ImageSnapshot,
    LabelCount,
    SnapshotHeader,
    combine,
    make_snapshot,
    require_region,
    require_trainable,
    require_trainable_annotations,
)
from custom_labels.datasets.split import SplitRule, Subset
from custom_labels.errors import NotTrainable

CAT = LabelCount("cat", 5, 2, "c" * 64, train=4, test=1)
DOG = LabelCount("dög", 4, 0, "d" * 64, train=3, test=1)
WHEN = datetime(2026, 1, 31, tzinfo=UTC)


def test_digest_does_not_depend_on_the_order_in_which_labels_come() -> None:
    assert combine([CAT, DOG]) == combine([DOG, CAT])


@pytest.mark.parametrize(
    "other",
    [
        pytest.param([CAT], id="a label less"),
        pytest.param([CAT, LabelCount("dog", 4, 0, "d" * 64)], id="a label renamed"),
        pytest.param([CAT, LabelCount("dög", 4, 0, "e" * 64)], id="other images"),
    ],
)
def test_digest_differs_when_something_does(other: list[LabelCount]) -> None:
    assert combine(other) != combine([CAT, DOG])


def test_digest_is_what_it_always_was() -> None:
    assert combine([CAT, DOG])[:16] == "eda1868ad506f04d"


def test_snapshot_sums_and_sorts_its_labels() -> None:
    snapshot = make_snapshot([DOG, CAT], WHEN, None, (("corrupt", 3),))
    assert snapshot.labels == (CAT, DOG)
    assert (snapshot.images, snapshot.untrained, snapshot.train_images, snapshot.test_images) == (9, 2, 7, 2)


def test_values_survive_json() -> None:
    snapshot = make_snapshot([CAT, DOG], WHEN, "f" * 64, (("corrupt", 3),))
    header = SnapshotHeader(snapshot, SplitRule(0.2, {"0" * 32: Subset.TEST}))
    assert from_json(ImageSnapshot, json.loads(json.dumps(to_json(snapshot)))) == snapshot
    assert from_json(SnapshotHeader, json.loads(json.dumps(to_json(header)))) == header


@pytest.mark.parametrize(
    ("labels", "left_out", "words"),
    [
        pytest.param({}, [], "Too few labels to train: 0 (none)", id="none"),
        pytest.param({"cat": 9}, ["dog"], "1 ('cat')", id="one"),
        pytest.param({"cat": 9}, ["dog"], "Left out for too few images: 'dog'.", id="one, and why not two"),
        pytest.param({f"{n}": 2 for n in range(251)}, [], "takes 250", id="too many labels"),
        pytest.param({"cat": 250_000, "dog": 2}, [], "250,002 usable images", id="too many images"),
    ],
)
def test_require_trainable_says_why_not(labels: dict[str, int], left_out: list[str], words: str) -> None:
    with pytest.raises(NotTrainable) as caught:
        require_trainable(labels, left_out)
    assert words in str(caught.value)


@pytest.mark.parametrize("labels", [{"cat": 2, "dog": 2}, {"cat": 125_000, "dog": 125_000}], ids=["2", "most"])
def test_require_trainable_lets_pass_what_fits(labels: dict[str, int]) -> None:
    require_trainable(labels)


@pytest.mark.parametrize(
    ("region", "train", "test", "is_refused"),
    [
        ("us-east-1", 30_000, 8_000, False),
        ("eu-west-2", 28_000, 7_000, False),
        ("eu-west-2", 28_001, 7_000, True),
        ("ap-south-1", 20_000, 7_001, True),
    ],
)
def test_require_region_knows_where_fewer_images_are_taken(
    region: str, train: int, test: int, is_refused: bool
) -> None:
    count = LabelCount("cat", train + test, train + test, "0" * 64, train, test)
    snapshot = make_snapshot([count], datetime(2026, 1, 1, tzinfo=UTC), None, ())
    with pytest.raises(NotTrainable, match=f"in {region}") if is_refused else nullcontext():
        require_region(snapshot, region)


BOXES, SEVERAL = ProjectTask.OBJECT_DETECTION, ProjectTask.MULTI_LABEL_CLASSIFICATION
MANY = {f"label {number}": 2 for number in range(251)}


@pytest.mark.parametrize(
    ("task", "labels", "images", "words"),
    [
        pytest.param(BOXES, {}, 0, "Too few labels to train: 0 (none) in", id="no boxes"),
        pytest.param(SEVERAL, {"cat": 5}, 5, "Too few labels to train: 1 ('cat') in", id="one label"),
        pytest.param(BOXES, MANY, 300, "Too much to train: 251 labels on 300 usable", id="too many labels"),
        pytest.param(BOXES, {"cat": 250_001}, 250_001, "1 labels on 250,001 usable images", id="too many images"),
        pytest.param(BOXES, {"cat": 2}, 2, None, id="one label with boxes"),
        pytest.param(SEVERAL, {"cat": 250_000, "dog": 250_000}, 250_000, None, id="most"),
    ],
)
def test_require_trainable_annotations_says_why_not(
    task: ProjectTask, labels: dict[str, int], images: int, words: str | None
) -> None:
    with pytest.raises(NotTrainable) if words else nullcontext() as caught:
        require_trainable_annotations(task, labels, images, ["rare"])
    assert words is None or words in str(caught and caught.value)


def test_images_with_several_labels_are_counted_once_for_a_region() -> None:
    count = LabelCount("cat", 20_000, 20_000, "0" * 64, 20_000, 5_000)
    snapshot = make_snapshot([count, replace(count, label="dog")], datetime(2026, 1, 1, tzinfo=UTC), None, ())
    with pytest.raises(NotTrainable):
        require_region(snapshot, "eu-west-2")
    require_region(replace(snapshot, train=20_000, test=5_000), "eu-west-2")
