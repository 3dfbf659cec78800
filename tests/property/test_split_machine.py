"""Images that arrive, vanish, move and change their label, and versions trained between: none judges and trains."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Mapping
from dataclasses import dataclass, field

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from custom_labels.datasets.images import Tally
from custom_labels.datasets.snapshot import MINIMUM_IMAGES_A_LABEL, LabelCount, make_snapshot
from custom_labels.datasets.split import SplitRule, Subset, position
from tests.kit.snapshots import NOW, checked_table

LABELS = ("cat", "dog", "eel")
labels = st.sampled_from(LABELS)
contents = st.integers(0, 60).map(lambda number: position(hashlib.md5(str(number).encode()).hexdigest()))


@dataclass(frozen=True)
class Frozen:
    """A stored snapshot, as ``freeze`` derives it from a listing.

    :param labels: positions of the contents, by label.
    :param excused: images that became train images for want of any other of their label: the docstring's hole.
    """

    digest: str
    rule: SplitRule
    labels: Mapping[str, frozenset[str]]
    excused: frozenset[str] = field(default_factory=frozenset)

    def on(self, side: Subset) -> set[str]:
        is_test = side is Subset.TEST
        return {content for each in self.labels.values() for content in each if self.rule.is_test(content) is is_test}


def frozen_from(images: Mapping[tuple[str, str], str], rule: SplitRule) -> Frozen:
    """Freeze images, given as positions by label and key in whatever order: duplicates go, then few, then the
    split follows.
    """
    usable: dict[str, dict[str, str]] = {}
    with checked_table(images) as table:
        table.leave_out(Tally())
        for image in table.find({key for _, key in images}):
            usable.setdefault(image.label, {})[image.key] = image.etag
    usable = {label: keys for label, keys in usable.items() if len(keys) >= MINIMUM_IMAGES_A_LABEL}
    excused: set[str] = set()
    for label in sorted(usable):
        before, rule = rule, rule.for_label(usable[label].values())
        more = {content for content, side in rule.exceptions.items() if before.exceptions.get(content) is not side}
        excused |= {content for content in more if not rule.is_test(content)}
    counts = [LabelCount(label, len(keys), 0, _digest(keys)) for label, keys in usable.items()]
    snapshot = make_snapshot(counts, NOW, None, ())
    sides = {label: frozenset(keys.values()) for label, keys in usable.items()}
    return Frozen(snapshot.digest, rule, sides, frozenset(excused))


def _digest(keys: Mapping[str, str]) -> str:
    return hashlib.sha256("".join(f"{key}\t{keys[key]}\n" for key in sorted(keys)).encode()).hexdigest()


class SplitMachine(RuleBasedStateMachine):
    """The folders of a project, the setting ``test_share``, and the versions that were trained."""

    def __init__(self) -> None:
        super().__init__()
        self.images: dict[tuple[str, str], str] = {}
        self.share = 0.2
        self.trained: list[Frozen] = []
        self.stored: dict[str, Frozen] = {}

    # -- what people do --------------------------------------------------------------------------------

    @rule(label=labels, more=st.lists(contents, min_size=1, max_size=8))
    def images_arrive(self, label: str, more: list[str]) -> None:
        for content in more:
            self.images[label, f"{content}.png"] = content

    @precondition(lambda self: self.images)
    @rule(dice=st.randoms(use_true_random=False), count=st.integers(1, 10))
    def images_are_deleted(self, dice: random.Random, count: int) -> None:
        for place in dice.sample(sorted(self.images), min(count, len(self.images))):
            del self.images[place]

    @precondition(lambda self: self.images)
    @rule(dice=st.randoms(use_true_random=False), label=labels)
    def images_are_renamed_or_relabelled(self, dice: random.Random, label: str) -> None:
        old = dice.choice(sorted(self.images))
        self.images[label, f"renamed {old[1]}"] = self.images.pop(old)

    @precondition(lambda self: self.images)
    @rule(dice=st.randoms(use_true_random=False), label=labels)
    def an_image_is_copied(self, dice: random.Random, label: str) -> None:
        place = dice.choice(sorted(self.images))
        self.images[label, f"copy of {place[1]}"] = self.images[place]

    @rule(label=labels, side=st.sampled_from(list(Subset)))
    def a_side_of_a_label_vanishes(self, label: str, side: Subset) -> None:
        present, is_test = self.following(), side is Subset.TEST
        for place in [place for place, content in self.images.items() if present.is_test(content) is is_test]:
            if place[0] == label:
                del self.images[place]

    @rule(share=st.sampled_from([0.05, 0.2, 0.3, 0.5, 0.9]))
    def the_share_is_set(self, share: float) -> None:
        self.share = share

    @rule()
    def a_snapshot_is_frozen_and_not_trained_on(self) -> None:
        self.write_snapshot()

    @rule(dice=st.randoms(use_true_random=False))
    def a_version_is_trained(self, dice: random.Random) -> None:
        frozen = self.write_snapshot()
        places = list(self.images.items())
        dice.shuffle(places)
        again = frozen_from(dict(places), self.following())
        assert again == frozen_from(self.images, self.following())
        assert again.digest == frozen.digest
        self.trained.append(frozen)
        assert self.write_snapshot() == frozen

    def write_snapshot(self) -> Frozen:
        """Freeze the images; those that were frozen before keep their split while that is sound."""
        frozen = frozen_from(self.images, self.following())
        stored = self.stored.get(frozen.digest)
        if stored and (not self.trained or stored.rule == frozen.rule or stored.rule.keeps(self.trained[-1].rule)):
            return stored
        self.stored[frozen.digest] = frozen
        return frozen

    def following(self) -> SplitRule:
        return self.trained[-1].rule.following(self.share) if self.trained else SplitRule(self.share)

    # -- what must hold --------------------------------------------------------------------------------

    @invariant()
    def no_image_both_trains_and_judges_a_version(self) -> None:
        for version in self.trained[-1:]:
            assert not version.on(Subset.TRAIN) & version.on(Subset.TEST)

    @invariant()
    def no_version_trains_on_what_judged_an_earlier_one(self) -> None:
        """But for the hole that the rule names: the last images of a label, all of which judged before."""
        for version in self.trained[-1:]:
            judged = set().union(*(earlier.on(Subset.TEST) for earlier in self.trained))
            excused = set().union(*(each.excused for each in self.trained))
            assert version.on(Subset.TRAIN) & judged <= excused

    @invariant()
    def every_label_of_a_version_is_on_both_sides(self) -> None:
        for version in self.trained[-1:]:
            for each in version.labels.values():
                assert {version.rule.is_test(content) for content in each} == {True, False}

    @invariant()
    def an_image_is_excused_only_where_its_label_has_no_other_to_train_on(self) -> None:
        for version in self.trained[-1:]:
            for each in version.labels.values():
                if each & version.excused:
                    assert len([content for content in each if not version.rule.is_test(content)]) == 1

    @invariant()
    def images_judge_what_trained_on_them_only_where_the_share_grew_or_none_was_left(self) -> None:
        """An image of an earlier version's training may judge a later version, which does not train on it."""
        for earlier, later in zip(self.trained, self.trained[1:], strict=False):
            turned = earlier.on(Subset.TRAIN) & later.on(Subset.TEST)
            held = earlier.rule.exceptions
            fresh = {content for content, side in later.rule.exceptions.items() if held.get(content) is not side}
            assert later.rule.share > earlier.rule.share or turned <= fresh

    @invariant()
    def the_share_never_falls(self) -> None:
        shares = [version.rule.share for version in self.trained]
        assert shares == sorted(shares)


TestSplitMachine = SplitMachine.TestCase
TestSplitMachine.settings = settings(max_examples=60, stateful_step_count=30)
