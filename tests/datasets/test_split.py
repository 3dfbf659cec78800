"""The split by content: stable whatever arrives, and never without a test or a train image."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from custom_labels.core.codec import from_json, to_json
from custom_labels.datasets.split import LabelSplit, SplitRule, Subset, position, split_label

contents = st.text("0123456789abcdef", min_size=32, max_size=32)
labels = st.sets(contents, min_size=2, max_size=30)
shares = st.floats(0.01, 0.99)


def sides(images: set[str], rule: SplitRule) -> dict[str, Subset]:
    return {image: rule.side(image) for image in images}


@given(labels, shares)
def test_both_sides_have_an_image_whatever_the_contents(images: set[str], share: float) -> None:
    rule = split_label(images, SplitRule(share))
    assert set(sides(images, rule).values()) == {Subset.TRAIN, Subset.TEST}


@given(labels, labels, shares)
def test_a_test_image_stays_one_when_others_arrive(before: set[str], more: set[str], share: float) -> None:
    first = split_label(before, SplitRule(share))
    second = split_label(before | more, first.following(share))
    assert sides(before, second) == sides(before, first)


@given(labels, shares, st.data())
def test_an_image_stays_on_its_side_when_others_are_deleted(
    images: set[str], share: float, data: st.DataObject
) -> None:
    first = split_label(images, SplitRule(share))
    kept = data.draw(st.sets(st.sampled_from(sorted(images)), min_size=2)) if len(images) > 2 else images
    second = split_label(kept, first.following(share))
    before, after = sides(kept, first), sides(kept, second)
    if set(before.values()) == {Subset.TRAIN, Subset.TEST}:
        assert after == before
    else:  # the known hole: one image had to change its side
        assert sum(before[image] != after[image] for image in kept) == 1


@given(labels, shares, shares)
def test_no_test_image_is_trained_on_when_the_share_changes(images: set[str], share: float, other: float) -> None:
    first = split_label(images, SplitRule(share))
    second = first.following(other)
    assert all(second.side(image) is Subset.TEST for image in images if first.side(image) is Subset.TEST)


@given(st.lists(contents, min_size=1, max_size=40, unique=True), shares)
def test_the_order_and_the_batches_do_not_matter(images: list[str], share: float) -> None:
    whole, single = LabelSplit(SplitRule(share)), LabelSplit(SplitRule(share))
    together = whole.add(images)
    one_by_one = [single.add([image])[0] for image in images]
    assert (together, whole.counts, whole.exception()) == (one_by_one, single.counts, single.exception())


def test_the_share_is_met_when_there_are_many_images() -> None:
    split = LabelSplit(SplitRule(0.2))
    split.add([f"{number:032x}" for number in range(20_000)])
    assert 3_800 < split.counts[Subset.TEST] < 4_200


def test_the_salt_is_what_it_always_was() -> None:
    assert position("0" * 32).startswith("42503d40a4a5a840")


def test_one_image_alone_gets_no_exception() -> None:
    split = LabelSplit(SplitRule(0.2))
    split.add(["0" * 32])
    assert split.exception() == {}


def test_the_rule_survives_json() -> None:
    rule = SplitRule(0.25, {"0" * 32: Subset.TEST, "1" * 32: Subset.TRAIN})
    assert from_json(SplitRule, to_json(rule)) == rule
