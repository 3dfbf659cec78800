"""Doubt: each rule by itself, and all of them where an image may have several labels or boxes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from custom_labels.aws.predictions import Box, DetectedLabel, surest_first
from custom_labels.core.project_task import ProjectTask
from custom_labels.core.uncertainty import Uncertainty
from custom_labels.detection.detection import Decision, decide
from custom_labels.detection.doubt import (
    DoubtRules,
    least_confident,
    missing_label,
    odd_count,
    small_margin,
    small_margin_of_boxes,
)
from custom_labels.detection.settings import DetectionSettings
from tests.kit.task_contexts import default_settings

Found = tuple[DetectedLabel, ...]
SEVERAL, BOXES = ProjectTask.MULTI_LABEL_CLASSIFICATION, ProjectTask.OBJECT_DETECTION
HERE, NEAR, ELSEWHERE = Box(0.1, 0.1, 0.2, 0.2), Box(0.12, 0.1, 0.2, 0.2), Box(0.6, 0.6, 0.2, 0.2)


def found(*labels: tuple[str, float] | tuple[str, float, Box]) -> Found:
    return surest_first(DetectedLabel(*each) for each in labels)


@pytest.mark.parametrize(
    ("labels", "reason"),
    [
        (found(("bee", 90), ("wasp", 70)), None),
        (found(("bee", 90), ("wasp", 69.9)), "'wasp' at 69.9 % is below its minimum of 70 %"),
        (found(("fly", 75), ("wasp", 69.9)), "'fly' at 75.0 % is below its minimum of 80 %, and so is another"),
        (
            found(("fly", 41), ("wasp", 40), ("bee", 69)),
            "'fly' at 41.0 % is below its minimum of 80 %, and so are 2 more",
        ),
        ((), None),
    ],
    ids=["all reach it", "one is below", "each has its own", "the farthest is named", "nothing"],
)
def test_the_label_that_is_farthest_below_its_own_minimum_is_named(labels: Found, reason: str | None) -> None:
    assert least_confident(labels, lambda label: 80 if label == "fly" else 70) == reason


@pytest.mark.parametrize(
    ("labels", "is_doubted"),
    [
        (found(("a", 60), ("b", 51)), True),
        (found(("a", 60), ("b", 50)), False),
        (found(("a", 60)), False),
        ((), False),
    ],
    ids=["close", "just far enough", "one", "none"],
)
def test_two_labels_that_are_about_as_sure_are_doubted(labels: Found, is_doubted: bool) -> None:
    assert (small_margin(labels, 10) is not None) == is_doubted


@pytest.mark.parametrize(
    ("labels", "is_doubted"),
    [
        (found(("a", 60, HERE), ("b", 55, NEAR)), True),
        (found(("a", 60, HERE), ("b", 55, ELSEWHERE)), False),
        (found(("a", 60, HERE), ("a", 55, NEAR)), False),
        (found(("a", 90, HERE), ("b", 55, NEAR)), False),
        (found(("a", 60), ("b", 55)), False),
    ],
    ids=["at one place", "at two places", "of one label", "far apart", "no boxes"],
)
def test_boxes_of_two_labels_exclude_each_other_at_one_place(labels: Found, is_doubted: bool) -> None:
    assert (small_margin_of_boxes(labels, 10) is not None) == is_doubted


@pytest.mark.parametrize(
    ("count", "reason"),
    [
        (1, "1 was found, fewer than the 2 that are usual"),
        (2, None),
        (3, None),
        (4, "4 were found, more than the 3 that are usual"),
    ],
)
def test_an_unusual_number_is_doubted(count: int, reason: str | None) -> None:
    assert odd_count(found(*[("a", 90)] * count), 2, 3) == reason


def test_a_label_that_is_usually_there_is_missed() -> None:
    labels = found(("a", 90))

    assert missing_label(labels, ("a",)) is None
    assert missing_label(labels, ("a", "b")) == "'b' is missing"
    assert missing_label(labels, ("c", "b")) == "'c' and 'b' are missing"


DECIDED = [
    ("all are sure", BOXES, found(("a", 90), ("a", 71)), {}, "", "the least sure of 2, 'a' at 71.0 % reaches"),
    ("one is not sure", BOXES, found(("a", 90), ("a", 69)), {}, "'a' at 69.0 % is below its minimum of 70 %", ""),
    ("noise does not count", BOXES, found(("a", 90), ("b", 29)), {}, "", "'a' at 90.0 % reaches its minimum of 70 %"),
    ("noise alone is nothing", BOXES, found(("b", 29)), {}, "no label was found with 30 % or more", ""),
    ("nothing", BOXES, (), {}, "no label was found", ""),
    ("nothing, which may be", BOXES, (), {"fewest": 0}, "", "no label was found"),
    (
        "nothing, without what must be",
        BOXES,
        (),
        {"fewest": 0, "expected": ("a",)},
        "no label was found; 'a' is missing",
        "",
    ),
    ("a label is missing", SEVERAL, found(("a", 90)), {"expected": ("a", "b")}, "'b' is missing", ""),
    ("each has its own minimum", SEVERAL, found(("a", 90), ("b", 45)), {"by_label": {"b": 40}}, "", "'b' at 45.0 %"),
    ("several labels are no margin", SEVERAL, found(("a", 90), ("b", 89)), {"strategies": (*Uncertainty,)}, "", "'b'"),
    (
        "all that is doubtful is said",
        BOXES,
        found(("a", 60, HERE), ("b", 55, NEAR)),
        {"strategies": (*Uncertainty,), "most": 1, "expected": ("c",)},
        "; ".join(
            (
                "'b' at 55.0 % is below its minimum of 70 %, and so is another",
                "'a' at 60.0 % is less than 10 % ahead of 'b' at 55.0 %, which is at the same place",
                "2 were found, more than the 1 that are usual",
                "'c' is missing",
            )
        ),
        "",
    ),
    (
        "a rule that is not in force",
        BOXES,
        found(("a", 60)),
        {"strategies": (Uncertainty.BOX_COUNT,)},
        "",
        "'a' at 60.0 %: 'uncertainty' has no rule that doubts it",
    ),
]


@pytest.mark.parametrize(("task", "labels", "rules", "doubt", "accepted"), [case[1:] for case in DECIDED],
                         ids=[case[0] for case in DECIDED])  # fmt: skip
def test_an_image_with_several_is_decided(
    task: ProjectTask, labels: Found, rules: dict[str, object], doubt: str, accepted: str
) -> None:
    decided = decide(labels, DoubtRules(task, **rules), review_is_on=True)  # type: ignore[arg-type]

    assert decided.decision is (Decision.REVIEW if doubt else Decision.ACCEPTED)
    assert (decided.reason == doubt) if doubt else (accepted in decided.reason)


@pytest.mark.parametrize("noise", [0, 30])
def test_one_label_an_image_is_decided_by_the_surest_whatever_else_is_there(noise: float) -> None:
    labels = found(("a", 71), ("b", 20), ("c", 1))

    decided = decide(labels, DoubtRules(noise=noise, expected=("z",), most=0), review_is_on=True)

    assert (decided.decision, decided.minimum) == (Decision.ACCEPTED, 70)
    assert decided.reason == "'a' at 71.0 % reaches its minimum of 70 %"


@pytest.mark.parametrize(("task", "noise"), [(ProjectTask.IMAGE_CLASSIFICATION, 0), (SEVERAL, 30), (BOXES, 30)])
def test_noise_is_known_where_an_image_may_have_several(task: ProjectTask, noise: float) -> None:
    assert DoubtRules.of(task, default_settings(DetectionSettings)).noise == noise


labels_of_any_kind = st.lists(
    st.builds(
        DetectedLabel,
        st.sampled_from("abc"),
        st.floats(0, 100),
        st.none() | st.builds(Box, *[st.floats(0, 0.5)] * 2, *[st.floats(0.01, 0.5)] * 2),
    ),
    max_size=6,
).map(surest_first)


@given(labels_of_any_kind, st.sampled_from(ProjectTask), st.sets(st.sampled_from(Uncertainty)))
def test_whatever_is_found_is_decided_with_a_reason(
    labels: Found, task: ProjectTask, strategies: set[Uncertainty]
) -> None:
    decided = decide(labels, DoubtRules(task, strategies=tuple(strategies)), review_is_on=True)

    assert decided.reason
    assert decided.decision in {Decision.REVIEW, Decision.ACCEPTED}


@given(labels_of_any_kind, st.floats(0, 100), st.floats(0, 100))
def test_a_stricter_minimum_doubts_no_fewer(labels: Found, one: float, other: float) -> None:
    lax, strict = sorted((one, other))

    if least_confident(labels, lambda _: lax):
        assert least_confident(labels, lambda _: strict)
