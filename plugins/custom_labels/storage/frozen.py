"""What is kept of a frozen snapshot: its header and its rows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from custom_labels.domain.keys import snapshot_header
from custom_labels.domain.snapshot import LabelCount, SnapshotHeader
from custom_labels.storage.faults import StorageError
from custom_labels.storage.rows import join_known, read_lines

if TYPE_CHECKING:
    from custom_labels.storage.store import S3Store


def find_header(store: S3Store, digest: str) -> SnapshotHeader | None:
    """Read the header of a frozen snapshot, ``None`` if there is none."""
    value, _ = store.read_json(snapshot_header(digest))
    return SnapshotHeader.from_json(value) if value else None


def read_header(store: S3Store, digest: str) -> SnapshotHeader:
    """Read the header of a frozen snapshot.

    :raises StorageError: there is none.
    """
    header = find_header(store, digest)
    if header is None:
        raise StorageError(
            f"Snapshot '{digest}' is not in the bucket: {store.uri(snapshot_header(digest))} is missing. It is what "
            "a model version was trained on; restore it, or delete the registry's record that names it."
        )
    return header


def fetch_rows(store: S3Store, header: SnapshotHeader, label: str, path: Path) -> None:
    """Copy a label's rows of a frozen snapshot to a local file.

    :raises StorageError: they are missing.
    """
    place = header.files[label]
    if not store.download(place, path):
        raise StorageError(
            f"The rows of label '{label}' in snapshot '{header.snapshot.digest}' are missing: {store.uri(place)}. "
            "Restore the object; snapshots are written once and never deleted by this package."
        )


def untrained(
    store: S3Store, count: LabelCount, header: SnapshotHeader | None, blocks: Iterator[list[bytes]], folder: Path
) -> LabelCount:
    """Count the images of a label that the last trained snapshot lacks; its rows are read only if they differ.

    :param count: of this label, digest included.
    :param blocks: the label's usable images, lines ``key TAB etag NEWLINE``, in order.
    :param folder: a local folder for the trained snapshot's rows.
    """
    if header is None or count.label not in header.files:
        return replace(count, untrained=count.images)
    if header.label_digest(count.label) == count.digest:
        return replace(count, untrained=0)
    trained = folder / "trained.tsv.gz"
    fetch_rows(store, header, count.label, trained)
    common = sum(len(same) - same.count(None) for _, same in join_known(blocks, read_lines(trained)))
    return replace(count, untrained=count.images - common)
