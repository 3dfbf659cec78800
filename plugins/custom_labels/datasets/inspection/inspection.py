"""What was found in the training data, as a value: counts and sizes, near duplicates, and labels that are doubtful."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from custom_labels.datasets.annotations.annotation import Box

MOST_SUSPECTS = 200
"""Suspects that are listed, the worst first; all are counted."""
MOST_GROUPS = 100
GROUP_EXAMPLES = 6
LABEL_EXAMPLES = 4
SIZE_LIMITS = (128, 256, 512, 1024, 2048, 4096)
"""Pixels of the longer side up to which a column of the histogram goes."""
WORST = 3
"""Suspects that a plan names."""


class Problem(StrEnum):
    """What may be wrong with a label."""

    WRONG = "wrong label"
    MISSING = "missing label"


@dataclass(frozen=True)
class Suspect:
    """A label that contradicts what a model believes that has not seen the image.

    :param key: of the image, relative to the project's prefix; ``etag`` without quotes.
    :param label: that the image or box has; of a missing label the one that it lacks.
    :param believed: the label that the model believes in; ``None`` where it only does not believe in this one.
    :param probability: from 0 to 1, that the model gives to what the label says; the lowest is the worst.
    :param believed_probability: that it gives to the contrary.
    :param box: whose label it is, where the project learns boxes.
    """

    key: str
    etag: str
    label: str
    believed: str | None
    probability: float
    believed_probability: float
    problem: Problem = Problem.WRONG
    box: Box | None = None

    @property
    def words(self) -> str:
        """Say it in short."""
        if self.problem is Problem.MISSING:
            return f"'{self.key}' lacks '{self.label}' ({self.believed_probability:.0%})"
        rather = f"'{self.believed}'" if self.believed else f"not '{self.label}'"
        where = f", box at {self.box.left:g}, {self.box.top:g}," if self.box else ""
        return f"'{self.key}'{where} is '{self.label}', rather {rather} ({self.believed_probability:.0%})"


@dataclass(frozen=True)
class NearDuplicates:
    """Images that show the same.

    :param keys: the first ones of them, and ``images`` how many they are.
    :param labels: all that they have.
    """

    keys: tuple[str, ...]
    images: int
    labels: tuple[str, ...]
    is_test: bool


@dataclass(frozen=True)
class InspectedLabel:
    """What is known of a label.

    :param images: with it, of which ``train`` are to train on and ``test`` to judge by, used or not.
    :param near_duplicates: images of them that are in a group.
    :param suspects: images, or boxes, whose label is doubtful; missing ones are counted at the label that is missing.
    :param recognized: share, 0 to 1, of its images or boxes that the model recognizes; ``None`` if it was not asked.
    :param why_not: why its labels were not looked at; empty if they were.
    :param examples: keys of a few images.
    """

    label: str
    images: int
    train: int
    test: int
    near_duplicates: int = 0
    suspects: int = 0
    recognized: float | None = None
    why_not: str = ""
    examples: tuple[str, ...] = ()


@dataclass(frozen=True)
class SizeCount:
    """Images whose longer side has at most so many pixels, and more than the size before."""

    longer_side: int
    images: int


@dataclass(frozen=True)
class Inspection:
    """What was found in a snapshot.

    :param images: in the snapshot; ``unreadable`` ones could not be decoded, or were another by then, and are in
        nothing but the counts.
    :param groups: the largest ones, ``group_count`` of all, with ``grouped_images`` images.
    :param kept_together: groups that by their hashes alone would have been on both sides.
    :param suspects: the worst first, ``suspect_count`` of all.
    """

    digest: str
    images: int
    unreadable: int
    labels: tuple[InspectedLabel, ...] = ()
    sizes: tuple[SizeCount, ...] = ()
    groups: tuple[NearDuplicates, ...] = ()
    group_count: int = 0
    grouped_images: int = 0
    kept_together: int = 0
    suspects: tuple[Suspect, ...] = ()
    suspect_count: int = 0

    def lines(self) -> tuple[str, ...]:
        """Word it for a plan."""
        lines = []
        if self.group_count:
            lines.append(
                f"{self.grouped_images} images are near duplicates, in {self.group_count} groups, each on one side of "
                f"the split; {self.kept_together} of the groups would have been on both"
            )
        if self.suspect_count:
            worst = "; ".join(each.words for each in self.suspects[:WORST])
            lines.append(f"{self.suspect_count} labels are doubtful, the worst: {worst}")
        if whole := [each.label for each in self.labels if not each.test]:
            names = ", ".join(f"'{label}'" for label in whole[:WORST])
            lines.append(f"no test image, so that nothing judges them: {names}{', ...' if len(whole) > WORST else ''}")
        if why := Counter(each.why_not for each in self.labels if each.why_not):
            said = "; ".join(f"{number} {'label' if number == 1 else 'labels'}: {text}" for text, number in why.items())
            lines.append(f"labels not looked at for doubt: {said}")
        if self.unreadable:
            lines.append(f"images that could not be decoded, and were not looked at: {self.unreadable}")
        return tuple(lines)


def count_sizes(sides: Iterable[tuple[int, int]]) -> tuple[SizeCount, ...]:
    """Count pictures by their longer side.

    :param sides: pairs of the longer side in pixels and a number of images.
    """
    counts = dict.fromkeys(SIZE_LIMITS, 0)
    for side, images in sides:
        counts[next((limit for limit in SIZE_LIMITS if side <= limit), SIZE_LIMITS[-1])] += images
    return tuple(SizeCount(limit, number) for limit, number in counts.items())
