"""Krippendorff's alpha: the examples that he published, and what people judge about an image of each kind."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import pytest

from custom_labels.datasets.annotations.annotation import Box, ImageSize
from custom_labels.review.agreement import Choice, disagreement, nominal_alpha, units
from custom_labels.review.review import AnyAnswer, BoxesAnswer, LabelsAnswer, ReviewAnswer

SIZE = ImageSize(640, 480)
BEE, SAME_BEE = Box("bee", 100, 100, 40, 40), Box("bee", 104, 100, 40, 44)
WASP, FAR = Box("wasp", 100, 100, 40, 40), Box("bee", 300, 300, 40, 40)


def at(second: int) -> str:
    return f"2026-11-20T11:00:{second:02}+00:00"


def single(*labels: str | None) -> list[AnyAnswer]:
    return [ReviewAnswer(f"w{n}", label, at(n)) for n, label in enumerate(labels)]


def several(*labels: str) -> list[AnyAnswer]:
    return [LabelsAnswer(f"w{n}", tuple(given), at(n)) for n, given in enumerate(labels)]


def drawn(*boxes: Sequence[Box]) -> list[AnyAnswer]:
    return [BoxesAnswer(f"w{n}", tuple(given), SIZE, at(n)) for n, given in enumerate(boxes)]


@pytest.mark.parametrize(
    ("observers", "published"),
    [
        (("0100000010", "1110010000"), 0.095),
        (("aabbdcccedda", "babbbccceddd"), 0.692),
        (("123321412...", "1233224125.3", ".3332342251.", "12332441251."), 0.743),
    ],
    ids=["two people, two values", "two people", "four people who miss some"],
)
def test_alpha_is_the_published_one(observers: Sequence[str], published: float) -> None:
    columns = [[value for value in column if value != "."] for column in zip(*observers, strict=True)]
    judged = [Counter(column) for column in columns if len(column) > 1]

    found = nominal_alpha(sum(judged, Counter()), sum(disagreement(each.values()) for each in judged))

    assert found == pytest.approx(published, abs=0.0005)


@pytest.mark.parametrize("values", [{}, {"rows": 8}], ids=["nobody", "all the same"])
def test_alpha_is_not_known_where_chance_cannot_be_told_from_agreement(values: dict[str, int]) -> None:
    assert nominal_alpha(values, 0) is None


@pytest.mark.parametrize(
    ("answers", "judged"),
    [
        (single("rows", None, "rows"), [[("rows",), (), ("rows",)]]),
        (several("ab", "", "b"), [[("a", "b"), (), ("b",)]]),
        (drawn([BEE], [SAME_BEE]), [[("bee",), ("bee",)]]),
        (drawn([BEE], [WASP]), [[("bee",), ("wasp",)]]),
        (drawn([BEE, FAR], [SAME_BEE], []), [[("bee",), ("bee",), ()], [("bee",), (), ()]]),
        (drawn([], []), [[(), ()]]),
        ([*drawn([BEE]), BoxesAnswer("w1", (BEE,), ImageSize(64, 48), at(9))], []),
        ([*single("rows"), ReviewAnswer("w0", "columns", at(9))], [[("rows",)]]),
    ],
    ids=["label", "labels", "a place", "another label", "two places", "nothing there", "another size", "twice"],
)
def test_people_judge_images_and_places(answers: list[AnyAnswer], judged: list[list[Choice]]) -> None:
    assert list(units(answers, 0.5)) == judged
