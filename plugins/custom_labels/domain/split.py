"""Which images judge a model and which train it: decided by their content, once and for good."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

SALT = "custom-labels-loop/split/1"
"""Never to be changed: another salt is another test set, and no two versions could be compared across it."""


class Side(StrEnum):
    """The dataset that an image belongs to."""

    TRAIN = "train"
    TEST = "test"


def position(content_id: str) -> float:
    """Give an image's place on the line from 0 to 1; those below the test share are test images."""
    digest = hashlib.sha256(f"{SALT}:{content_id}".encode()).digest()
    return int.from_bytes(digest[:7], "big") / 2**56


@dataclass(frozen=True)
class SplitRule:
    """The rule that a snapshot was split by.

    An image is a test image if its :func:`position`, a hash of its content, is below the share. So whatever
    arrives, is deleted or is renamed, it stays on its side, and a copy under another key falls on the same
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
    exceptions: Mapping[str, Side] = field(default_factory=dict)

    def side(self, content_id: str) -> Side:
        """Say on which side an image is."""
        return self.exceptions.get(content_id) or self._by_hash(position(content_id))

    def _by_hash(self, place: float) -> Side:
        return Side.TEST if place < self.share else Side.TRAIN

    def following(self, share: float) -> SplitRule:
        """Give the rule for the next snapshot: the wanted share if not lower, and the same exceptions."""
        return SplitRule(max(self.share, share), self.exceptions)

    def with_exceptions(self, more: Mapping[str, Side]) -> SplitRule:
        """Give this rule with further exceptions."""
        return SplitRule(self.share, {**self.exceptions, **more}) if more else self

    def to_json(self) -> dict[str, Any]:
        """Give it as JSON types."""
        return {"share": self.share, "exceptions": {key: side.value for key, side in self.exceptions.items()}}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> SplitRule:
        """Read back what :meth:`to_json` gave."""
        return cls(value["share"], {key: Side(side) for key, side in value["exceptions"].items()})


class LabelSplit:
    """Splits one label's images as they stream by, remembering only the two that could become exceptions."""

    def __init__(self, rule: SplitRule) -> None:
        self.rule = rule
        self.counts = dict.fromkeys(Side, 0)
        self._lowest: tuple[float, str] | None = None
        self._highest: tuple[float, str] | None = None

    def add(self, content_id: str) -> Side:
        """Put one image on its side."""
        place = position(content_id)
        side = self.rule.exceptions.get(content_id) or (Side.TEST if place < self.rule.share else Side.TRAIN)
        self.counts[side] += 1
        mine = (place, content_id)
        if self._lowest is None or mine < self._lowest:
            self._lowest = mine
        if self._highest is None or mine > self._highest:
            self._highest = mine
        return side

    def exception(self) -> dict[str, Side]:
        """Give the exception without which a side would be empty, if there is one and two images to share."""
        if sum(self.counts.values()) < 2 or self._lowest is None or self._highest is None:
            return {}
        if not self.counts[Side.TEST]:
            return {self._lowest[1]: Side.TEST}
        if not self.counts[Side.TRAIN]:
            return {self._highest[1]: Side.TRAIN}
        return {}


def split_label(content_ids: Iterable[str], rule: SplitRule) -> SplitRule:
    """Give the rule under which each side has an image of this label, adding an exception where it needs one.

    :param content_ids: of all images of one label, each once.
    """
    split = LabelSplit(rule)
    for content_id in content_ids:
        split.add(content_id)
    return rule.with_exceptions(split.exception())
