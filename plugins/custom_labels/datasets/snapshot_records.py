"""Snapshots: the cheap poll that counts and names the images, and the writer, which checks and stores them."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from custom_labels.datasets.images import LeftOut, Tally, judge_duplicates
from custom_labels.datasets.label_listing import STREAMS, leave_out_duplicates, list_labels
from custom_labels.datasets.ledger_records import read_verdicts
from custom_labels.datasets.snapshot import MINIMUM_IMAGES_A_LABEL, ImageSnapshot, LabelCount, make_snapshot
from custom_labels.datasets.snapshot_reader import read_header, untrained
from custom_labels.datasets.snapshot_writer import write_snapshot
from custom_labels.datasets.tsv import file_sha256, read_blocks

if TYPE_CHECKING:
    from custom_labels.s3.store import S3Store

__all__ = ["count_images", "write_snapshot"]


def count_images(
    store: S3Store, as_of: datetime, trained: str | None = None, *, streams: int = STREAMS
) -> ImageSnapshot:
    """Count the images and name them by their digest, writing nothing to S3 and reading no image.

    Images that earlier checks found bad are left out, so that after a training the digest is that of its snapshot
    as long as nothing changed. New images are taken to be good until they are checked.

    :param as_of: objects last modified up to then are seen.
    :param trained: digest of the last trained snapshot.
    :param streams: labels listed at once.
    :raises StorageError: S3 refused, or the trained snapshot is not there.
    """
    header = read_header(store, trained) if trained else None
    verdicts = read_verdicts(store)
    tally = Tally()
    with tempfile.TemporaryDirectory(prefix="custom-labels-") as folder:
        listed = list_labels(store, as_of, tally, Path(folder), verdicts, streams)
        left_out = judge_duplicates(duplicate for label in listed for duplicate in label.duplicates)
        counts = []
        for label in listed:
            gone = leave_out_duplicates(label.duplicates, left_out, tally)
            images = label.images - len(gone)
            if images >= MINIMUM_IMAGES_A_LABEL:
                digest = _digest(label.path, gone)
                count = LabelCount(label.label, images, images, digest)
                counts.append(untrained(store, count, header, _usable(label.path, gone), Path(folder)))
            elif images:
                tally.add(LeftOut.FEW_IMAGES, label.label, images)
    return make_snapshot(counts, as_of, trained, tally.by_reason())


def _usable(path: Path, gone: set[bytes]) -> Iterator[list[bytes]]:
    for block in read_blocks(path):
        yield [line for line in block if line[: line.index(b"\t")] not in gone] if gone else block


def _digest(path: Path, gone: set[bytes]) -> str:
    """Give the digest of a label's rows; as text they are exactly what is hashed."""
    if not gone:
        return file_sha256(path)
    whole = hashlib.sha256()
    for block in _usable(path, gone):
        whole.update(b"".join(block))
    return whole.hexdigest()
