"""The split of images with several labels: what each label gets, however labels and contents fall."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Mapping

from hypothesis import example, given
from hypothesis import strategies as st

from custom_labels.datasets.split import SideCounts, SplitRule, position

Images = Mapping[str, frozenset[str]]

contents = st.integers(0, 10_000).map(lambda number: position(hashlib.md5(str(number).encode()).hexdigest()))
labels = st.sets(st.sampled_from("abcdef"), min_size=1, max_size=4).map(frozenset)
several: st.SearchStrategy[Images] = st.dictionaries(contents, labels, max_size=40)
shares = st.sampled_from([0.001, 0.05, 0.2, 0.5, 0.95, 0.999])


def sides(rule: SplitRule, images: Images) -> dict[str, SideCounts]:
    found: dict[str, SideCounts] = {}
    for place, each in images.items():
        for label in each:
            counts = found.setdefault(label, SideCounts(0, 0))
            counts.train += not rule.is_test(place)
            counts.test += rule.is_test(place)
    return found


def split(rule: SplitRule, images: Images) -> SplitRule:
    return rule.for_labels(sides(rule, images), images)


TRIANGLE = {"1" * 32: frozenset("ab"), "2" * 32: frozenset("bc"), "3" * 32: frozenset("ca")}


@given(several, shares)
@example(TRIANGLE, 0.001)
@example(TRIANGLE, 0.999)
def test_every_label_trains_and_is_judged_where_that_can_be(images: Images, share: float) -> None:
    holds(split(SplitRule(share), images), images)


def holds(rule: SplitRule, images: Images) -> None:
    counts = sides(rule, images)
    several = {label for label, each in counts.items() if each.train + each.test > 1}
    for label in several:
        assert counts[label].train
        if not counts[label].test:  # then each of its images is all that another label has to train on
            of_it = [each for each in images.values() if label in each]
            assert all(any(counts[name].train == 1 for name in each & several) for each in of_it)
    assert set(rule.exceptions) <= set(images)


@given(several, shares, st.randoms(use_true_random=False))
def test_the_split_does_not_depend_on_the_order_of_images(images: Images, share: float, dice: random.Random) -> None:
    shuffled = dice.sample(sorted(images), len(images))

    assert split(SplitRule(share), {place: images[place] for place in shuffled}) == split(SplitRule(share), images)


@given(several, shares)
def test_splitting_again_changes_nothing(images: Images, share: float) -> None:
    rule = split(SplitRule(share), images)

    assert split(rule, images) == rule
    assert rule.keeps(rule)


@given(st.dictionaries(contents, st.sampled_from("abc").map(frozenset), max_size=30), shares)
def test_with_one_label_an_image_it_is_the_split_of_one_label(images: Images, share: float) -> None:
    one_by_one = SplitRule(share)
    for label in sorted(set().union(*images.values())):
        one_by_one = one_by_one.for_label(place for place, each in images.items() if label in each)

    assert split(SplitRule(share), images) == one_by_one


@given(several, several, shares)
def test_a_test_image_trains_later_only_where_its_label_has_no_other(
    images: Images, more: Images, share: float
) -> None:
    first = split(SplitRule(share), images)
    grown = {**more, **images}
    second = split(first.following(share), grown)

    judged = {place for place in images if first.is_test(place)}
    turned = {place for place in judged if not second.is_test(place)}
    before = sides(first.following(share), grown)
    for place in turned:
        assert any(not before[label].train for label in grown[place])


@given(several, shares)
@example(TRIANGLE, 0.001)
@example(TRIANGLE, 0.999)
def test_the_images_of_labels_that_lack_a_side_are_enough_to_know(images: Images, share: float) -> None:
    rule, before = SplitRule(share), None
    while rule != before:
        counts = sides(rule, images)
        lacking = {label for label, each in counts.items() if not each.train or not each.test}
        before, rule = rule, rule.for_labels(counts, {place: each for place, each in images.items() if each & lacking})

    holds(rule, images)
