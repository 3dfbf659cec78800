"""The inspection of a snapshot before it is paid for: which images show the same, and which labels are doubtful.

``snapshots/<digest>/inspection.json`` has what was found; a snapshot that was inspected once is not inspected again.
What pictures look like is remembered, see :mod:`custom_labels.datasets.inspection.memory_records`. Rows of pictures lie
in files of the task's folder; in memory are 50 bytes an image, of which Custom Labels takes 250,000 at most.
"""

from __future__ import annotations

import logging
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from custom_labels.core.codec import to_json
from custom_labels.core.keys import snapshot_inspection
from custom_labels.core.project_task import ProjectTask
from custom_labels.core.records import Record
from custom_labels.datasets.annotations.annotation import Box
from custom_labels.datasets.inspection.inspection import (
    GROUP_EXAMPLES,
    LABEL_EXAMPLES,
    MOST_GROUPS,
    MOST_SUSPECTS,
    InspectedLabel,
    Inspection,
    NearDuplicates,
    Problem,
    Suspect,
    count_sizes,
)
from custom_labels.datasets.inspection.label_doubt import (
    FOLDS,
    Doubts,
    LabelDoubt,
    doubt_one_label,
    doubt_several_labels,
)
from custom_labels.datasets.inspection.memory_records import PictureMemory, box_part, fetch_memory
from custom_labels.datasets.inspection.near_duplicates import group_near_copies
from custom_labels.datasets.inspection.picture_features import LENGTH, are_near_copies
from custom_labels.datasets.inspection.picture_reading_records import read_boxes_of, read_unseen
from custom_labels.datasets.split import SplitRule
from custom_labels.s3.store import S3Store

log = logging.getLogger(__name__)

Units = Mapping[str, tuple[str, ...]]
"""By position, the positions of the images that show the same, itself among them; images alone are not in it."""

_LABELS_OF_FOLDERS = "SELECT label, key, position FROM snapshot.image"
_LABELS_OF_LINES = """
SELECT each.label, each.key, position FROM snapshot.image_label AS each
JOIN snapshot.image ON snapshot.image.label = '' AND snapshot.image.key = each.key
"""


@dataclass(frozen=True)
class _Whole:
    """The pictures of a snapshot in the order of their positions, each content once.

    :param positions: array of n texts of bytes; ``features`` of n rows, which lie in a file.
    :param roots: of each picture the number of the first one of its group.
    """

    positions: Any
    features: Any
    roots: Any

    def numbers(self, positions: list[bytes]) -> Any:
        """Give the numbers of positions, -1 for those that are not there."""
        import numpy as np

        wanted = np.array(positions, dtype=self.positions.dtype)
        found = np.searchsorted(self.positions, wanted)
        there = np.minimum(found, len(self.positions) - 1)
        return np.where(self.positions[there] == wanted, there, -1) if len(self.positions) else np.full(len(wanted), -1)

    @property
    def folds(self) -> Any:
        """Give the fold of each picture: by its group's first position, which is a hash."""
        import numpy as np

        first = self.positions[self.roots]
        return np.array([int(place[:8], 16) % FOLDS for place in first], dtype=np.int64)

    def groups(self) -> Iterator[list[str]]:
        """Give the positions of those that are together, as far as they are several."""
        members: dict[int, list[int]] = defaultdict(list)
        for number, root in enumerate(self.roots):
            if number != root:
                members[int(root)].append(number)
        for root, others in members.items():
            yield [self.positions[number].decode() for number in (root, *others)]


class SnapshotInspector:
    """Inspects one snapshot whose images are on this machine.

    :param task: what the project learns.
    :param images: file of the snapshot's images.
    :param folder: takes files of the inspection.
    :param publish: whether what was seen and found is kept in S3.
    """

    def __init__(self, store: S3Store, task: ProjectTask, images: Path, folder: Path, *, publish: bool) -> None:
        self.store = store
        self.task = task
        self.images = images
        self.folder = folder
        self.publish = publish
        self.read = 0
        self._whole: _Whole | None = None

    @property
    def has_boxes(self) -> bool:
        """Whether labels are those of boxes."""
        return self.task is ProjectTask.OBJECT_DETECTION

    def units(self) -> Units:
        """Look at the images that were not seen yet, and find those that show the same."""
        groups = [tuple(group) for group in self._look().groups()]
        return {place: group for group in groups for place in group}

    def inspect(self, digest: str, rule: SplitRule, before: SplitRule) -> Inspection:
        """Say what is in the snapshot, or what an earlier run found in it.

        :param digest: of the snapshot; ``rule`` is the one that it is split by.
        :param before: the rule that was followed, without what this snapshot needed.
        """
        if (known := read_inspection(self.store, digest)) is not None:
            return known
        whole, apart = self._look(), len(divided(self.units(), before))
        with self._memory() as memory:
            made = _Report(self.task, memory, whole, rule, self.folder).make(digest, apart)
        log.info("%s images looked at: %s", self.read, "; ".join(made.lines()) or "nothing that is doubtful")
        if self.publish:
            self.store.write_json(snapshot_inspection(digest), to_json(made))
        return made

    def _memory(self) -> PictureMemory:
        return PictureMemory(self.folder / "pictures.sqlite", self.images, has_boxes=self.has_boxes)

    def _look(self) -> _Whole:
        if self._whole is None:
            with fetch_memory(self.store, self.images, self.folder, has_boxes=self.has_boxes) as memory:
                self.read = read_unseen(self.store, memory, publish=self.publish, has_boxes=self.has_boxes)
                self._whole = _load_whole(memory, self.folder)
        return self._whole


