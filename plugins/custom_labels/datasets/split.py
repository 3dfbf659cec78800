"""Which images judge a model and which train it: decided by their content, once and for good."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property

_SALT = b"custom-labels-loop/split/1:"
"""Never to be changed: another salt is another test set, and no two versions could be compared across it."""
_DIGITS = 32


class Subset(StrEnum):
    """The dataset that an image belongs to."""

    TRAIN = "train"
    TEST = "test"

    @property
    def other(self) -> Subset:
        """The other one of the two."""
        return Subset.TEST if self is Subset.TRAIN else Subset.TRAIN


@dataclass
class SideCounts:
    """How many images of a label are on each side."""

    train: int
    test: int

    def on(self, side: Subset) -> int:
        """Give the number on a side."""
        return self.train if side is Subset.TRAIN else self.test

    def move_to(self, side: Subset) -> None:
        """Count one image on this side that was on the other."""
        step = 1 if side is Subset.TRAIN else -1
        self.train, self.test = self.train + step, self.test - step


def position(content_id: str) -> str:
    """Give the place of a content in the order of the split, as 32 hexadecimal digits that sort like numbers.

    Like the content id itself it is the same for copies and for nothing else, so that it stands for the content.

    :param content_id: MD5 of an image, hex.
    """
    return hashlib.sha256(_SALT + content_id.encode()).hexdigest()[:_DIGITS]


@dataclass(frozen=True)
class SplitRule:
    """The rule that a snapshot was split by.

    An image is a test image if its :func:`position`, a hash of its content, is in the lowest share of all places. So
    whatever arrives, is deleted or is renamed, it stays on its side, and a copy under another key falls on the same
    side.

    A label needs at least one image on each side. Where the hash gives none, the label's image with the
    lowest position becomes its test image, or the one with the highest its train image. Such an exception is
    remembered by content and handed on (:meth:`following`), so that it too holds for good once a version was
    trained on it.

    Raising the share turns train images into test images, which is sound: no later version trains on them.
    Lowering it would train on images that judged earlier versions, so a lower share is not followed.

    The holes: (1) if all train images of a label vanish, one of its test images must become a train image,
    and judged earlier versions; (2) exceptions of a snapshot that no version was trained on are forgotten,
    and may be chosen anew; (3) the same picture encoded anew is another content, and stays on the side of the first
    only where it is recognized as its near duplicate (:meth:`keeping_together`); (4) where all images of a label are
    near duplicates of each other, the label is judged by none, or hole (1) moves all of them together.

    :param share: of all images, 0 to 1, that are test images.
    :param exceptions: sides of images, by position, that differ from what the hash says.
    """

    share: float
    exceptions: Mapping[str, Subset] = field(default_factory=dict)

    @cached_property
    def _limit(self) -> str:
        """The place below which that share of the positions lies; a float tells no more than the first 14 digits."""
        return f"{int(self.share * 16**14):014x}"

    def is_test(self, position: str) -> bool:
        """Whether an image is a test image."""
        exception = self.exceptions.get(position)
        return position < self._limit if exception is None else exception is Subset.TEST

    def following(self, share: float) -> SplitRule:
        """Give the rule for the next snapshot: the wanted share if not lower, and the same exceptions."""
        return SplitRule(max(self.share, share), self.exceptions)

    def keeps(self, earlier: SplitRule) -> bool:
        """Say whether all images that are test images under an earlier rule are so under this one."""
        return (
            self.share >= earlier.share
            and all(self.is_test(place) for place, side in earlier.exceptions.items() if side is Subset.TEST)
            and not any(earlier.is_test(place) for place, side in self.exceptions.items() if side is Subset.TRAIN)
        )

    def keeping_together(self, groups: Iterable[Collection[str]], earlier: Mapping[str, Subset]) -> SplitRule:
        """Give the rule under which all images of each group are on one side, adding exceptions where it needs some.

        A group goes where an image of it judged before, so that none that judged is trained on; else where an image
        trained, so that what versions are compared on does not change; else where its lowest position is.

        :param groups: of positions; no two have the same.
        :param earlier: sides of images in the snapshot trained on last, as far as it had them.
        """
        exceptions = dict(self.exceptions)
        for group in groups:
            known = {earlier[place] for place in group if place in earlier}
            if len({self.is_test(place) for place in group}) < 2:
                continue
            lowest = Subset.TEST if self.is_test(min(group)) else Subset.TRAIN
            side = next((each for each in (Subset.TEST, Subset.TRAIN) if each in known), lowest)
            exceptions.update({place: side for place in group if self.is_test(place) is not (side is Subset.TEST)})
        return SplitRule(self.share, exceptions)

    def for_label(self, positions: Iterable[str]) -> SplitRule:
        """Give the rule under which each side has an image of a label, adding an exception where it needs one.

        :param positions: of all images of the label; one image alone gets no exception.
        """
        places = sorted(positions)
        tests = list(map(self.is_test, places))
        if len(places) < 2 or any(tests) != all(tests):
            return self
        return self._with(places[-1:], Subset.TRAIN) if all(tests) else self._with(places[:1], Subset.TEST)

    def for_labels(
        self,
        counts: Mapping[str, SideCounts],
        images: Mapping[str, Collection[str]],
        groups: Mapping[str, Collection[str]] | None = None,
    ) -> SplitRule:
        """Give the rule under which each side has an image of each label, where images have several labels.

        An image that is moved takes all its labels along, so not every label can have both: three images with two of
        three labels each are an example. Then no label is left without a train image, of which Custom Labels needs one,
        and some are without a test image, and judged by none. With one label an image this is :meth:`for_label`.

        :param counts: images of every label on each side, under this rule; labels with one image alone get nothing.
        :param images: labels of the images that may be moved, by position: those of the labels that lack a side, or
            enough of them from either end of the order, and those that are in a group with one of them.
        :param groups: by position, those that change their side together, itself among them.
        """
        sides = {
            label: SideCounts(each.train, each.test) for label, each in counts.items() if each.train + each.test > 1
        }
        rule = self
        for lacking in Subset:
            for label in sorted(sides):
                if not sides[label].on(lacking):
                    rule = rule._with_side(label, lacking, sides, images, groups or {})
        return rule

    def _with_side(
        self,
        label: str,
        side: Subset,
        sides: Mapping[str, SideCounts],
        images: Mapping[str, Collection[str]],
        groups: Mapping[str, Collection[str]],
    ) -> SplitRule:
        """Move the image of a label that is first in order on the way to a side, and count it there."""
        best: tuple[int, str] | None = None
        for place, labels in images.items():
            if label not in labels:
                continue
            moved = Counter(each for member in groups.get(place, (place,)) for each in images[member] if each in sides)
            robbed = sum(sides[each].on(side.other) == number for each, number in moved.items())
            if side is Subset.TRAIN:
                # Every label needs a train image, so one is moved whatever it costs, but first where it costs nothing.
                best = max(best or (-robbed, place), (-robbed, place))
            elif not robbed:
                best = min(best or (0, place), (0, place))
        if best is None:
            return self
        unit = groups.get(best[1], (best[1],))
        for each in (each for member in unit for each in images[member]):
            if each in sides:
                sides[each].move_to(side)
        return self._with(unit, side)

    def _with(self, places: Iterable[str], side: Subset) -> SplitRule:
        return SplitRule(self.share, {**self.exceptions, **dict.fromkeys(places, side)})
