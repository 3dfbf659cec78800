"""The plan of a training: what it warns of, what it expects, and that it reads the same each time."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace

import pytest

from custom_labels.core.codec import to_json
from custom_labels.core.gate import Gate, Metric
from custom_labels.datasets.snapshot import LabelChange
from custom_labels.training.plan import (
    Estimate,
    PastTraining,
    PlanLabel,
    TrainingPlan,
    estimate,
    gate_in_words,
    plan_labels,
    plan_whole,
)


def label(name: str, train: int, test: int, left_out: int = 0, **change: int) -> PlanLabel:
    return PlanLabel(name, train + test, train, test, left_out, LabelChange(name, **change))


def total(labels: Sequence[PlanLabel]) -> PlanLabel:
    """Sum up labels that share no image."""
    train, test, left_out = (sum(getattr(each, name) for each in labels) for name in ("train", "test", "left_out"))
    changes = ("new", "changed", "removed", "to_test", "to_train")
    change = {name: sum(getattr(each.change, name) for each in labels) for name in changes}
    return label("", train, test, left_out, **change)


def plan(*labels: PlanLabel, trained: str | None = "b" * 64) -> TrainingPlan:
    return TrainingPlan(
        action="train",
        reason="24 untrained images of 124",
        digest="a" * 64,
        as_of="2026-11-21T12:00:00+00:00",
        trained=trained,
        labels=labels,
        whole=total(labels),
        left_out=(("corrupt", 2), ("same content under another label", 4)),
        share=0.2,
        asked_share=0.1,
        exceptions=1,
        gates=("F1 of all labels together: at least 0.8",),
        estimate=Estimate(1, 1.5, 2, 1.0, "from 1 past training"),
    )


BALANCED = (label("cat", 48, 12), label("dog", 52, 12, new=24))


def test_a_plan_without_a_fault_warns_of_nothing() -> None:
    assert plan(*BALANCED).warnings == ()


def test_a_threshold_of_a_label_that_no_image_has_is_a_warning() -> None:
    made = replace(plan(*BALANCED), thresholds=("cat", "dgo"))

    assert made.warnings == ("label_detection_confidence names labels that no image has: 'dgo' (is 'dog' meant?).",)
    assert json.loads(json.dumps(to_json(made)))["thresholds"] == ["cat", "dgo"]


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        ((label("cat", 80, 20), label("dog", 15, 10)), []),
        (
            (label("cat", 90, 20), label("dog", 15, 10)),
            ["moderately imbalanced: 'cat' has 110 images and 'dog' 25, 4.4"],
        ),
        ((label("cat", 2400, 100), label("dog", 15, 10)), ["extremely imbalanced"]),
        ((label("cat", 15, 9), label("dog", 15, 10)), ["'cat': fewer than 10 test images"]),
        ((label("cat", 8, 1), label("dog", 8, 1)), ["'cat', 'dog': fewer than 10 images", "fewer than 10 test"]),
        ((*BALANCED, label("eel", 40, 12, new=52)), ["'eel': not in the snapshot trained on last"]),
        ((*BALANCED, label("eel", 0, 0, removed=9)), ["'eel': in the snapshot trained on last, and without"]),
        ((*BALANCED, label("eel", 40, 12, to_train=2)), ["2 images judged the version trained last"]),
        ((*BALANCED, label("eel", 40, 12, to_test=3)), ["3 images trained the version trained last"]),
    ],
    ids=["4 to 1", "above", "100 to 1", "few test", "few images", "new", "vanished", "judged before", "trained before"],
)
def test_a_plan_warns_of_what_makes_a_version_or_its_gate_doubtful(
    labels: tuple[PlanLabel, ...], words: list[str]
) -> None:
    warnings = plan(*labels).warnings

    assert len(warnings) == len(words)
    assert [word for word, warning in zip(words, warnings, strict=True) if word not in warning] == []


def test_no_label_counts_as_new_where_no_version_was_trained() -> None:
    assert plan(label("cat", 48, 12, new=60), label("dog", 48, 12, new=60), trained=None).warnings == ()


def test_many_labels_are_named_by_the_first_few() -> None:
    labels = [label(f"label {number:03}", 4, 1) for number in range(250)]

    assert "and 242 more labels" in plan(*labels).warnings[0]
    assert len(plan(*labels).summary) <= 900


def test_the_text_is_markdown_with_every_part() -> None:
    text = plan(label("cat", 48, 12, left_out=2), label("a|b", 52, 12, new=24, changed=1, removed=3)).text()

    assert text.splitlines()[:3] == ["# Plan: train", "", "Because: 24 untrained images of 124."]
    assert "| label | images | new | changed | removed | train | test | left out |" in text
    assert "| cat | 60 | 0 | 0 | 0 | 48 | 12 | 2 |" in text
    assert "| a\\|b | 64 | 24 | 1 | 3 | 52 | 12 | 0 |" in text
    assert "| **all** | 124 | 24 | 1 | 3 | 100 | 24 | 2 |" in text
    for part in ("4: same content under another label", "asked for 0.1; it is never lowered", "cannot fall on both"):
        assert part in text
    assert "about 1.5 h (1 to 2 h), 1.50 USD (1.00 to 2.00 USD)" in text


def test_a_plan_of_nothing_says_why_and_that_nothing_is_paid() -> None:
    nothing = TrainingPlan("nothing", "there are no labelled images", "", "2026-11-21T12:00:00+00:00", None)

    assert nothing.summary == "nothing: there are no labelled images."
    assert "nothing is paid" in nothing.text()


def test_a_plan_is_plain_json() -> None:
    assert json.loads(json.dumps(to_json(plan(*BALANCED))))["labels"][1]["change"]["new"] == 24


def test_labels_that_vanished_or_cannot_be_used_are_in_the_plan() -> None:
    labels = plan_labels(
        [("dog", 4, 1)], [LabelChange("cat", removed=3), LabelChange("dog", new=1)], {"eel": 2, "x": 0}
    )

    assert [(each.label, each.images, each.change.removed, each.left_out) for each in labels] == [
        ("cat", 0, 3, 0),
        ("dog", 5, 0, 0),
        ("eel", 0, 0, 2),
    ]


def test_an_image_with_two_labels_is_counted_once_in_all() -> None:
    made = replace(
        plan(label("cup", 8, 2, new=3), label("logo", 6, 2, new=3)),
        whole=plan_whole(9, 3, candidates=14, change=LabelChange("", new=4, to_test=1)),
    )

    assert "| **all** | 12 | 4 | 0 | 0 | 9 | 3 | 2 |" in made.text()
    assert "12 images in 2 labels: 9 to train on, 3 to judge by; 4 new, 0 changed" in made.summary
    assert "1 images trained the version trained last" in made.text()


def test_what_is_to_be_said_of_annotations_is_in_the_text() -> None:
    assert (
        "## Annotations\n\n- 7 lines read of 2 files"
        in replace(plan(*BALANCED), annotations=("7 lines read of 2 files of annotations.",)).text()
    )


@pytest.mark.parametrize(
    ("past", "expected"),
    [
        ([], (0.5, 1.0, 24.0)),
        ([PastTraining(0, 3.0), PastTraining(90, 0.0)], (0.5, 1.0, 24.0)),
        ([PastTraining(100, 2.0)], (2.0, 2.0, 2.0)),
        ([PastTraining(50, 2.0)], (2.0, 3.0, 4.0)),
        ([PastTraining(200, 2.0)], (1.0, 1.5, 2.0)),
        ([PastTraining(n, float(n)) for n in (1, 80, 100, 125, 9999)], (80.0, 100.0, 125.0)),
    ],
    ids=["none", "none of use", "as many", "half as many", "twice as many", "the nearest three"],
)
def test_an_estimate_lies_between_as_long_as_then_and_in_proportion(
    past: list[PastTraining], expected: tuple[float, float, float]
) -> None:
    found = estimate(100, past, 1.0, 1.0)

    assert (found.low_hours, found.hours, found.high_hours) == expected
    assert ("an assumption" in found.basis) == (expected[2] == 24.0)


@pytest.mark.parametrize(
    ("gate", "words"),
    [
        (Gate(Metric.F1, at_least=0.8), "F1 of all labels together: at least 0.8"),
        (Gate(label="cat", at_most=0.9), "recall of 'cat': at most 0.9"),
        (Gate(Metric.PRECISION, "*", at_least=-0.05, relative_to_champion=True),
         "precision of each label: at least the champion's -0.05"),
    ],
    ids=["overall", "headline of one label", "relative"],
)  # fmt: skip
def test_a_gate_is_said_in_words(gate: Gate, words: str) -> None:
    assert gate_in_words(gate, Metric.RECALL) == words