def read_inspection(store: S3Store, digest: str) -> Inspection | None:
    """Read what was found in a snapshot, ``None`` if it was not inspected."""
    return Record(snapshot_inspection(digest), Inspection).read(store)


def divided(units: Units, rule: SplitRule) -> list[tuple[str, ...]]:
    """Give the groups that a rule puts on both sides."""
    groups = sorted(set(units.values()))
    return [group for group in groups if len({rule.is_test(place) for place in group}) > 1]


def _load_whole(memory: PictureMemory, folder: Path) -> _Whole:
    """Load the pictures into a file of rows, and group them."""
    import numpy as np

    wanted = "FROM picture WHERE part = '' AND position IN (SELECT position FROM snapshot.image)"
    ((count,),) = memory.rows(f"SELECT count(*) {wanted}")
    positions = np.zeros(count, dtype="S32")
    hashes, is_hashed = np.zeros(count, np.uint64), np.zeros(count, bool)
    features = rows_file(folder / "whole", count)
    rows = memory.rows(f"SELECT position, hash, content {wanted} ORDER BY position")
    for number, (position, bits, content) in enumerate(rows):
        positions[number] = position.encode()
        features[number] = np.frombuffer(content, np.uint8)
        if bits is not None:
            hashes[number], is_hashed[number] = int.from_bytes(bits, "little"), True
    groups = group_near_copies(hashes, is_hashed, lambda one, other: are_near_copies(features[one], features[other]))
    return _Whole(positions, features, groups.roots())


def rows_file(path: Path, count: int) -> Any:
    """Make a file of so many rows of features, as an array."""
    import numpy as np

    if not count:
        return np.zeros((0, LENGTH), np.uint8)
    return np.memmap(path, np.uint8, "w+", shape=(count, LENGTH))


