"""What is kept of a stored snapshot: its header and its rows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from custom_labels.core.codec import from_json
from custom_labels.core.keys import snapshot_header
from custom_labels.datasets.snapshot import LabelChange, LabelCount, SnapshotHeader
from custom_labels.datasets.split import Subset
from custom_labels.datasets.tsv import join_known, read_lines
from custom_labels.s3.errors import StorageError

if TYPE_CHECKING:
    from custom_labels.s3.store import S3Store


def find_header(store: S3Store, digest: str) -> SnapshotHeader | None:
    """Read the header of a stored snapshot, ``None`` if there is none."""
    value, _ = store.read_json(snapshot_header(digest))
    return from_json(SnapshotHeader, value) if value else None


def read_header(store: S3Store, digest: str) -> SnapshotHeader:
    """Read the header of a stored snapshot.

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
    """Copy a label's rows of a stored snapshot to a local file.

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


def changes(store: S3Store, header: SnapshotHeader, trained: SnapshotHeader | None, folder: Path) -> list[LabelChange]:
    """Say for each label of either snapshot what came, was replaced, went, or is on another side now.

    Rows are read only of labels that differ, and stream by.

    :param header: of the snapshot that is to be trained on.
    :param trained: of the one trained on last, if there is one.
    :param folder: a local folder for the rows.
    """
    counts = {count.label: count for count in header.snapshot.labels}
    before = {count.label: count for count in trained.snapshot.labels} if trained else {}
    found = []
    for label in sorted({*counts, *before}, key=str.encode):
        if trained is None or label not in before:
            found.append(LabelChange(label, new=counts[label].images))
        elif label not in counts:
            found.append(LabelChange(label, removed=before[label].images))
        elif counts[label].digest == before[label].digest and header.split.share == trained.split.share:
            found.append(LabelChange(label))
        else:
            paths = (folder / "now.tsv.gz", folder / "trained.tsv.gz")
            fetch_rows(store, header, label, paths[0])
            fetch_rows(store, trained, label, paths[1])
            found.append(_compare(label, *map(read_lines, paths)))
    return found


def _compare(label: str, now: Iterator[bytes], before: Iterator[bytes]) -> LabelChange:
    """Walk through the rows of two snapshots at once; both are sorted by key, and end in the image's side."""
    counts = dict.fromkeys(("new", "changed", "removed", "to_test", "to_train"), 0)
    ours, theirs = next(now, None), next(before, None)
    while ours or theirs:
        key, old_key = _column(ours, 0), _column(theirs, 0)
        if theirs is None or (ours is not None and key < old_key):
            counts["new"] += 1
            ours = next(now, None)
            continue
        if ours is None or old_key < key:
            counts["removed"] += 1
        else:
            counts["changed"] += _column(ours, 1) != _column(theirs, 1)
            _count_move(ours, theirs, counts)
            ours = next(now, None)
        theirs = next(before, None)
    return LabelChange(label, **counts)


def _column(line: bytes | None, number: int) -> bytes:
    return line.split(b"\t", number + 1)[number] if line else b""


_CONTENT = 3
_IS_TEST = f"\t{Subset.TEST}\n".encode()


def _count_move(ours: bytes, theirs: bytes, counts: dict[str, int]) -> None:
    """Count an image that has its content still and another side."""
    is_test = ours.endswith(_IS_TEST)
    if is_test != theirs.endswith(_IS_TEST) and _column(ours, _CONTENT) == _column(theirs, _CONTENT):
        counts["to_test" if is_test else "to_train"] += 1
