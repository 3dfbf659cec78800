"""Writing a snapshot: check what was not checked before, leave out what cannot be used, split, and write it for good.

All of it streams through local files, sorted by key as S3 lists them; in memory is a window of a few hundred images.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from custom_labels.core.codec import from_json, to_json
from custom_labels.core.keys import SNAPSHOTS, snapshot_header
from custom_labels.datasets.image_check_records import GOOD, READERS, CheckedLabel, check_labels, remember
from custom_labels.datasets.images import MAXIMUM_TEST_IMAGES, CheckReport, Duplicate, LeftOut, Tally, judge_duplicates
from custom_labels.datasets.label_listing import STREAMS, in_threads, leave_out_duplicates, list_labels
from custom_labels.datasets.ledger_records import Verdicts
from custom_labels.datasets.snapshot import (
    MINIMUM_IMAGES_A_LABEL,
    ImageSnapshot,
    LabelCount,
    SnapshotHeader,
    make_snapshot,
    require_trainable,
)
from custom_labels.datasets.snapshot_reader import find_header, read_header, untrained
from custom_labels.datasets.split import LabelSplit, SplitRule, Subset
from custom_labels.datasets.tsv import file_sha256, read_blocks, write_gzip
from custom_labels.s3.errors import ObjectChanged, ObjectExists

if TYPE_CHECKING:
    from custom_labels.s3.store import S3Store


@dataclass(frozen=True)
class UsableLabel:
    """A label with what of it goes into the snapshot: the good rows, without the duplicates that are left out."""

    checked: CheckedLabel
    gone: frozenset[bytes]

    @property
    def images(self) -> int:
        """Number of usable images."""
        return self.checked.usable - len(self.gone)


@dataclass(frozen=True)
class WrittenLabel:
    """A label's rows as they will be stored.

    :param path: local compressed file of rows: key, ETag, size, content id, side.
    """

    count: LabelCount
    path: Path


def write_snapshot(
    store: S3Store,
    as_of: datetime,
    trained: str | None = None,
    *,
    split_of: str | None = None,
    test_share: float = 0.2,
    streams: int = STREAMS,
    readers: int = READERS,
) -> tuple[ImageSnapshot, CheckReport]:
    """Check the images that no earlier check knows, and write the usable ones and their split for good.

    Done again on the same images it finds its own work and changes nothing. No image is moved or deleted. Images that
    vanish or are replaced meanwhile are left out of this snapshot. The caller holds the project's lock.

    :param as_of: objects last modified up to then are seen.
    :param trained: digest of the last trained snapshot, against which untrained images are counted.
    :param split_of: digest of the snapshot whose test images stay test images; by default ``trained``.
    :param test_share: share of the images, 0 to 1, to judge by; see :class:`SplitRule` on changing it.
    :param streams: labels listed at once; ``readers`` is the number of images read at once.
    :raises NotTrainable: what is left cannot make a dataset that Custom Labels accepts.
    :raises StorageError: S3 refused.
    """
    header = read_header(store, trained) if trained else None
    followed = read_header(store, split_of) if split_of and split_of != trained else header
    rule = followed.split.following(test_share) if followed else SplitRule(test_share)
    tally = Tally()
    with tempfile.TemporaryDirectory(prefix="custom-labels-") as name:
        folder = Path(name)
        listed = list_labels(store, as_of, tally, folder, Verdicts(), streams)
        labels = check_labels(store, listed, streams, readers)
        remember(store, labels, as_of, streams)
        usable, few = _leave_out(labels, tally)
        require_trainable([(label.checked.label, label.images) for label in usable], few)
        written: list[WrittenLabel] = []
        for label in usable:
            rows, rule = _write_label(label, rule)
            count = untrained(store, rows.count, header, _listed(rows.path), folder)
            written.append(replace(rows, count=count))
            if unused := count.images - count.train - count.test:
                tally.add(LeftOut.TEST_LIMIT, count.label, unused)
        snapshot = make_snapshot([w.count for w in written], as_of, trained, tally.by_reason(), stored=True)
        snapshot = _publish(store, snapshot, rule, written, streams, followed.split if followed else None)
    return snapshot, _report(labels, snapshot, few, tally)


def _leave_out(labels: list[CheckedLabel], tally: Tally) -> tuple[list[UsableLabel], list[str]]:
    """Leave out duplicates, and the labels that have too few images without them."""
    verdicts: Mapping[Duplicate, LeftOut] = judge_duplicates(
        duplicate for label in labels for duplicate in label.duplicates
    )
    usable, few = [], []
    for checked in labels:
        tally.merge(checked.tally)
        label = UsableLabel(checked, frozenset(leave_out_duplicates(checked.duplicates, verdicts, tally)))
        if label.images >= MINIMUM_IMAGES_A_LABEL:
            usable.append(label)
        elif checked.images:
            few.append(checked.label)
            if label.images:
                tally.add(LeftOut.FEW_IMAGES, checked.label, label.images)
    return usable, few


def _write_label(label: UsableLabel, rule: SplitRule) -> tuple[WrittenLabel, SplitRule]:
    """Write a label's rows; a second time if the split needs an exception, which only small labels do."""
    written, exception = _write_rows(label, rule)
    if exception:
        rule = rule.with_exceptions(exception)
        written, _ = _write_rows(label, rule)
    return written, rule


