"""Snapshots: the cheap poll that counts and names the images, and the snapshots that are frozen and kept in S3.

``snapshots/<digest>/snapshot.json`` says what a snapshot is and how it was split; ``images.sqlite`` beside it has the
images, see :mod:`custom_labels.datasets.image_table`. Both are written once.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from custom_labels.core.codec import from_json, to_json
from custom_labels.core.keys import CHECKS, snapshot_header, snapshot_images
from custom_labels.core.project_task import ProjectTask
from custom_labels.datasets.annotated_table import AnnotatedTable
from custom_labels.datasets.image_records import check_images, fetch_checks
from custom_labels.datasets.image_table import ImageTable, complete_split, earlier_sides
from custom_labels.datasets.images import MAXIMUM_LABEL_NAME, MAXIMUM_TEST_IMAGES, CheckReport, LeftOut, Tally
from custom_labels.datasets.inspection.inspection import Inspection
from custom_labels.datasets.inspection.inspection_records import SnapshotInspector, Units, divided
from custom_labels.datasets.listing_records import Listed, list_labels
from custom_labels.datasets.snapshot import (
    MINIMUM_IMAGES_A_LABEL,
    ImageSnapshot,
    LabelChange,
    LabelCount,
    SnapshotChanges,
    SnapshotHeader,
    combine,
    make_snapshot,
    require_trainable,
)
from custom_labels.datasets.split import SplitRule, Subset
from custom_labels.s3.errors import StorageError
from custom_labels.s3.store import S3Store

_FILE = "images.sqlite"


@dataclass(frozen=True)
class LocalSnapshot:
    """A snapshot whose images are on this machine.

    :param path: file of an :class:`ImageTable`.
    :param inspection: what was found in it, where it was inspected.
    """

    header: SnapshotHeader
    path: Path
    inspection: Inspection | None = None


# -- snapshots that are kept ---------------------------------------------------------------------------


def read_header(store: S3Store, digest: str) -> SnapshotHeader:
    """Read the header of a snapshot.

    :raises StorageError: there is none.
    """
    value, _ = store.read_json(snapshot_header(digest))
    if value is None:
        raise StorageError(
            f"Snapshot '{digest}' is not in the bucket: {store.uri(snapshot_header(digest))} is missing. It is what "
            "a model version was trained on; restore it, or delete the registry's record that names it."
        )
    return from_json(SnapshotHeader, value)


def fetch_images(store: S3Store, digest: str, folder: Path) -> Path:
    """Copy the images of a snapshot to a local file.

    :raises StorageError: they are missing.
    """
    path = folder / f"{digest}.sqlite"
    if not store.download(snapshot_images(digest), path):
        raise StorageError(
            f"The images of snapshot '{digest}' are missing: {store.uri(snapshot_images(digest))}. "
            "Restore the object; snapshots are written once and never deleted by this package."
        )
    return path


def fetch_snapshot(store: S3Store, digest: str, folder: Path) -> LocalSnapshot:
    """Copy a snapshot to this machine.

    :raises StorageError: it is not there.
    """
    return LocalSnapshot(read_header(store, digest), fetch_images(store, digest, folder))


def changes(now: LocalSnapshot, trained: LocalSnapshot | None) -> SnapshotChanges:
    """Say what came, was replaced, went, or is on another side now: for each label of either snapshot, and of all.

    :param now: the snapshot that is to be trained on.
    :param trained: the one trained on last, if there is one.
    """
    table = ImageTable if now.header.task is ProjectTask.IMAGE_CLASSIFICATION else AnnotatedTable
    with table(now.path) as images:
        if trained is None:
            labels = tuple(LabelChange(label, new=count) for label, count in images.counts().items())
            return SnapshotChanges(labels, LabelChange("", new=images.images))
        images.compare_with(trained.path)
        return images.changes(now.header.split, trained.header.split)


# -- counting ------------------------------------------------------------------------------------------


@dataclass
class _Listing:
    """What was listed; labels that are to be joined with anything are loaded into the table of images."""

    labels: list[Listed]
    images: ImageTable

    def load(self, labels: Iterable[Listed]) -> None:
        for label in labels:
            if not label.is_loaded and len(label.label) <= MAXIMUM_LABEL_NAME:
                self.images.load(label.label, label.path)
                label.is_loaded = True

    def leave_out(self, tally: Tally) -> tuple[dict[str, int], list[str]]:
        """Leave out what cannot be used; give the numbers of usable images, and the labels that have too few."""
        self.images.leave_out(tally)
        loaded = self.images.counts()
        usable, few = {}, []
        for label in self.labels:
            count = loaded.get(label.label, 0) if label.is_loaded else label.images
            is_long = len(label.label) > MAXIMUM_LABEL_NAME
            if count >= MINIMUM_IMAGES_A_LABEL and not is_long:
                usable[label.label] = count
            elif label.images:
                few.append(label.label)
                self.images.remove_label(label.label)
                if count:
                    tally.add(LeftOut.LABEL_NAME if is_long else LeftOut.FEW_IMAGES, label.label, count)
        return usable, few

    def compare(
        self, store: S3Store, usable: Mapping[str, int], trained: SnapshotHeader | None, folder: Path
    ) -> list[LabelCount]:
        """Digest each label, and count the images that the snapshot trained on last lacks, which is read if need be."""
        digests = {each.label: self._digest(each, usable[each.label]) for each in self.labels if each.label in usable}
        before = {count.label: count.digest for count in trained.snapshot.labels} if trained else {}
        changed = {label for label, digest in digests.items() if before.get(label, digest) != digest}
        same: Mapping[str, int] = {}
        if trained and changed:
            self.load(each for each in self.labels if each.label in changed)
            self.images.compare_with(fetch_images(store, trained.snapshot.digest, folder))
            same = self.images.unchanged()
        return [
            LabelCount(label, count, count - (count if before.get(label) == digest else same.get(label, 0)), digest)
            for (label, count), digest in zip(usable.items(), digests.values(), strict=True)
        ]

    def _digest(self, label: Listed, usable: int) -> str:
        if usable < label.images:
            return self.images.digest(label.label)
        with label.path.open("rb") as file:  # none is left out: these rows are what is digested
            return hashlib.file_digest(file, "sha256").hexdigest()


def count_images(store: S3Store, as_of: datetime, trained: str | None = None) -> ImageSnapshot:
    """Count the images and name them by their digest, writing nothing to S3 and reading no image.

    Images that earlier checks found bad are left out, so that after a training the digest is that of its snapshot
    as long as nothing changed. New images are taken to be good until they are checked.

    :param as_of: objects last modified up to then are seen.
    :param trained: digest of the last trained snapshot.
    :raises StorageError: S3 refused, or the trained snapshot is not there.
    """
    header = read_header(store, trained) if trained else None
    tally = Tally()
    with tempfile.TemporaryDirectory(prefix="custom-labels-") as name, ImageTable(Path(name) / _FILE) as images:
        listing = _Listing(list_labels(store, as_of, tally, Path(name)), images)
        fetch_checks(store, images, Path(name))
        listing.load(label for label in listing.labels if images.is_doubtful(label.label))
        usable, _ = listing.leave_out(tally)
        counts = listing.compare(store, usable, header, Path(name))
    return make_snapshot(counts, as_of, trained, tally.by_reason())


# -- freezing ------------------------------------------------------------------------------------------


@contextmanager
def frozen_snapshot(
    store: S3Store,
    as_of: datetime,
    trained: str | None = None,
    *,
    publish: bool,
    split_of: str | None = None,
    test_share: float = 0.2,
    inspects: bool = False,
) -> Iterator[tuple[LocalSnapshot, CheckReport]]:
    """Check the images that no earlier check knows, and fix the usable ones and their split in a local snapshot.

    No image is moved or deleted. Images that vanish or are replaced meanwhile are left out of this snapshot.

    :param as_of: objects last modified up to then are seen.
    :param trained: digest of the last trained snapshot, against which untrained images are counted.
    :param publish: whether it is kept in S3 for good, with what the checks found; else nothing is written there. The
        caller holds the project's lock. Done again on the same images it finds its own work and changes nothing.
    :param split_of: digest of the snapshot whose test images stay test images; by default ``trained``.
    :param test_share: share of the images, 0 to 1, to judge by; see :class:`SplitRule` on changing it.
    :param inspects: whether near duplicates are kept on one side, and doubtful labels are looked for.
    :raises NotTrainable: what is left cannot make a dataset that Custom Labels accepts.
    :raises StorageError: S3 refused.
    """
    header = read_header(store, trained) if trained else None
    followed = read_header(store, split_of) if split_of and split_of != trained else header
    tally = Tally()
    with tempfile.TemporaryDirectory(prefix="custom-labels-") as name:
        folder = Path(name)
        with ImageTable(folder / _FILE) as images:
            listing = _Listing(list_labels(store, as_of, tally, folder), images)
            fetch_checks(store, images, folder)
            listing.load(listing.labels)
            read = check_images(store, images, tally)
            images.finish_checks(as_of)
            if publish and read and images.checked_as_of <= as_of:  # a run about the past keeps what a later one found
                store.upload(folder / _FILE, CHECKS)
            usable, few = listing.leave_out(tally)
            require_trainable(usable, few)
            counts = listing.compare(store, usable, header, folder)
            value, etag = store.read_json(snapshot_header(combine(counts)))
            stored = from_json(SnapshotHeader, value) if value else None
            task = ProjectTask.IMAGE_CLASSIFICATION
            inspector = SnapshotInspector(store, task, folder / _FILE, folder, publish=publish) if inspects else None
            base = followed.split.following(test_share) if followed else SplitRule(test_share)
            if stored and (followed is None or stored.split.keeps(followed.split)):
                rule = stored.split
            else:  # by its own split, if it has one, it would train on what judged a version that was trained since
                units = inspector.units() if inspector else {}
                rule = _split(images, usable, keep_together(store, followed, base, units, folder), units)
            counts = _with_sides(counts, images.tests(rule), tally)
        frozen = SnapshotHeader(make_snapshot(counts, as_of, trained, tally.by_reason()), rule)
        if publish and stored is None:
            store.upload(folder / _FILE, snapshot_images(frozen.snapshot.digest))
        if publish and (stored is None or stored.split != rule):
            store.write_if_unchanged(snapshot_header(frozen.snapshot.digest), to_json(frozen), etag)
        inspection = inspector.inspect(frozen.snapshot.digest, rule, base) if inspector else None
        report = _report(listing.labels, frozen.snapshot, read, few, tally)
        yield LocalSnapshot(frozen, folder / _FILE, inspection), report


def keep_together(
    store: S3Store, followed: SnapshotHeader | None, rule: SplitRule, units: Units, folder: Path
) -> SplitRule:
    """Give the rule under which images that show the same are on one side.

    :param followed: the snapshot whose split is followed: its images are read where a group is on both sides.
    :param units: by position, those that are together.
    """
    groups = divided(units, rule)
    earlier: Mapping[str, Subset] = {}
    if groups and followed:
        path = fetch_images(store, followed.snapshot.digest, folder)
        earlier = earlier_sides(path, followed.split, (place for group in groups for place in group))
    return rule.keeping_together(groups, earlier)


def _split(images: ImageTable, counts: Mapping[str, int], rule: SplitRule, units: Units) -> SplitRule:
    """Add to a rule what it needs so that each label has images on both sides."""
    if units:
        return complete_split(images, rule, units)
    for label, tests in images.tests(rule).items():
        if tests in {0, counts[label]}:
            rule = rule.for_label(images.positions(label))
    return rule


def _with_sides(counts: list[LabelCount], tests: Mapping[str, int], tally: Tally) -> list[LabelCount]:
    """Divide the images of each label into those to train on and those to judge by, which may be too many."""
    for count in counts:
        if (unused := tests[count.label] - MAXIMUM_TEST_IMAGES) > 0:
            tally.add(LeftOut.TEST_LIMIT, count.label, unused)
    return [
        replace(count, train=count.images - tests[count.label], test=min(tests[count.label], MAXIMUM_TEST_IMAGES))
        for count in counts
    ]


def _report(labels: list[Listed], snapshot: ImageSnapshot, read: int, few: list[str], tally: Tally) -> CheckReport:
    used = {count.label: count.train + count.test for count in snapshot.labels}
    candidates = {label.label: label.images for label in labels}
    return CheckReport(
        images=sum(candidates.values()),
        read=read,
        left_out=tally.by_reason(),
        examples={reason.value: tuple(keys) for reason, keys in tally.examples.items()},
        labels_left_out=tuple(few),
        merged={label.label: label.folders for label in labels if candidates[label.label] and len(label.folders) > 1},
        left_out_by_label={label: count - used.get(label, 0) for label, count in candidates.items()},
    )
