"""Which images judge a model and which train it: decided by their content, once and for good."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

_SALT = b"custom-labels-loop/split/1:"
"""Never to be changed: another salt is another test set, and no two versions could be compared across it."""


class Subset(StrEnum):
    """The dataset that an image belongs to."""

    TRAIN = "train"
    TEST = "test"


def position(content_id: str) -> str:
    """Give an image's place on a line from 000... to fff..., as 64 hexadecimal digits that sort like numbers."""
    return hashlib.sha256(_SALT + content_id.encode()).hexdigest()


def _limit(share: float) -> str:
    """Give the place below which that share of the line lies; a float tells no more than the first 14 digits."""
    return f"{int(share * 16**14):014x}"


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
    and may be chosen anew; (3) the same picture encoded anew is another content.

    :param share: of all images, 0 to 1, that are test images.
    :param exceptions: sides of images, by content id, that differ from what the hash says.
    """

    share: float
    exceptions: Mapping[str, Subset] = field(default_factory=dict)

    def side(self, content_id: str) -> Subset:
        """Say on which side an image is."""
        by_hash = Subset.TEST if position(content_id) < _limit(self.share) else Subset.TRAIN
        return self.exceptions.get(content_id, by_hash)

    def following(self, share: float) -> SplitRule:
        """Give the rule for the next snapshot: the wanted share if not lower, and the same exceptions."""
        return SplitRule(max(self.share, share), self.exceptions)

    def keeps(self, earlier: SplitRule) -> bool:
        """Say whether all images that are test images under an earlier rule are so under this one."""
        return (
            self.share >= earlier.share
            and all(self.side(key) is Subset.TEST for key, side in earlier.exceptions.items() if side is Subset.TEST)
            and all(earlier.side(key) is Subset.TRAIN for key, side in self.exceptions.items() if side is Subset.TRAIN)
        )

    def with_exceptions(self, more: Mapping[str, Subset]) -> SplitRule:
        """Give this rule with further exceptions."""
        return SplitRule(self.share, {**self.exceptions, **more}) if more else self


class LabelSplit:
    """Splits one label's images as they stream by, remembering only the two that could become exceptions."""

    def __init__(self, rule: SplitRule) -> None:
        self.rule = rule
        self.counts = dict.fromkeys(Subset, 0)
        self._lowest = ("~", "")
        self._highest = ("", "")

    def add(self, content_ids: Sequence[str]) -> list[Subset]:
        """Put some images on their sides."""
        if not content_ids:
            return []
        places = list(map(position, content_ids))
        limit, exceptions = _limit(self.rule.share), self.rule.exceptions
        sides = [Subset.TEST if place < limit else Subset.TRAIN for place in places]
        if exceptions:
            sides = [exceptions.get(key, side) for key, side in zip(content_ids, sides, strict=True)]
        tests = sides.count(Subset.TEST)
        self.counts[Subset.TEST] += tests
        self.counts[Subset.TRAIN] += len(sides) - tests
        self._lowest = min(self._lowest, *zip(places, content_ids, strict=True))
        self._highest = max(self._highest, *zip(places, content_ids, strict=True))
        return sides

    def exception(self) -> dict[str, Subset]:
        """Give the exception without which a side would be empty, if there is one and two images to share."""
        if sum(self.counts.values()) < 2:
            return {}
        if not self.counts[Subset.TEST]:
            return {self._lowest[1]: Subset.TEST}
        if not self.counts[Subset.TRAIN]:
            return {self._highest[1]: Subset.TRAIN}
        return {}


def split_label(content_ids: Iterable[str], rule: SplitRule) -> SplitRule:
    """Give the rule under which each side has an image of this label, adding an exception where it needs one.

    :param content_ids: of all images of one label, each once.
    """
    split = LabelSplit(rule)
    split.add(list(content_ids))
    return rule.with_exceptions(split.exception())