class _Report:
    """Puts together what is found in a snapshot."""

    def __init__(self, task: ProjectTask, memory: PictureMemory, whole: _Whole, rule: SplitRule, folder: Path) -> None:
        self.task = task
        self.memory = memory
        self.whole = whole
        self.rule = rule
        self.folder = folder
        self.labels = _LABELS_OF_LINES if task.has_several else _LABELS_OF_FOLDERS
        self.names = [name for (name,) in memory.rows(f"SELECT DISTINCT label FROM ({self.labels}) ORDER BY label")]  # noqa: S608
        self.numbers = {name: number for number, name in enumerate(self.names)}

    def make(self, digest: str, kept_together: int) -> Inspection:
        """Make the inspection."""
        doubts, describe = self._doubts()
        suspects = tuple(describe(each) for each in doubts.worst)
        groups = sorted(self.whole.groups(), key=lambda group: (-len(group), group))
        grouped = {place for group in groups for place in group}
        ((images,),) = self.memory.rows("SELECT count(*) FROM snapshot.image")
        ((seen,),) = self.memory.rows(
            "SELECT count(*) FROM snapshot.image WHERE position IN (SELECT position FROM picture WHERE part = '')"
        )
        return Inspection(
            digest=digest,
            images=images,
            unreadable=images - seen,
            labels=tuple(self._labels(doubts, grouped)),
            sizes=count_sizes(
                self.memory.rows(
                    "SELECT max(width, height) AS side, count(*) FROM snapshot.image "
                    "WHERE width IS NOT NULL GROUP BY side"
                )
            ),
            groups=tuple(map(self._group, groups[:MOST_GROUPS])),
            group_count=len(groups),
            grouped_images=len(grouped),
            kept_together=kept_together,
            suspects=suspects,
            suspect_count=sum(doubts.counts),
        )

    def _labels(self, doubts: Doubts, grouped: set[str]) -> Iterator[InspectedLabel]:
        counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
        examples: defaultdict[str, list[str]] = defaultdict(list)
        for label, key, position in self.memory.rows(f"{self.labels} ORDER BY position"):
            side = "test" if self.rule.is_test(position) else "train"
            counts[label].update(("images", side))
            counts[label]["grouped"] += position in grouped
            if len(examples[label]) < LABEL_EXAMPLES:
                examples[label].append(key)
        for name, number in self.numbers.items():
            found = counts[name]
            yield InspectedLabel(
                label=name,
                images=found["images"],
                train=found["train"],
                test=found["test"],
                near_duplicates=found["grouped"],
                suspects=int(doubts.counts[number]),
                recognized=doubts.recognized[number],
                why_not=doubts.why_not[number],
                examples=tuple(examples[name]),
            )

    def _group(self, places: list[str]) -> NearDuplicates:
        found = []
        labels: set[str] = set()
        for place in places:
            found += [key for (key,) in self.memory.rows("SELECT key FROM snapshot.image WHERE position = ?", place)]
            labels |= {name for name, _, _ in self.memory.rows(f"{self.labels} WHERE position = ?", place)}
        return NearDuplicates(
            tuple(sorted(found)[:GROUP_EXAMPLES]), len(found), tuple(sorted(labels)), self.rule.is_test(places[0])
        )

    # -- doubtful labels ---------------------------------------------------------------------------

    def _doubts(self) -> tuple[Doubts, Callable[[LabelDoubt], Suspect]]:
        """Find doubtful labels; give them, and what makes a suspect of one."""
        if self.task is ProjectTask.OBJECT_DETECTION:
            return self._doubts_of_boxes()
        if self.task is ProjectTask.MULTI_LABEL_CLASSIFICATION:
            return self._doubts_of_several()
        return self._doubts_of_one()

    def _doubts_of_one(self) -> tuple[Doubts, Callable[[LabelDoubt], Suspect]]:
        import numpy as np

        labels = np.zeros(len(self.whole.positions), np.int64)
        for label, _, position in self.memory.rows(self.labels):
            (number,) = self.whole.numbers([position.encode()])
            if number >= 0:
                labels[number] = self.numbers[label]
        found = doubt_one_label(
            self.whole.features, labels, self.whole.folds, len(self.names), self.folder, MOST_SUSPECTS
        )
        return found, self._suspect_image

    def _doubts_of_several(self) -> tuple[Doubts, Callable[[LabelDoubt], Suspect]]:
        import numpy as np

        has = np.zeros((len(self.whole.positions), len(self.names)), bool)
        for label, _, position in self.memory.rows(self.labels):
            (number,) = self.whole.numbers([position.encode()])
            if number >= 0:
                has[number, self.numbers[label]] = True
        return doubt_several_labels(self.whole.features, has, self.whole.folds, MOST_SUSPECTS), self._suspect_image

    def _suspect_image(self, doubt: LabelDoubt) -> Suspect:
        place = self.whole.positions[doubt.picture].decode()
        ((key, etag),) = self.memory.rows(
            "SELECT key, etag FROM snapshot.image WHERE position = ? ORDER BY key LIMIT 1", place
        )
        return self._suspect(doubt, key, etag)

    def _suspect(self, doubt: LabelDoubt, key: str, etag: str, box: Box | None = None) -> Suspect:
        return Suspect(
            key=key,
            etag=etag,
            label=self.names[doubt.label],
            believed=None if doubt.believed is None else self.names[doubt.believed],
            probability=round(doubt.probability, 4),
            believed_probability=round(doubt.believed_probability, 4),
            problem=Problem.WRONG if doubt.has_label else Problem.MISSING,
            box=box,
        )

    def _doubts_of_boxes(self) -> tuple[Doubts, Callable[[LabelDoubt], Suspect]]:
        """Find doubtful labels of boxes: what is within each box is a picture of its own."""
        import numpy as np

        most = sum(1 for _ in self._boxes())
        features, labels = rows_file(self.folder / "boxes", most), np.zeros(most, np.int64)
        images, numbers = np.zeros(most, np.int64), np.zeros(most, np.int64)
        count = 0
        for place, number, box in self._boxes():
            content = self._part(place, box)
            if content is None or box.label not in self.numbers:
                continue
            (picture,) = self.whole.numbers([place.encode()])
            if picture < 0:
                continue
            features[count], labels[count] = np.frombuffer(content, np.uint8), self.numbers[box.label]
            images[count], numbers[count] = picture, number
            count += 1
        folds = self.whole.folds[images[:count]] if count else np.zeros(0, np.int64)
        found = doubt_one_label(features[:count], labels[:count], folds, len(self.names), self.folder, MOST_SUSPECTS)

        def describe(doubt: LabelDoubt) -> Suspect:
            place = self.whole.positions[images[doubt.picture]].decode()
            ((key, etag),) = self.memory.rows(
                "SELECT key, etag FROM snapshot.image WHERE position = ? ORDER BY key LIMIT 1", place
            )
            box = read_boxes_of(self.memory.body(key)).boxes[int(numbers[doubt.picture])]
            return self._suspect(doubt, key, etag, box)

        return found, describe

    def _boxes(self) -> Iterator[tuple[str, int, Box]]:
        """Go through all boxes, by the positions of their images."""
        query = "SELECT position, key FROM snapshot.image WHERE position IS NOT NULL ORDER BY position"
        for place, key in self.memory.rows(query):
            for number, box in enumerate(read_boxes_of(self.memory.body(key)).boxes):
                yield place, number, box

    def _part(self, place: str, box: Box) -> bytes | None:
        query = "SELECT content FROM picture WHERE position = ? AND part = ?"
        return next((content for (content,) in self.memory.rows(query, place, box_part(box))), None)
