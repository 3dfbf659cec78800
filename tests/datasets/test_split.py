"""The split by content: stable whatever arrives, and never without a test or a train image."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from custom_labels.core.codec import from_json, to_json
from custom_labels.datasets.split import SideCounts, SplitRule, Subset, position

contents = st.text("0123456789abcdef", min_size=32, max_size=32).map(position)
labels = st.sets(contents, min_size=2, max_size=30)
shares = st.floats(0.01, 0.99)


def sides(images: set[str], rule: SplitRule) -> dict[str, bool]:
    """Say which images are test images."""
    return {image: rule.is_test(image) for image in images}


@given(labels, shares)
def test_both_sides_have_an_image_whatever_the_contents(images: set[str], share: float) -> None:
    rule = SplitRule(share).for_label(images)
    assert set(sides(images, rule).values()) == {True, False}


@given(labels, labels, shares)
def test_a_test_image_stays_one_when_others_arrive(before: set[str], more: set[str], share: float) -> None:
    first = SplitRule(share).for_label(before)
    second = first.following(share).for_label(before | more)
    assert sides(before, second) == sides(before, first)


@given(labels, shares, st.data())
def test_an_image_stays_on_its_side_when_others_are_deleted(
    images: set[str], share: float, data: st.DataObject
) -> None:
    first = SplitRule(share).for_label(images)
    kept = data.draw(st.sets(st.sampled_from(sorted(images)), min_size=2)) if len(images) > 2 else images
    second = first.following(share).for_label(kept)
    before, after = sides(kept, first), sides(kept, second)
    if set(before.values()) == {True, False}:
        assert after == before
    else:  # the known hole: one image had to change its side
        assert sum(before[image] != after[image] for image in kept) == 1


@given(labels, shares, shares)
def test_no_test_image_is_trained_on_when_the_share_changes(images: set[str], share: float, other: float) -> None:
    first = SplitRule(share).for_label(images)
    second = first.following(other)
    assert all(second.is_test(image) for image in images if first.is_test(image))


@given(st.lists(contents, min_size=1, max_size=40, unique=True), shares, st.randoms(use_true_random=False))
def test_the_order_does_not_matter(images: list[str], share: float, dice: random.Random) -> None:
    rule = SplitRule(share).for_label(images)
    dice.shuffle(images)
    assert SplitRule(share).for_label(images) == rule


def test_the_share_is_met_when_there_are_many_images() -> None:
    rule = SplitRule(0.2)
    assert 3_800 < sum(rule.is_test(position(f"{number:032x}")) for number in range(20_000)) < 4_200


def test_the_salt_is_what_it_always_was() -> None:
    assert position("0" * 32).startswith("42503d40a4a5a840")


def test_one_image_alone_gets_no_exception() -> None:
    assert SplitRule(0.2).for_label([position("0" * 32)]) == SplitRule(0.2)


def test_the_rule_survives_json() -> None:
    rule = SplitRule(0.25, {"0" * 32: Subset.TEST, "1" * 32: Subset.TRAIN})
    assert from_json(SplitRule, to_json(rule)) == rule


GROUPED = st.lists(st.lists(st.text("abcdef0123456789", min_size=32, max_size=32), min_size=2, max_size=4), max_size=8)


def distinct(groups: list[list[str]]) -> list[tuple[str, ...]]:
    """Give groups in which no position is twice."""
    seen: set[str] = set()
    found = []
    for group in groups:
        members = tuple(sorted(set(group) - seen))
        seen.update(members)
        if members:
            found.append(members)
    return found


@given(groups=GROUPED, share=st.floats(0.05, 0.95))
def test_near_duplicates_are_never_on_both_sides(groups: list[list[str]], share: float) -> None:
    together = distinct(groups)
    before = SplitRule(share)

    rule = before.keeping_together(together, {})

    assert all(len({rule.is_test(place) for place in group}) == 1 for group in together)
    assert rule == rule.keeping_together(together, {})
    whole = [group for group in together if len({before.is_test(place) for place in group}) == 1]
    assert all(rule.is_test(group[0]) is before.is_test(group[0]) for group in whole), "they stay where they were"


@given(groups=GROUPED, share=st.floats(0.05, 0.95), dice=st.randoms())
def test_what_judged_is_never_trained_on_whatever_shows_the_same(
    groups: list[list[str]], share: float, dice: random.Random
) -> None:
    together = distinct(groups)
    before = SplitRule(share)
    known = {
        place: Subset.TEST if before.is_test(place) else Subset.TRAIN
        for group in together
        for place in group
        if dice.random() < 0.5
    }

    rule = before.following(share).keeping_together(together, known)

    assert all(rule.is_test(place) for place, side in known.items() if side is Subset.TEST)
    for group in together:
        judged = any(known.get(place) is Subset.TEST for place in group)
        trained = any(known.get(place) is Subset.TRAIN for place in group)
        if trained and not judged:
            assert not any(rule.is_test(place) for place in group if place in known)


def test_a_group_moves_to_a_side_together_where_a_label_lacks_it() -> None:
    group = ("0" * 32, "1" * 32)
    rule = SplitRule(0.001, dict.fromkeys(group, Subset.TRAIN))
    images = {**{place: ["a"] for place in group}, "f" * 32: ["a"]}

    found = rule.for_labels({"a": SideCounts(3, 0)}, images, dict.fromkeys(group, group))

    assert [place for place in images if found.is_test(place)] == list(group)


def test_a_label_whose_images_are_all_near_duplicates_is_judged_by_none() -> None:
    group = ("8" * 32, "9" * 32)
    rule = SplitRule(0.1)

    found = rule.for_labels({"a": SideCounts(2, 0)}, {place: ["a"] for place in group}, dict.fromkeys(group, group))

    assert not any(found.is_test(place) for place in group)
