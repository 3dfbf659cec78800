"""Snapshots of projects that learn boxes or several labels an image: counted, and frozen and kept in S3.

They are kept as those of :mod:`custom_labels.datasets.snapshot_records`; the annotations are in ``images.sqlite``, too.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from custom_labels.core.codec import from_json, to_json
from custom_labels.core.keys import CHECKS, IMAGES, LINES_READ, snapshot_header, snapshot_images
from custom_labels.core.project_task import ProjectTask
from custom_labels.datasets.annotated_table import AnnotatedTable
from custom_labels.datasets.annotation_records import AnnotationReader
from custom_labels.datasets.annotations.annotation import Annotation, ImageLabel, Provenance
from custom_labels.datasets.annotations.kinds import KINDS
from custom_labels.datasets.annotations.report import AnnotationReport
from custom_labels.datasets.image_records import check_images, fetch_checks
from custom_labels.datasets.image_table import complete_split
from custom_labels.datasets.images import CheckReport, LeftOut, Tally
from custom_labels.datasets.inspection.inspection_records import SnapshotInspector
from custom_labels.datasets.listing_records import list_images
from custom_labels.datasets.manifest import annotated_line
from custom_labels.datasets.snapshot import (
    ImageSnapshot,
    LabelCount,
    SnapshotHeader,
    combine,
    require_trainable_annotations,
)
from custom_labels.datasets.snapshot_records import LocalSnapshot, fetch_images, keep_together, read_header
from custom_labels.datasets.split import SplitRule
from custom_labels.s3.store import S3Store

_FILE = "images.sqlite"
_LINES = "lines.sqlite"


def count_annotated(store: S3Store, task: ProjectTask, as_of: datetime, trained: str | None = None) -> ImageSnapshot:
    """Count the annotated images and name them and their annotations by a digest, writing nothing and reading no image.

    As in :func:`custom_labels.datasets.snapshot_records.count_images`, with which it shares the meaning of its
    arguments: what earlier checks found bad is left out, and after a training the digest is that of its snapshot as
    long as nothing changed. An image whose annotation changed is untrained, as one is whose content did.

    :raises StorageError: S3 refused, or the trained snapshot is not there.
    """
    header = read_header(store, trained) if trained else None
    with tempfile.TemporaryDirectory(prefix="custom-labels-") as name, AnnotatedTable(Path(name) / _FILE) as images:
        found = _Annotated(store, task, as_of, images, Path(name))
        found.gather()
        found.use()
        return found.count(header, trained)


@contextmanager
def frozen_annotated(
    store: S3Store,
    task: ProjectTask,
    as_of: datetime,
    trained: str | None = None,
    *,
    publish: bool,
    split_of: str | None = None,
    test_share: float = 0.2,
    inspects: bool = False,
) -> Iterator[tuple[LocalSnapshot, CheckReport]]:
    """Check the annotated images that no earlier check knows, and fix the usable ones and their split.

    The arguments are those of :func:`custom_labels.datasets.snapshot_records.frozen_snapshot`, and so is what it writes
    and what it does when it is done again.

    :raises NotTrainable: what is left cannot make a dataset that Custom Labels accepts.
    :raises StorageError: S3 refused.
    """
    header = read_header(store, trained) if trained else None
    followed = read_header(store, split_of) if split_of and split_of != trained else header
    with tempfile.TemporaryDirectory(prefix="custom-labels-") as name:
        folder = Path(name)
        with AnnotatedTable(folder / _FILE) as images:
            found = _Annotated(store, task, as_of, images, folder)
            found.gather()
            read = check_images(store, images, found.tally)
            images.finish_checks(as_of)
            if publish and read and images.checked_as_of <= as_of:
                store.upload(folder / _FILE, CHECKS)
            if publish:
                found.keep_lines()
            few = found.use()
            require_trainable_annotations(task, images.counts(), images.images, few)
            counted = found.count(header, trained)
            value, etag = store.read_json(snapshot_header(counted.digest))
            stored = from_json(SnapshotHeader, value) if value else None
            inspector = SnapshotInspector(store, task, folder / _FILE, folder, publish=publish) if inspects else None
            base = followed.split.following(test_share) if followed else SplitRule(test_share)
            if stored and (followed is None or stored.split.keeps(followed.split)):
                rule = stored.split
            else:
                units = inspector.units() if inspector else {}
                rule = complete_split(images, keep_together(store, followed, base, units, folder), units)
            frozen = SnapshotHeader(_with_sides(images, counted, rule, found.tally), rule, task)
        path = folder / _FILE
        if stored:  # by other lines that say the same; manifests are made of what was kept
            path = fetch_images(store, counted.digest, folder)
        elif publish:
            store.upload(path, snapshot_images(counted.digest))
        if publish and (stored is None or stored.split != rule):
            store.write_if_unchanged(snapshot_header(counted.digest), to_json(frozen), etag)
        inspection = inspector.inspect(counted.digest, rule, base) if inspector else None
        yield LocalSnapshot(frozen, path, inspection), found.report(read, few)


@dataclass
class _Annotated:
    """What is found in one snapshot.

    :param has_new_lines: whether lines were read that are not kept yet, or those that are kept are gone.
    :param candidates: images in the folders of annotated ones, whether annotated or not.
    """

    store: S3Store
    task: ProjectTask
    as_of: datetime
    images: AnnotatedTable
    folder: Path
    candidates: int = 0
    has_new_lines: bool = False
    tally: Tally = field(default_factory=Tally)
    lines: AnnotationReport = field(default_factory=AnnotationReport)

    def gather(self) -> None:
        """Read the annotations, list the images, and join them."""
        self.store.download(LINES_READ, self.folder / _LINES)
        self.images.use_lines(self.folder / "newest.sqlite", self.folder / _LINES)
        reader = AnnotationReader(self.store, KINDS[self.task], self.tally, self.lines, self.folder)
        reader.read_all(self.images, self.as_of)
        self.has_new_lines = reader.is_changed
        folders = self.images.folders()
        if self.task is ProjectTask.MULTI_LABEL_CLASSIFICATION and folders is not None:
            folders = sorted({*folders, IMAGES})
        rows = self.folder / "images.rows"
        self.candidates = list_images(self.store, folders, self.as_of, self.tally, rows)
        fetch_checks(self.store, self.images, self.folder)
        self.images.load("", rows)
        if self.task is ProjectTask.MULTI_LABEL_CLASSIFICATION:
            self.images.label_by_folder(self._of_folder)
        self.images.join(self.tally, self.lines)

    def keep_lines(self) -> None:
        """Keep what was read of the lines, for later runs; one about the past keeps what a later one read."""
        if self.has_new_lines and self.images.lines_as_of <= self.as_of:
            self.images.finish_lines(self.as_of)
            self.store.upload(self.folder / _LINES, LINES_READ)

    def _of_folder(self, label: str) -> tuple[Annotation, str]:
        """Annotate the images of a label's folder; the moment is the run's, and is not in the digest."""
        created = self.as_of.astimezone(UTC)
        provenance = Provenance(created.strftime("%Y-%m-%dT%H:%M:%S"), "yes")
        annotation = Annotation("", provenance, created, image_labels=(ImageLabel(label),))
        return annotation, KINDS[self.task].body(annotation)

    def use(self) -> list[str]:
        """Leave out what cannot be used; give the labels that are on too few images."""
        self.images.annotate(self.lines)
        self.images.leave_out(self.tally)
        return self.images.use_annotations(self.tally, self._strip)

    def _strip(self, body: str, labels: set[str]) -> tuple[Annotation, str]:
        kind = KINDS[self.task]
        annotation = kind.read(annotated_line("s3://any-bucket/image", body)).without(labels)
        return annotation, kind.body(annotation) if annotation.labels else ""

    def count(self, trained_header: SnapshotHeader | None, trained: str | None) -> ImageSnapshot:
        """Count the images that are used, and those of them that the snapshot trained on last lacks."""
        same: Mapping[str, int] = {}
        images, same_images = self.images.images, 0
        if trained_header:
            self.images.compare_with(fetch_images(self.store, trained_header.snapshot.digest, self.folder))
            same, same_images = self.images.unchanged(), self.images.unchanged_images
        labels = [
            LabelCount(label, count, count - same.get(label, 0), self.images.digest(label))
            for label, count in self.images.counts().items()
        ]
        return ImageSnapshot(
            digest=combine(labels),
            as_of=self.as_of.isoformat(),
            images=images,
            untrained=images - same_images,
            trained=trained,
            labels=tuple(sorted(labels)),
            left_out=self.tally.by_reason(),
        )

    def report(self, read: int, few: Sequence[str]) -> CheckReport:
        """Say what was inspected and left out."""
        return CheckReport(
            images=self.candidates,
            read=read,
            left_out=self.tally.by_reason(),
            examples={reason.value: tuple(keys) for reason, keys in self.tally.examples.items()},
            labels_left_out=tuple(few),
            annotations=tuple(self.lines.in_words()),
        )


def _with_sides(images: AnnotatedTable, counted: ImageSnapshot, rule: SplitRule, tally: Tally) -> ImageSnapshot:
    """Divide the images into those to train on and those to judge by, which may be too many."""
    sides, used = images.sides(rule), images.limit_tests(rule)
    if unused := images.unused_tests:
        tally.add(LeftOut.TEST_LIMIT, "", unused)
    test = images.count_tests(rule)
    return replace(
        counted,
        labels=tuple(replace(each, train=sides[each.label].train, test=used[each.label]) for each in counted.labels),
        left_out=tally.by_reason(),
        train=counted.images - test,
        test=test - unused,
    )