def _write_rows(label: UsableLabel, rule: SplitRule) -> tuple[WrittenLabel, dict[str, Subset]]:
    path = label.checked.path.with_suffix(".tsv.gz")
    split = LabelSplit(rule)
    digest = hashlib.sha256()
    endings = {side: f"{side}\n".encode() for side in Subset}
    with write_gzip(path) as file:
        for block in read_blocks(label.checked.path):
            lines = [line for line in block if line.endswith(GOOD)]
            if label.gone:
                lines = [line for line in lines if line[: line.index(b"\t")] not in label.gone]
            rows = [line.rsplit(b"\t", 3) for line in lines]
            sides = split.add([content_id.decode() for _, _, content_id, _ in rows])
            digest.update(b"".join([listed + b"\n" for listed, _, _, _ in rows]))
            # The side takes the place of the empty reason.
            file.write(b"".join([line[:-1] + endings[side] for line, side in zip(lines, sides, strict=True)]))
    count = LabelCount(
        label=label.checked.label,
        images=label.images,
        untrained=label.images,
        digest=digest.hexdigest(),
        train=split.counts[Subset.TRAIN],
        test=min(split.counts[Subset.TEST], MAXIMUM_TEST_IMAGES),
    )
    return WrittenLabel(count, path), split.exception()


def _listed(path: Path) -> Iterator[list[bytes]]:
    """Give the rows of a label as a listing has them, key and ETag."""
    for block in read_blocks(path):
        yield [b"\t".join(line.split(b"\t", 2)[:2]) + b"\n" for line in block]


def _publish(
    store: S3Store,
    snapshot: ImageSnapshot,
    rule: SplitRule,
    written: list[WrittenLabel],
    streams: int,
    followed: SplitRule | None,
) -> ImageSnapshot:
    """Store the rows, then the header that names them; a snapshot that is stored already keeps its own split.

    Unless, by that split, it would train on what judged a version that was trained since: then it is split anew.
    """
    value, etag = store.read_json(snapshot_header(snapshot.digest))
    stored = from_json(SnapshotHeader, value) if value else None
    if stored and followed and stored.split != rule and not stored.split.keeps(followed):
        stored = None
    if stored is None:
        places = {}
        for number, label in enumerate(written):
            # The hash in the name keeps the rows of a run that died from being mixed with those of the next.
            sha256 = file_sha256(label.path)
            places[label.count.label] = f"{SNAPSHOTS}{snapshot.digest}/{number}-{sha256[:12]}.tsv.gz"
        in_threads(
            lambda label: store.upload(label.path, places[label.count.label], file_sha256(label.path)), written, streams
        )
        header = SnapshotHeader(snapshot, rule, places)
        try:
            store.write_if_unchanged(snapshot_header(snapshot.digest), to_json(header), etag)
        except (ObjectChanged, ObjectExists):
            stored = find_header(store, snapshot.digest)
    if stored is None:
        return snapshot
    sides = {count.label: count for count in stored.snapshot.labels}
    labels = tuple(
        replace(count, train=sides[count.label].train, test=sides[count.label].test) for count in snapshot.labels
    )
    return replace(snapshot, labels=labels)


def _report(labels: list[CheckedLabel], snapshot: ImageSnapshot, few: list[str], tally: Tally) -> CheckReport:
    used = {count.label: count.train + count.test for count in snapshot.labels}
    return CheckReport(
        images=sum(label.images for label in labels),
        read=sum(label.read for label in labels),
        left_out=tally.by_reason(),
        examples={reason.value: tuple(keys) for reason, keys in tally.examples.items()},
        labels_left_out=tuple(few),
        merged={label.label: label.folders for label in labels if label.images and len(label.folders) > 1},
        left_out_by_label={label.label: label.images - used.get(label.label, 0) for label in labels},
    )
