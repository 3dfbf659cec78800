"""Two versions on the same images: the sample, the images on which they differ, and the words for it."""

from __future__ import annotations

import json
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from custom_labels.core.codec import from_json, to_json
from custom_labels.core.gate import Comparison, Metric, Metrics, Scores
from custom_labels.evaluation.comparison import (
    SameImages,
    compare,
    find_flips,
    headline_words,
    images_digest,
    quotas,
    take_sample,
)
from custom_labels.evaluation.label_answers import LabelAnswer
from custom_labels.evaluation.verdicts import VerdictChange


@pytest.mark.parametrize(
    ("counts", "limit", "shares"),
    [
        ({"a": 3, "b": 2}, 5, {"a": 3, "b": 2}),
        ({"a": 60, "b": 30, "c": 10}, 10, {"a": 6, "b": 3, "c": 1}),
        ({"a": 1000, "b": 1, "c": 1}, 10, {"a": 8, "b": 1, "c": 1}),
        ({"a": 5, "b": 5, "c": 5}, 4, {"a": 1, "b": 1, "c": 2}),
        ({"a": 5, "b": 5, "c": 5}, 2, {"a": 1, "b": 1, "c": 0}),
        ({}, 4, {}),
    ],
    ids=["all", "in proportion", "a rare label keeps one", "what is left over", "fewer than labels", "none"],
)
def test_a_sample_is_shared_among_the_labels(counts: dict[str, int], limit: int, shares: dict[str, int]) -> None:
    assert quotas(counts, limit) == shares


@given(st.dictionaries(st.text(max_size=3), st.integers(1, 10_000), max_size=40), st.integers(1, 2000))
def test_a_sample_is_as_large_as_may_be_and_leaves_no_label_out_without_need(
    counts: dict[str, int], limit: int
) -> None:
    shares = quotas(counts, limit)

    assert sum(shares.values()) == min(limit, sum(counts.values()))
    assert all(shares[label] <= counts[label] for label in counts)
    assert all(shares.values()) or limit < len(counts)


def test_a_sample_is_the_same_in_whatever_order_the_images_come() -> None:
    answers = [LabelAnswer(f"s3://b/{label}/{n}", (label,), ()) for label in "abc" for n in range(50)]
    taken = []
    for seed in (1, 2):
        random.Random(seed).shuffle(answers)
        taken.append(take_sample(answers, 12))

    assert taken[0] == taken[1]
    assert [answer.actual[0] for answer in taken[0]] == ["a"] * 4 + ["b"] * 4 + ["c"] * 4


def pair(image: str, champion: str, challenger: str) -> tuple[LabelAnswer, LabelAnswer]:
    return LabelAnswer(image, ("cat",), tuple(champion.split())), LabelAnswer(
        image, ("cat",), tuple(challenger.split())
    )


PAIRS = [
    pair("s3://b/1", "cat", "cat"),
    pair("s3://b/2", "dog", "cat"),
    pair("s3://b/3", "dog", "emu"),
    pair("s3://b/4", "dog", "dog"),
    pair("s3://b/5", "cat", "dog"),
    pair("s3://b/0", "cat", ""),
]


def test_flips_are_the_images_with_another_answer_the_worst_first() -> None:
    flips = find_flips(PAIRS)

    assert [(flip.image[-1], flip.change) for flip in flips] == [
        ("0", VerdictChange.REGRESSION),
        ("5", VerdictChange.REGRESSION),
        ("2", VerdictChange.IMPROVEMENT),
        ("3", VerdictChange.STILL_WRONG),
    ]
    assert (flips[0].champion, flips[0].challenger) == (("cat",), ())


def test_the_digest_names_images_and_contents_in_any_order() -> None:
    images = [("s3://b/1", "e1"), ("s3://b/2", "e2")]

    assert images_digest(images) == images_digest(reversed(images))
    assert images_digest(images) != images_digest([("s3://b/1", "e1"), ("s3://b/2", "e3")])


def test_both_versions_are_scored_on_the_same_images() -> None:
    same = compare(PAIRS, ["cat", "dog"], test_images=10, digest="d", left_out={"gone": 4})

    assert same.champion.overall.recall == 0.5
    assert same.challenger.overall.recall == pytest.approx(1 / 3)
    assert (same.images, len(same.flips)) == (6, 4)
    assert from_json(SameImages, json.loads(json.dumps(to_json(same)))) == same


OLD, NEW, WHOLE = (Scores(Metrics(f1, 0.5, 0.5)) for f1 in (0.7, 0.8, 0.9))


@pytest.mark.parametrize(
    ("comparison", "words"),
    [
        (Comparison(WHOLE), "F1 0.900"),
        (Comparison(WHOLE, OLD), "F1 0.900, the champion 0.700, each on its own test images"),
        (Comparison(WHOLE, OLD, NEW), "F1 0.800, the champion 0.700, both on the same 6 test images"),
    ],
    ids=["no champion", "own evaluations", "same images"],
)
def test_the_headline_says_what_it_was_measured_on(comparison: Comparison, words: str) -> None:
    assert headline_words(Metric.F1, comparison, 6) == words
